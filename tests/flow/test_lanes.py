"""The slow lane (`hub/lanes.py`): which conversations use it, for how long, and that no crash reorders one."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from datetime import datetime
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus import MemoryBodyStore, MemoryBus, PartitionLag
from hub.lanes import ENOUGH, GROUP, LONGEST_WAIT, PAUSE, Lanes, wait_for_live_groups
from hub.ledger import in_flight
from schemas import Event, Raw, Retry, Slow
from schemas.body import Body
from tests.bus.events import everything
from tests.flow.lane_processes import BUDGET, LaneProcess, ManualClock, message_of, order_of, raw_of

CITIZENS = 3
STEPS = 200


def raws(citizen: int, *numbers: int) -> list[Raw]:
    return [raw_of(citizen, number) for number in numbers]


def lanes_on(bus: MemoryBus, clock: ManualClock | None = None) -> Lanes:
    return Lanes(bus, budget=BUDGET, clock=clock or ManualClock())


async def test_a_conversation_within_its_budget_is_read_without_delay() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus)
        assert await lanes.divide(raws(1, 1, 2, 3) + raws(2, 1)) == (raws(1, 1, 2, 3) + raws(2, 1), [])


async def test_over_its_budget_all_of_a_conversation_in_the_batch_is_diverted_and_all_that_follows() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus)
        here, diverted = await lanes.divide(raws(1, 1, 2, 3, 4) + raws(2, 1))
        assert here == raws(2, 1)
        assert [raw.id for raw in diverted] == ["1.1", "1.2", "1.3", "1.4"]
        assert (await lanes.divide(raws(1, 5) + raws(2, 2)))[0] == raws(2, 2)


async def test_a_diverted_raw_is_whole() -> None:
    async with MemoryBus() as bus:
        [first, *_] = (await lanes_on(bus).divide(raws(1, 1, 2, 3, 4)))[1]
        [raw] = raws(1, 1)
        assert first.key == raw.key
        assert {name: getattr(first, name) for name in raw.__struct_fields__} == {
            name: getattr(raw, name) for name in raw.__struct_fields__
        }


async def test_the_budget_is_for_a_minute() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus, clock := ManualClock())
        await lanes.divide(raws(1, 1, 2, 3))
        clock.now = 60.0
        assert await lanes.divide(raws(1, 4, 5, 6)) == (raws(1, 4, 5, 6), [])


async def test_a_raw_without_a_conversation_is_never_diverted() -> None:
    async with MemoryBus() as bus:
        nobodys = [Raw(id=str(n), account="sms", channel="sms", owner="", received_at=datetime.max) for n in range(99)]
        assert await lanes_on(bus).divide(nobodys) == (nobodys, [])


async def test_a_conversation_leaves_the_slow_lane_once_that_has_committed_all_of_it() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus, clock := ManualClock())
        await bus.publish((await lanes.divide(raws(1, 1, 2, 3, 4)))[1])
        clock.now = 61.0
        assert (await lanes.divide(raws(1, 5)))[0] == []  # four of it are still in the lane
        await everything(bus, "slow", 4, Slow.topic)
        clock.now = 61.5
        assert (await lanes.divide(raws(1, 6)))[0] == []  # it scans at most once a second
        clock.now = 62.5
        assert (await lanes.divide(raws(1, 7)))[0] == raws(1, 7)


async def test_the_next_owner_of_a_partition_learns_which_conversations_are_diverted() -> None:
    async with MemoryBus() as bus:
        await bus.publish([Slow(**{f: getattr(r, f) for f in r.__struct_fields__}) for r in raws(1, 1, 2)])
        lanes = lanes_on(bus)
        await lanes.scan()
        assert (await lanes.divide(raws(1, 3) + raws(2, 1)))[0] == raws(2, 1)


class SlowBus(MemoryBus):
    """A bus whose lag takes five seconds."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock, self.scans = clock, 0

    async def lag(self) -> Sequence[PartitionLag]:
        self.scans += 1
        self.clock.now += 5.0
        return await super().lag()


async def test_a_slow_scan_rests_long() -> None:
    clock = ManualClock()
    async with SlowBus(clock) as bus:
        lanes = lanes_on(bus, clock)
        await bus.publish((await lanes.divide(raws(1, 1, 2, 3, 4)))[1])
        await lanes.scan()
        for _ in range(9):
            clock.now += 10.0
            await lanes.divide(raws(1, 5))
        assert bus.scans == 1
        clock.now += 10.0
        await lanes.divide(raws(1, 5))
        assert bus.scans == 2


async def test_what_is_diverted_is_in_flight_until_it_is_read() -> None:
    async with MemoryBus() as bus:
        await bus.publish((await lanes_on(bus).divide(raws(1, 1, 2, 3, 4)))[1])
        assert await in_flight(bus) == {"1.1", "1.2", "1.3", "1.4"}
        await everything(bus, GROUP, 4, Slow.topic)
        assert await in_flight(bus) == set()


