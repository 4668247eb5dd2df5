"""A process of its own on a log: `python -m tests.bus.worker ROLE LOG [ARGUMENT]`. It prints its progress."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bus import Bus, PartitionLost, SqliteBus, Stage, pump
from bus.kafka import KafkaBus
from schemas import EVENTS, Event, Raw
from tests.bus.events import commit, message, raw

CITIZENS = 23


def say(*words: object) -> None:
    print(*words, flush=True)


async def reader(events: Sequence[Event]) -> Sequence[Event]:
    """Each Raw becomes a Message of the same number and key."""
    return [message(event) for event in events if isinstance(event, Raw)]


async def publish(bus: Bus, first: int) -> None:
    """Publish numbered Raws, a few calls at a time, each citizen's in order; print each number once it is durable."""

    async def citizen(which: int) -> None:
        for number in range(first + which, first + 100_000, CITIZENS):
            await bus.publish([raw(number, f"{first}-{which}")])
            say(number)

    await asyncio.gather(*(citizen(which) for which in range(CITIZENS)))


async def work(bus: Bus, first: str) -> None:
    """Publish Raws and pump them to Messages at once, until killed."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pump(bus, Stage("reader", "raw", reader, batch_size=50)))
        tasks.create_task(publish(bus, int(first)))


async def echo(bus: Bus) -> None:
    """Pump Raws to Messages."""
    say("ready")
    await pump(bus, Stage("reader", "raw", reader))


async def hold(bus: Bus) -> None:
    """Take a batch, wait for a line, commit."""
    async with bus.subscribe("raw", "reader") as batches:
        batch = await anext(batches)
        say("taken")
        await asyncio.to_thread(sys.stdin.readline)
        try:
            await commit(bus, batch)
            say("committed")
        except PartitionLost:
            say("lost")


async def idle(bus: Bus) -> None:
    """Wait for events on every topic, as three groups."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for topic in EVENTS:
            for group in ("one", "two", "three"):
                batches = await stack.enter_async_context(bus.subscribe(topic, group))
                tasks.create_task(anext(batches))  # type: ignore[arg-type]
        await asyncio.sleep(1)
        say("ready")


async def main(role: str, log: str, *arguments: str) -> None:
    async with KafkaBus(log) if log.startswith("kafka:") else SqliteBus(Path(log)) as bus:
        await {"work": work, "echo": echo, "hold": hold, "idle": idle}[role](bus, *arguments)  # type: ignore[operator]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
