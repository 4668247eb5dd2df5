"""The slow lane (`hub/lanes.py`): who goes by it, how long, and that it reorders nobody whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus import Lag, MemoryBus, Stage
from hub.lanes import AT_MOST, ENOUGH, GROUP, PAUSE, Lanes, give_way
from hub.ledger import carriers, on_the_road
from schemas import Event, Raw, Slow
from tests.bus.events import everything
from tests.flow.roads import BUDGET, Clock, Process, message_of, raw_of, told

CITIZENS = 3
STEPS = 200


def raws(citizen: int, *numbers: int) -> list[Raw]:
    return [raw_of(citizen, number) for number in numbers]


def lanes_on(bus: MemoryBus, clock: Clock | None = None) -> Lanes:
    return Lanes(bus, budget=BUDGET, clock=clock or Clock())


async def test_who_stays_within_the_budget_is_read_at_once() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus)
        assert await lanes.part(raws(1, 1, 2, 3) + raws(2, 1)) == (raws(1, 1, 2, 3) + raws(2, 1), [])


async def test_over_the_budget_the_whole_of_a_batch_goes_aside_and_all_that_follows() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus)
        here, aside = await lanes.part(raws(1, 1, 2, 3, 4) + raws(2, 1))
        assert here == raws(2, 1)
        assert [raw.id for raw in aside] == ["1.1", "1.2", "1.3", "1.4"]
        assert (await lanes.part(raws(1, 5) + raws(2, 2)))[0] == raws(2, 2)


async def test_what_is_put_aside_keeps_all_that_it_was() -> None:
    async with MemoryBus() as bus:
        [first, *_] = (await lanes_on(bus).part(raws(1, 1, 2, 3, 4)))[1]
        [raw] = raws(1, 1)
        assert first.key == raw.key
        assert {name: getattr(first, name) for name in raw.__struct_fields__} == {
            name: getattr(raw, name) for name in raw.__struct_fields__
        }


async def test_the_budget_is_a_minutes() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus, clock := Clock())
        await lanes.part(raws(1, 1, 2, 3))
        clock.now = 60.0
        assert await lanes.part(raws(1, 4, 5, 6)) == (raws(1, 4, 5, 6), [])


async def test_a_raw_without_a_conversation_is_never_put_aside() -> None:
    async with MemoryBus() as bus:
        nobodys = [Raw(id=str(n), account="sms", channel="sms", owner="", received_at=datetime.max) for n in range(99)]
        assert await lanes_on(bus).part(nobodys) == (nobodys, [])


async def test_a_conversation_leaves_once_nothing_of_it_is_behind() -> None:
    async with MemoryBus() as bus:
        lanes = lanes_on(bus, clock := Clock())
        await bus.publish((await lanes.part(raws(1, 1, 2, 3, 4)))[1])
        clock.now = 61.0
        assert (await lanes.part(raws(1, 5)))[0] == []  # four of it are still in the lane
        await everything(bus, "slow", 4, Slow.topic)
        clock.now = 61.5
        assert (await lanes.part(raws(1, 6)))[0] == []  # it looks no oftener than once a second
        clock.now = 62.5
        assert (await lanes.part(raws(1, 7)))[0] == raws(1, 7)


async def test_who_takes_a_partition_over_learns_who_is_slow() -> None:
    async with MemoryBus() as bus:
        await bus.publish([Slow(**{f: getattr(r, f) for f in r.__struct_fields__}) for r in raws(1, 1, 2)])
        lanes = lanes_on(bus)
        await lanes.look()
        assert (await lanes.part(raws(1, 3) + raws(2, 1)))[0] == raws(2, 1)


class Far(MemoryBus):
    """A bus that takes five seconds to look at."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.looks = clock, 0

    async def lag(self) -> Sequence[Lag]:
        self.looks += 1
        self.clock.now += 5.0
        return await super().lag()


