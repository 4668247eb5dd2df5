"""Accounts that are put aside: they hold up nobody, and come back in order. All in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import asdict, replace

from bus import (
    Batch,
    GuardLimits,
    MemoryAsides,
    MemoryBus,
    SideLane,
    Stage,
    keys_of_waiting_events,
    pump,
    uncommitted_events,
)
from schemas import Dead, Event, Message, Raw, Reject, Retry, Slow
from tests.bus import virtual
from tests.bus.events import AT, message, raw

GUARD = GuardLimits(run=20)


def clock() -> datetime:
    return AT + timedelta(seconds=virtual.now())


class Reader:
    """A stage that refuses the accounts in `bad`; each event takes it `cost` seconds."""

    def __init__(self, *bad: str, cost: float = 0.0) -> None:
        self.bad, self.cost = set(bad), cost

    async def __call__(self, events: Sequence[Event]) -> Sequence[Event]:
        made: list[Event] = []
        for event in events:
            assert isinstance(event, Raw)
            await asyncio.sleep(self.cost)
            if event.account in self.bad:
                raise Reject("not_json", "no JSON")
            made.append(message(event))
        return made


class HotReader:
    """A stage that diverts conversations at random into a slow lane, in front of a reader."""

    def __init__(self, bus: MemoryBus, store: MemoryAsides, reader: Reader, chance: random.Random) -> None:
        self.bus, self.store, self.reader, self.chance = bus, store, reader, chance
        self.lane = SideLane(self._waiting, virtual.now)

    async def __call__(self, events: Sequence[Event]) -> Sequence[Event]:
        await self.lane.scan_if_due()
        raws = [event for event in events if isinstance(event, Raw)]
        self.lane.keys |= {event.key for event in raws if self.chance.random() < 0.02}
        here, diverted = self.lane.divide(raws, lambda event: event.key)
        return [*(Slow(**asdict(event)) for event in diverted), *(await self.reader(here))]

    async def _waiting(self) -> set[str]:
        slow = {stored.key async for stored in uncommitted_events(self.bus, Slow.topic, "slow")}
        return slow | await keys_of_waiting_events(self.bus, self.store, "slow")


class HotProcess:
    """A reader with a slow lane, and the stage that works on that lane."""

    def __init__(self, bus: MemoryBus, store: MemoryAsides, reader: Reader, chance: random.Random) -> None:
        hot = HotReader(bus, store, reader, chance)
        stages = (
            Stage("reader", "raw", hot, batch_size=17, guard=GUARD, on_partitions_assigned=hot.lane.scan),
            Stage("slow", "slow", reader, batch_size=5, guard=GUARD),
        )
        self.tasks = [
            asyncio.create_task(pump(bus, stage, aside=store, clock=clock, monotonic=virtual.now)) for stage in stages
        ]

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)
        assert all(task.cancelled() for task in self.tasks)


class Process:
    """A pump on a bus, in virtual time."""

    def __init__(self, bus: MemoryBus, store: MemoryAsides, run: Reader, *, size: int = 50) -> None:
        self.stage = Stage("reader", "raw", run, batch_size=size, guard=GUARD)
        self.task = asyncio.create_task(pump(bus, self.stage, aside=store, clock=clock, monotonic=virtual.now))

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        assert self.task.cancelled()


def of(account: str, numbers: Sequence[int]) -> list[Raw]:
    return [replace(raw(number, f"citizen-{number % 3}"), account=account) for number in numbers]


async def numbers(bus: MemoryBus, account: str, topic: str = "messages") -> list[int]:
    """Of the account's messages, each where it stands first."""
    found: dict[int, None] = {}
    async for stored in bus.read(topic, AT.replace(year=2020)):
        event = stored.event()
        assert isinstance(event, Message)
        if event.account == account:
            found[int(event.native_id)] = None
    return list(found)


async def keys_are_in_order(bus: MemoryBus) -> bool:
    """Within each key, first appearances come in the order of their numbers; but for those that died once: redelivered
    to a mended stage they come later."""
    died = await dead(bus)
    seen: dict[str, dict[int, None]] = {}
    async for stored in bus.read("messages", AT.replace(year=2020)):
        number = int(stored.event().native_id)  # type: ignore[attr-defined]
        if number not in died:
            seen.setdefault(stored.key, {})[number] = None
    return all(list(found) == sorted(found) for found in seen.values())


async def dead(bus: MemoryBus) -> set[int]:
    """Numbers of the raws that have a dead letter."""
    found = [stored.event() async for stored in bus.read("dead", AT.replace(year=2020))]
    return {int(letter.raw or "") for letter in found if isinstance(letter, Dead)}


