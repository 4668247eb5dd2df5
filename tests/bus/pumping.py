"""A bus with a pump on it, and stages that fail on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from bus import AsideStore, GuardLimits, MemoryAsides, MemoryBus, Run, Stage, StoredEvent, decode_event, pump
from schemas import Dead, Event, Message, Raw
from tests.bus.events import AT, message


class Waits:
    """A sleep that takes no time and remembers how long it was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


class Pumping:
    """A bus with a pump on it: the events in, and the messages and dead letters out."""

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus
        self.asides: AsideStore = MemoryAsides()
        self.waits = Waits()

    async def run(
        self, run: Run, events: Sequence[Event], *, size: int = 500, guard: GuardLimits | None = None
    ) -> Stage:
        """Publish the events and pump them through the stage until it has committed them, or stops."""
        await self.bus.publish(events)
        return await self.go(
            Stage("reader", events[0].topic, run, batch_size=size, guard=guard or GuardLimits()), len(events)
        )

    async def go(self, stage: Stage, count: int, monotonic: Callable[[], float] = time.monotonic) -> Stage:
        """Pump until the stage has committed so many, or stops."""
        pumping = asyncio.create_task(
            pump(self.bus, stage, aside=self.asides, sleep=self.waits, clock=lambda: AT, monotonic=monotonic)
        )
        async with asyncio.timeout(20):
            while not pumping.done() and stage.counts.committed + stage.counts.lost < count:
                await asyncio.sleep(0)
        if not pumping.done():
            pumping.cancel()
        await asyncio.wait([pumping])
        if not pumping.cancelled():
            pumping.result()
        return stage

    async def made(self) -> list[int]:
        """The numbers of the messages that the stage made."""
        return [int(s.event().native_id) for s in await self._all("messages")]  # type: ignore[attr-defined]

    async def dead(self) -> list[Dead]:
        """The dead letters."""
        return [s.event() for s in await self._all("dead")]  # type: ignore[misc]

    async def aside(self) -> list[int]:
        """The numbers of the raws that were put aside."""
        return [int(decode_event("raw", s.event().event).id) for s in await self._all("aside")]  # type: ignore[attr-defined]

    async def behind(self) -> int:
        """Events of the stage's own topic that are not committed."""
        return sum(lag.behind for lag in await self.bus.lag() if "@" not in lag.group)

    async def _all(self, topic: str) -> list[StoredEvent]:
        return [stored async for stored in self.bus.read(topic, AT.replace(year=2020))]


def read_one(event: Event) -> Message:
    assert isinstance(event, Raw)
    return message(event)


def stage_that(fails: Callable[[int, int], Exception | None] = lambda number, time: None) -> Run:
    """A stage that makes a message of each Raw, or fails with what `fails(number, how many times before)` gives."""
    times: dict[int, int] = {}

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        for event in events:
            number = int(event.id)  # type: ignore[attr-defined]
            times[number] = times.get(number, -1) + 1
            if fault := fails(number, times[number]):
                raise fault
        return [read_one(event) for event in events]

    return run