async def test_a_look_that_takes_long_is_seldom_taken() -> None:
    clock = Clock()
    async with Far(clock) as bus:
        lanes = lanes_on(bus, clock)
        await bus.publish((await lanes.part(raws(1, 1, 2, 3, 4)))[1])
        await lanes.look()
        for _ in range(9):
            clock.now += 10.0
            await lanes.part(raws(1, 5))
        assert bus.looks == 1
        clock.now += 10.0
        await lanes.part(raws(1, 5))
        assert bus.looks == 2


async def test_what_is_put_aside_is_on_the_road_until_it_is_read() -> None:
    async def run(events: Sequence[Event]) -> Sequence[Event]:
        return []

    groups = carriers([[Stage("slow", Slow.topic, run, group=GROUP)]])
    async with MemoryBus() as bus:
        await bus.publish((await lanes_on(bus).part(raws(1, 1, 2, 3, 4)))[1])
        assert await on_the_road(bus, groups) == {"1.1", "1.2", "1.3", "1.4"}
        await everything(bus, GROUP, 4, Slow.topic)
        assert await on_the_road(bus, groups) == set()


class Busy(MemoryBus):
    """A bus on which others are behind for so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    async def lag(self) -> list[Lag]:
        self.looks -= 1
        return [Lag("messages", "matcher", 0, 0, ENOUGH + (self.looks >= 0), None)]


async def waits(looks: int) -> list[float]:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with Busy(looks) as bus:
        await give_way(bus, sleep)
    return waited


async def test_the_slow_lane_waits_while_others_are_behind_but_not_for_ever() -> None:
    assert await waits(0) == []
    assert await waits(3) == [PAUSE] * 3
    assert sum(await waits(10**6)) <= AT_MOST + PAUSE


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(1, 3))
def test_no_crash_takeover_or_zombie_reorders_a_conversation(random: Random, size: int, readers: int) -> None:
    asyncio.run(_played(random, size, readers))


async def _played(random: Random, size: int, readers: int) -> None:
    async with MemoryBus(partitions=2) as bus:
        game = Game(bus, random, size, readers)
        for _ in range(STEPS):
            await game.move()
        await game.end()
        found = await told(bus)
        assert {c: sorted(numbers) for c, numbers in found.items()} == {
            str(c): list(range(sent)) for c, sent in enumerate(game.sent) if sent
        }
        assert found == {c: sorted(numbers) for c, numbers in found.items()}


class Game:
    """Doors that take, processes that work and die, zombies that come back, and a clock."""

    def __init__(self, bus: MemoryBus, random: Random, size: int, readers: int) -> None:
        self.sent = [0] * CITIZENS
        self._bus, self._random, self._clock = bus, random, Clock()
        self._processes = [Process(bus, Raw.topic, self._clock, size) for _ in range(readers)]
        self._processes += [Process(bus, Slow.topic, self._clock, size) for _ in range(2)]
        self._zombies: list[list[Event]] = []

    async def move(self) -> None:
        kind = self._random.random()
        if kind < 0.2:
            await self._knock(self._random.choice((1, 1, 2, 5)))
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
        while not await self._through():
            self._clock.now += 0.3
            for process in self._processes:
                await process.step(self._random)

    async def _through(self) -> bool:
        lags = [lag.behind for lag in await self._bus.lag()]
        return len(lags) == 2 * self._bus.partitions and not sum(lags)

    async def _knock(self, times: int) -> None:
        citizen = self._random.randrange(CITIZENS)
        first = self.sent[citizen]
        self.sent[citizen] += times
        await self._bus.publish(raws(citizen, *range(first, first + times)))

    async def _rebalance(self) -> None:
        """Somebody is thought dead and is not: what is held passes on, and the batch in hand is a zombie's."""
        for topic, group in (("raw", "reader"), ("slow", "slow")):
            held = {p: lease.epoch for p, lease in self._bus.leases(topic, group).items()}
            if held:
                await self._bus.pass_on(topic, group, None, held)


def test_the_game_sees_a_conversation_reordered() -> None:
    """What the property stands on: read out of order, it is told so."""

    async def swapped() -> dict[str, list[int]]:
        async with MemoryBus() as bus:
            await bus.publish([message_of(raw) for raw in raws(1, 1, 0)])
            return await told(bus)

    assert asyncio.run(swapped()) == {"1": [1, 0]}
