"""The spool before a real Kafka that is killed and comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bus import Spool
from bus.kafka import KafkaBus
from tests.bus.events import ids, raw
from tests.bus.test_spool import LONG_AGO, drained, first_ones
from tests.services.kafka import Kafka

CITIZENS = 10


class Citizens:
    """Each publishes one report after another until told to stop; the accepted numbers are kept."""

    def __init__(self, spool: Spool) -> None:
        self.spool, self.over = spool, asyncio.Event()
        self.accepted: list[int] = []
        self.slowest = 0.0

    async def one(self, which: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(which, 1_000_000, CITIZENS):
            if self.over.is_set():
                return
            started = loop.time()
            await self.spool.publish([raw(number, str(which))])
            self.slowest = max(self.slowest, loop.time() - started)
            self.accepted.append(number)
            await asyncio.sleep(0.005)

    async def have(self, more: int) -> None:
        until = len(self.accepted) + more
        async with asyncio.timeout(60):
            while len(self.accepted) < until:
                await asyncio.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_case_24_a_broker_that_goes_and_comes_back(broker: Kafka, tmp_path: Path, how: str) -> None:
    async with KafkaBus(broker.url(how)) as remote:
        async with Spool(remote, tmp_path / "spool.db", 2**30) as spool, asyncio.TaskGroup() as tasks:
            citizens = Citizens(spool)
            for which in range(CITIZENS):
                tasks.create_task(citizens.one(which))
            await citizens.have(200)
            (broker.kill if how == "killed" else broker.pause)()
            await citizens.have(1000)
            assert (await spool.spooled()).events > 500
            (broker.start if how == "killed" else broker.resume)()
            async with asyncio.timeout(60):
                while (await spool.spooled()).spooling:
                    await asyncio.sleep(0.05)
            await citizens.have(200)
            citizens.over.set()
        assert citizens.slowest < 45  # a call to a broker that hangs takes a minute
        async with Spool(remote, tmp_path / "spool.db", 2**30) as spool:
            await drained(spool)
        stored = [event async for event in remote.read("raw", LONG_AGO)]
    assert set(ids(stored)) >= set(citizens.accepted)
    assert all(numbers == sorted(numbers) for numbers in first_ones(stored).values())