async def letters(bus: MemoryBus) -> list[str]:
    """Ids of the dead letters."""
    return [stored.event().event_id async for stored in bus.read("dead", AT.replace(year=2020))]


def test_a_released_account_is_worked_on_in_order_before_its_newer_events() -> None:
    async def main() -> None:
        async with MemoryBus(clock=clock) as bus:
            store, reader = MemoryAsides(), Reader("bad")
            process = Process(bus, store, reader)
            await bus.publish([*of("bad", range(200)), *of("good", range(100))])
            await asyncio.sleep(5)
            assert len(await numbers(bus, "good")) == 100
            assert await numbers(bus, "bad") == []
            died = len(await dead(bus))
            reader.bad.clear()
            store.release("bad", clock())
            await bus.publish(of("bad", range(200, 300)))
            await asyncio.sleep(5)
            assert len(await numbers(bus, "bad")) == 300 - died
            assert await keys_are_in_order(bus)
            await bus.publish(of("bad", range(300, 310)))
            await asyncio.sleep(5)
            assert len(await numbers(bus, "bad")) == 310 - died
            assert await keys_are_in_order(bus)
            assert not any(lag.behind for lag in await bus.lag())
            await process.end()

    virtual.run(main())


def test_an_account_that_dies_on_goes_aside_again() -> None:
    async def main() -> None:
        async with MemoryBus(clock=clock) as bus:
            store, reader = MemoryAsides(), Reader("bad")
            process = Process(bus, store, reader)
            await bus.publish(of("bad", range(300)))
            await asyncio.sleep(5)
            first = len(await letters(bus))
            store.release("bad", clock())
            await asyncio.sleep(5)
            assert (await store.accounts("reader"))["bad"].released_at is None
            again = await letters(bus)
            assert first < len(again) <= first + GUARD.run + 50
            assert len(set(again)) == len(again)
            await process.end()

    virtual.run(main())


def test_one_account_that_is_held_holds_up_no_other_released_one() -> None:
    async def main() -> None:
        async with MemoryBus(partitions=1, clock=clock) as bus:
            store, reader = MemoryAsides(), Reader("held", "mended")
            process = Process(bus, store, reader)
            for start in range(0, 300, 100):
                await bus.publish([*of("held", range(start, start + 100)), *of("mended", range(start, start + 100))])
                await asyncio.sleep(5)
            reader.bad.discard("mended")
            store.release("mended", clock())
            await asyncio.sleep(5)
            assert 200 < len(await numbers(bus, "mended")) < 300
            assert await numbers(bus, "held") == []
            assert await keys_are_in_order(bus)
            await process.end()

    virtual.run(main())


def test_a_lane_is_closed_and_its_group_forgotten_an_hour_after_the_release() -> None:
    async def main() -> None:
        async with MemoryBus(clock=clock) as bus:
            store, reader = MemoryAsides(), Reader("bad")
            processes = [Process(bus, store, reader), Process(bus, store, reader)]
            await bus.publish(of("bad", range(200)))
            await asyncio.sleep(5)
            assert {lag.group for lag in await bus.lag()} == {"reader", f"reader@bad@{AT:%Y%m%dT%H%M%S}"}
            reader.bad.clear()
            store.release("bad", clock())
            await asyncio.sleep(3500)
            assert len(await store.accounts("reader")) == 1
            await asyncio.sleep(200)
            assert await store.accounts("reader") == {}
            assert {lag.group for lag in await bus.lag()} == {"reader"}
            reader.bad.add("bad")
            await bus.publish(of("bad", range(200, 400)))
            await asyncio.sleep(5)
            assert len(await store.accounts("reader")) == 1
            for process in processes:
                await process.end()

    virtual.run(main())


def test_a_process_that_starts_anew_keeps_the_account_aside_and_its_order() -> None:
    async def main() -> None:
        async with MemoryBus(clock=clock) as bus:
            store, reader = MemoryAsides(), Reader("bad")
            process = Process(bus, store, reader)
            await bus.publish(of("bad", range(200)))
            await asyncio.sleep(5)
            died = len(await dead(bus))
            await process.end()
            reader.bad.clear()
            process = Process(bus, store, reader)
            await bus.publish(of("bad", range(200, 250)))
            await asyncio.sleep(5)
            assert await numbers(bus, "bad") == []
            await process.end()
            store.release("bad", clock())
            await bus.publish(of("bad", range(250, 300)))
            process = Process(bus, store, reader)
            await asyncio.sleep(5)
            assert len(await numbers(bus, "bad")) == 300 - died
            assert await keys_are_in_order(bus)
            await process.end()

    virtual.run(main())


