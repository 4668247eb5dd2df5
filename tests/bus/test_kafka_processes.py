"""Several processes in one group on Kafka: stopped past their session, killed, joining and leaving."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from bus import Bus, Stage, pump
from bus.kafka import KafkaBus
from tests.bus.events import AT, commit, consume, ids, raw, soon
from tests.bus.processes import line, worker
from tests.bus.test_processes import first_sights_are_in_order
from tests.bus.worker import reader
from tests.services.pausing import pause_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LONG_AGO = AT.replace(year=2020)


@pytest.fixture
def url(kafka: str) -> str:
    return f"kafka://{kafka}/{uuid4().hex}?session=3&brokers=1"


async def test_a_zombie_neither_commits_nor_disturbs(url: str) -> None:
    async with KafkaBus(url) as bus, worker("hold", url) as process:
        await bus.publish([raw(1), raw(2)])
        assert await line(process) == "taken"
        pause_process(process.pid)
        async with bus.subscribe("raw", "reader") as batches:
            assert ids(await consume(bus, batches, 2)) == [1, 2]
            await bus.publish([raw(3)])
            in_hand = await soon(batches)
            process.send_signal(signal.SIGCONT)
            assert process.stdin
            process.stdin.write(b"go on\n")
            assert await line(process) == "lost"
            await commit(bus, in_hand)
            await process.wait()
            await bus.publish([raw(4)])
            assert ids(await consume(bus, batches, 1)) == [4]
        assert not any(lag.behind for lag in await bus.lag())


async def test_order_holds_while_members_join_leave_and_die(url: str) -> None:
    async with KafkaBus(url) as bus:
        publishing = asyncio.create_task(_publish(bus))
        stays = asyncio.create_task(pump(bus, Stage("reader", "raw", reader, batch_size=20)))
        for round_ in range(3):
            async with AsyncExitStack() as stack:
                for _ in range(2):
                    assert await line(await stack.enter_async_context(worker("echo", url))) == "ready"
                leaves = asyncio.create_task(pump(bus, Stage("reader", "raw", reader, batch_size=20)))
                await _several(bus, 300 * (round_ + 1))
                leaves.cancel()
                await asyncio.gather(leaves, return_exceptions=True)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        while any(lag.behind for lag in await bus.lag()):
            await asyncio.sleep(0.05)
        stays.cancel()
        await asyncio.gather(stays, return_exceptions=True)
        wanted = set(ids([event async for event in bus.read("raw", LONG_AGO)]))
        messages = [event async for event in bus.read("messages", LONG_AGO)]
    numbers = [int(event.event().native_id) for event in messages]  # type: ignore[attr-defined]
    assert wanted == set(numbers)
    assert first_sights_are_in_order([event.key for event in messages], numbers)


async def _publish(bus: Bus) -> None:
    """Events of 17 citizens, for ever."""
    number = 0
    while True:
        await bus.publish([raw(n, f"62812-0000-{n % 17:04d}") for n in range(number, number + 5)])
        number += 5
        await asyncio.sleep(0.02)


async def _several(bus: Bus, count: int) -> None:
    """Until so many events have been through."""
    async with asyncio.timeout(100):
        while sum(lag.offset for lag in await bus.lag() if lag.group == "reader") < count:
            await asyncio.sleep(0.1)