class FaultyBodies(MemoryBodyStore):
    def __init__(self, fault: OSError) -> None:
        super().__init__()
        self.fault = fault

    def get(self, name: str) -> bytes:
        raise self.fault


async def test_a_large_event_is_not_lost_while_the_disk_does_not_answer() -> None:
    large = msgspec.structs.replace(raws(1, 1)[0], body=Body(b"x" * 300_000))
    async with MemoryBus(bodies=FaultyBodies(OSError(errno.EIO, "no answer"))) as bus:
        await bus.publish([large])
        with pytest.raises(Retry, match="cannot be read: OSError"):
            await in_flight(bus)
    async with MemoryBus(bodies=FaultyBodies(FileNotFoundError())) as bus:
        await bus.publish([large])
        assert await in_flight(bus) == set(), "what is gone is nowhere on its way"


class BusyBus(MemoryBus):
    """A bus on which the live groups are behind for so many readings of the lag."""

    def __init__(self, readings: int) -> None:
        super().__init__()
        self.readings = readings

    async def lag(self) -> list[PartitionLag]:
        self.readings -= 1
        return [PartitionLag("messages", "matcher", 0, 0, ENOUGH + (self.readings >= 0), None)]


async def waits_of(readings: int) -> list[float]:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with BusyBus(readings) as bus:
        await wait_for_live_groups(bus, sleep)
    return waited


async def test_the_slow_lane_waits_while_others_are_behind_but_not_for_ever() -> None:
    assert await waits_of(0) == []
    assert await waits_of(3) == [PAUSE] * 3
    assert sum(await waits_of(10**6)) <= LONGEST_WAIT + PAUSE


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(1, 3))
def test_no_crash_takeover_or_zombie_reorders_a_conversation(random: Random, size: int, readers: int) -> None:
    asyncio.run(_played(random, size, readers))


async def _played(random: Random, size: int, readers: int) -> None:
    async with MemoryBus(partitions=2) as bus:
        game = Game(bus, random, size, readers)
        for _ in range(STEPS):
            await game.move()
        await game.end()
        found = await order_of(bus)
        assert {c: sorted(numbers) for c, numbers in found.items()} == {
            str(c): list(range(sent)) for c, sent in enumerate(game.sent) if sent
        }
        assert found == {c: sorted(numbers) for c, numbers in found.items()}


class Game:
    """An ingress, processes that work and die, zombies that come back, and a clock."""

    def __init__(self, bus: MemoryBus, random: Random, size: int, readers: int) -> None:
        self.sent = [0] * CITIZENS
        self._bus, self._random, self._clock = bus, random, ManualClock()
        self._processes = [LaneProcess(bus, Raw.topic, self._clock, size) for _ in range(readers)]
        self._processes += [LaneProcess(bus, Slow.topic, self._clock, size) for _ in range(2)]
        self._zombies: list[list[Event]] = []

    async def move(self) -> None:
        kind = self._random.random()
        if kind < 0.2:
            await self._send(self._random.choice((1, 1, 2, 5)))
        elif kind < 0.25:
            self._zombies += await self._random.choice(self._processes).die()
        elif kind < 0.3 and self._zombies:
            left = self._zombies.pop(self._random.randrange(len(self._zombies)))
            await self._bus.publish(left[: self._random.randint(1, len(left))])
        elif kind < 0.4:
            self._clock.now += self._random.choice((0.4, 1.1, 30.0))
        elif kind < 0.43:
            await self._rebalance()
        else:
            await self._random.choice(self._processes).step(self._random)

    async def end(self) -> None:
        """Until everything is through."""
        for process in self._processes:
            self._zombies += await process.die()
        for zombie in self._zombies:
            await self._bus.publish(zombie)
        while not await self._done():
            self._clock.now += 0.3
            for process in self._processes:
                await process.step(self._random)

    async def _done(self) -> bool:
        lags = [lag.behind for lag in await self._bus.lag()]
        return len(lags) == 2 * self._bus.partitions and not sum(lags)

    async def _send(self, times: int) -> None:
        citizen = self._random.randrange(CITIZENS)
        first = self.sent[citizen]
        self.sent[citizen] += times
        await self._bus.publish(raws(citizen, *range(first, first + times)))

    async def _rebalance(self) -> None:
        """A live member is expelled: its partitions pass on, and its batch is a zombie's."""
        for topic, group in (("raw", "reader"), ("slow", "slow")):
            held = {partition: owner.epoch for partition, owner in self._bus.owners(topic, group).items()}
            if held:
                await self._bus.assign(topic, group, None, held)


def test_the_game_notices_a_conversation_reordered() -> None:
    """The property rests on this."""

    async def swapped() -> dict[str, list[int]]:
        async with MemoryBus() as bus:
            await bus.publish([message_of(raw) for raw in raws(1, 1, 0)])
            return await order_of(bus)

    assert asyncio.run(swapped()) == {"1": [1, 0]}