GARBAGE, CITIZENS = 4_000, 20
"""Events a second."""
SECONDS = 20


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_however_much_garbage_one_account_brings_others_wait_less_than_a_second(processes: int) -> None:
    """The stage takes 1 ms an event: 1,000 a second, a quarter of the garbage."""
    delays: list[float] = []

    async def garbage(bus: MemoryBus) -> None:
        for start in range(0, SECONDS * GARBAGE, GARBAGE // 10):
            await bus.publish(of("bad", range(start, start + GARBAGE // 10)))
            await asyncio.sleep(0.1)

    async def citizens(bus: MemoryBus, sent: dict[int, float]) -> None:
        for number in range(SECONDS * CITIZENS):
            sent[number] = virtual.now()
            await bus.publish(of("good", [number]))
            await asyncio.sleep(1 / CITIZENS)

    async def watch(bus: MemoryBus, sent: dict[int, float]) -> None:
        async with bus.subscribe("messages", "watch") as batches:
            async for batch in batches:
                delays.extend(virtual.now() - sent[int(s.event().native_id)] for s in batch.events)  # type: ignore[attr-defined]
                await bus.commit(batch)

    async def main() -> None:
        sent: dict[int, float] = {}
        async with MemoryBus(partitions=2, clock=clock) as bus:
            store, reader = MemoryAsides(), Reader("bad", cost=0.001)
            pumps = [Process(bus, store, reader, size=500) for _ in range(processes)]
            watching = asyncio.create_task(watch(bus, sent))
            await asyncio.gather(garbage(bus), citizens(bus, sent))
            await asyncio.sleep(2)
            watching.cancel()
            for process in pumps:
                await process.end()

    virtual.run(main())
    assert len(delays) == SECONDS * CITIZENS
    assert max(delays) < 1.0


class Rebalancing(MemoryBus):
    """Partitions pass on at random, commits and publishes fail at random."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(3, clock=clock)
        self.chance = chance
        self.calm = False

    async def publish(self, events: Sequence[Event]) -> None:
        await asyncio.sleep(self.chance.choice((0, 0.001, 0.05)))
        if not self.calm and self.chance.random() < 0.1:
            await super().publish(events[: self.chance.randrange(len(events) + 1)])
            raise Retry("the broker went away")
        await super().publish(events)

    async def commit(self, batch: Batch) -> None:
        if not self.calm and self.chance.random() < 0.1:
            self.rebalance(batch.topic, batch.group)
        await super().commit(batch)


@pytest.mark.parametrize("slow_lane", [False, True], ids=["one lane", "two lanes"])
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 15))])
def test_no_schedule_reorders_or_loses_an_account_that_is_put_aside(seed: int, slow_lane: bool) -> None:
    """Three processes that come and go, an account that is bad and mended in turn, a bus that fails and rebalances."""
    chance = random.Random(seed)

    def process(bus: MemoryBus, store: MemoryAsides, reader: Reader) -> Process | HotProcess:
        return HotProcess(bus, store, reader, chance) if slow_lane else Process(bus, store, reader, size=17)

    async def main() -> None:
        bus = Rebalancing(chance)
        store, reader = MemoryAsides(), Reader(cost=0.002)
        processes = [process(bus, store, reader) for _ in range(3)]
        published = {"bad": 0, "good": 0}
        for _ in range(60):
            account = chance.choice(("bad", "bad", "good"))
            count = chance.randrange(1, 60)
            events = of(account, range(published[account], published[account] + count))
            await MemoryBus.publish(bus, events)
            published[account] += count
            if chance.random() < 0.2:
                reader.bad ^= {"bad"}
            if chance.random() < 0.2:
                store.release("bad", clock())
            if chance.random() < 0.2:
                old = processes.pop(0)
                await old.end()
                processes.append(process(bus, store, reader))
            await asyncio.sleep(chance.choice((0.01, 0.1, 1.0, 3.0)))
        reader.bad.clear()
        bus.calm = True
        for _ in range(4):
            store.release("bad", clock())
            await asyncio.sleep(20)
        for account, count in published.items():
            assert set(await numbers(bus, account)) | await dead(bus) >= set(range(count))
        assert await keys_are_in_order(bus)
        assert not any(lag.behind for lag in await bus.lag())
        for last in processes:
            await last.end()

    virtual.run(main())
