"""The spool: whatever the broker does, accepted events arrive, and in order."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest

from bus import Bus, MemoryBodyStore, MemoryBus, Spool, SqliteBus, StoredEvent, UnusableLog, _retention, spooled_events
from bus._drain import DrainSettings
from bus._spool_flags import SpoolFlags
from schemas import Dead, Raw, Reject, Retry
from tests.bus.events import AT, ids, raw, receipt
from tests.bus.faulty import Faulty, Mood
from tests.bus.leaks import nothing_left_open
from tests.bus.processes import process_of
from tests.bus.test_faults import full_disk

LONG_AGO = AT.replace(year=2020)
ROOM = 2**30
QUICK = DrainSettings(look_every=0.05, timeout=0.2, first_wait=0.01, longest_wait=0.05)


@pytest.fixture
async def remote() -> AsyncIterator[Faulty]:
    async with MemoryBus() as memory:
        yield Faulty(memory)


@pytest.fixture
async def spool(remote: Faulty, tmp_path: Path) -> AsyncIterator[Spool]:
    with nothing_left_open(tmp_path):
        async with opened(remote, tmp_path) as spool:
            yield spool


def opened(remote: Bus, folder: Path, limit: int = ROOM, within: float = 0.1) -> Spool:
    return Spool(remote, folder / "spool.db", limit, within=within, pace=QUICK)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await done():
            await asyncio.sleep(0.005)


async def drained(spool: Spool) -> None:
    async def empty() -> bool:
        spooled = await spool.spooled()
        return not spooled.spooling and not spooled.events

    await until(empty)


async def arrived(remote: Faulty) -> list[StoredEvent]:
    return [event async for event in remote.inner.read("raw", LONG_AGO)]


def first_ones(stored: list[StoredEvent]) -> dict[str, list[int]]:
    """By key, the numbers in the order in which each came for the first time."""
    found: dict[str, dict[int, None]] = {}
    for event, number in zip(stored, ids(stored), strict=True):
        found.setdefault(event.key, {})[number] = None
    return {key: list(numbers) for key, numbers in found.items()}


async def test_while_all_is_well_nothing_is_spooled(spool: Spool, remote: Faulty) -> None:
    await spool.publish([raw(1)])
    assert ids(await arrived(remote)) == [1]
    assert (await spool.spooled())[:4] == (False, 0, 0, None)


@pytest.mark.parametrize("mood", ["refuses", "hangs"])
async def test_case_13_an_unavailable_broker_closes_no_door(spool: Spool, remote: Faulty, mood: Mood) -> None:
    remote.mood = mood
    for number in range(20):
        await spool.publish([raw(number)])
    spooled = await spool.spooled()
    assert (spooled.spooling, spooled.events) == (True, 20)
    assert spooled.bytes > 0
    assert spooled.oldest is not None
    remote.mood = "well"
    await drained(spool)
    assert ids(await arrived(remote)) == list(range(20))


async def test_case_14_only_the_first_ones_wait_for_the_broker(spool: Spool, remote: Faulty) -> None:
    remote.mood = "hangs"
    await asyncio.gather(*(spool.publish([raw(n)]) for n in range(5)))
    later = [raw(number) for number in range(5, 55)]
    for one in later:
        await spool.publish([one])
    assert not [events for events in remote.asked if events in [[one] for one in later]]
    assert (await spool.spooled()).events == 55


async def test_an_event_that_arrives_too_late_is_there_twice_and_in_order(spool: Spool, remote: Faulty) -> None:
    remote.mood = "late"
    await spool.publish([raw(1)])
    await spool.publish([raw(2)])
    remote.mood = "well"
    await drained(spool)
    assert first_ones(await arrived(remote)) == {raw(1).key: [1, 2]}


async def test_everything_goes_through_the_spool_until_it_is_empty(spool: Spool, remote: Faulty) -> None:
    remote.mood = "refuses"
    await spool.publish([raw(0)])
    straight = remote.inner.publish
    held = asyncio.Event()

    async def slow(events: list[Raw]) -> None:
        await held.wait()
        await straight(events)

    remote.inner.publish = slow  # type: ignore[method-assign,assignment]
    remote.mood = "well"
    for number in range(1, 10):
        await spool.publish([raw(number)])
    assert await arrived(remote) == []
    held.set()
    await drained(spool)
    await spool.publish([raw(10)])
    assert first_ones(await arrived(remote)) == {raw(0).key: list(range(11))}


async def test_a_steady_stream_goes_straight_again(spool: Spool, remote: Faulty) -> None:
    """The spool would never be found empty without the pause."""
    remote.mood = "refuses"
    over = asyncio.Event()
    sent = []

    async def citizen(which: int) -> None:
        for number in range(which, 1_000_000, 20):
            if over.is_set():
                return
            await spool.publish([raw(number, str(which))])
            sent.append(number)

    async with asyncio.TaskGroup() as tasks:
        for which in range(20):
            tasks.create_task(citizen(which))
        await until(_counted(sent, 500))
        remote.mood = "well"

        async def straight() -> bool:
            return not (await spool.spooled()).spooling

        await until(straight)
        await until(_counted(sent, len(sent) + 200))
        over.set()
    await drained(spool)
    firsts = first_ones(await arrived(remote))
    assert sorted(n for numbers in firsts.values() for n in numbers) == sorted(sent)
    assert all(numbers == sorted(numbers) for numbers in firsts.values())


def _counted(sent: list[int], many: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(sent) >= many

    return enough


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
async def test_case_24_random_faults_lose_nothing_and_reorder_nothing(
    remote: Faulty, tmp_path: Path, seed: int
) -> None:
    """Two doors on one folder, a broker that changes its mind; doors that close and open again."""
    chance = random.Random(seed)
    accepted: dict[str, list[int]] = {str(which): [] for which in range(12)}
    over = asyncio.Event()
    doors: list[Spool] = []

    async def citizen(which: str) -> None:
        mine = random.Random(f"{seed} {which}")
        for number in range(100_000):
            if over.is_set():
                return
            door = mine.choice(doors)
            try:
                await door.publish([raw(number, which)])
            except Retry:
                continue
            accepted[which].append(number)
            await asyncio.sleep(mine.choice((0, 0, 0.001, 0.01)))

    async with opened(remote, tmp_path, within=0.03) as one, opened(remote, tmp_path, within=0.03) as two:
        doors += [one, two]
        async with asyncio.TaskGroup() as tasks:
            for which in accepted:
                tasks.create_task(citizen(which))
            for _ in range(25):
                remote.mood = chance.choice(("well", "well", "refuses", "hangs", "late"))
                await asyncio.sleep(chance.uniform(0.01, 0.12))
            over.set()
            remote.mood = "well"
        await drained(one)
        await drained(two)
    firsts = first_ones(await arrived(remote))
    for which, numbers in accepted.items():
        assert len(numbers) > 10
        found = firsts[raw(0, which).key]
        assert set(numbers) <= set(found)
        assert found == sorted(found)


async def test_a_flag_cleared_during_an_append_is_set_before_publish_returns(
    spool: Spool, remote: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = spool._local.publish

    async def overtaken(events: list[Raw]) -> None:
        await spool._local.when_done("raw", "drain", lambda: setattr(spool._flags, "spooling", False))
        await append(events)

    monkeypatch.setattr(spool._local, "publish", overtaken)
    remote.mood = "refuses"
    await spool.publish([raw(1)])
    remote.mood = "hangs"
    assert (await spool.spooled()).spooling


async def test_another_door_of_the_folder_spools_too(remote: Faulty, tmp_path: Path) -> None:
    async with opened(remote, tmp_path) as one, opened(remote, tmp_path) as two:
        remote.mood = "refuses"
        await one.publish([raw(1)])
        calls = remote.calls
        await two.publish([raw(2)])
        assert (await two.spooled()).events == 2
        assert remote.calls - calls <= 3  # the drain's own tries
        remote.mood = "well"
        await drained(one)
        await drained(two)
    assert ids(await arrived(remote)) == [1, 2]


async def test_events_left_in_the_spool_are_drained_by_the_next_process(remote: Faulty, tmp_path: Path) -> None:
    remote.mood = "refuses"
    async with opened(remote, tmp_path) as spool:
        await spool.publish([raw(1)])
    (tmp_path / "spool.db.flags").unlink()  # as a power cut may leave it
    assert spooled_events(tmp_path / "spool.db") == 1
    async with opened(remote, tmp_path) as spool:
        await spool.publish([raw(2)])
        assert (await spool.spooled()).events == 2
        remote.mood = "well"
        await drained(spool)
    assert ids(await arrived(remote)) == [1, 2]
    assert spooled_events(tmp_path / "spool.db") == 0
    assert spooled_events(tmp_path / "none.db") == 0


async def test_flags_that_a_killed_process_left_set_are_cleared(remote: Faulty, tmp_path: Path) -> None:
    with SpoolFlags(tmp_path / "spool.db.flags") as flags:
        flags.spooling = flags.pausing = True
    async with opened(remote, tmp_path) as spool:
        await drained(spool)
        await spool.publish([raw(1)])
    assert ids(await arrived(remote)) == [1]


async def test_the_spool_has_a_limit_and_takes_again_when_there_is_room(remote: Faulty, tmp_path: Path) -> None:
    remote.mood = "refuses"
    accepted = []
    async with opened(remote, tmp_path, limit=400_000) as spool:

        async def full() -> bool:
            try:
                await spool.publish([raw(len(accepted), body=b"x" * 20_000)])
            except Retry:
                return True
            accepted.append(len(accepted))
            return False

        await until(full)
        assert 5 < len(accepted) < 40
        with pytest.raises(Retry, match="the spool is full"):
            await spool.publish([])
        remote.mood = "well"
        await drained(spool)
        await spool.publish([raw(1000)])
        assert ids(await arrived(remote)) == [*accepted, 1000]


async def test_the_file_shrinks_when_it_is_drained(remote: Faulty, tmp_path: Path) -> None:
    remote.mood = "refuses"
    async with opened(remote, tmp_path) as spool:
        for number in range(100):
            await spool.publish([raw(number, body=b"x" * 100_000)])
        remote.mood = "well"
        await drained(spool)

        async def small() -> bool:
            return _retention.count_pages(spool._local._reads) < 50

        await until(small)
    assert (tmp_path / "spool.db").stat().st_size < 500_000


async def test_a_full_disk_is_reported_and_loses_nothing(spool: Spool, remote: Faulty, tmp_path: Path) -> None:
    remote.mood = "refuses"
    await spool.publish([raw(0)])
    with full_disk(tmp_path / "spool.db"), pytest.raises(Retry, match="cannot be written"):
        await spool.publish([raw(1, body=b"x" * 500_000)])
    await spool.publish([raw(2)])
    remote.mood = "well"
    await drained(spool)
    assert ids(await arrived(remote)) == [0, 2]


async def test_a_blink_on_a_full_disk_does_not_close_the_door_for_good(
    spool: Spool, remote: Faulty, tmp_path: Path
) -> None:
    with full_disk(tmp_path / "spool.db"):
        remote.mood = "refuses"
        with pytest.raises(Retry):
            await spool.publish([raw(1, body=b"x" * 500_000)])
        remote.mood = "well"
        await drained(spool)
        await spool.publish([raw(2, body=b"x" * 500_000)])
    assert ids(await arrived(remote)) == [2]


async def test_too_large_is_too_large_straight_or_spooled(spool: Spool, remote: Faulty) -> None:
    for mood in ("well", "refuses"):
        remote.mood = mood  # type: ignore[assignment]
        with pytest.raises(Reject, match="too_large"):
            await spool.publish([raw(1, body=b"x" * 1_100_000)])
        await spool.publish([raw(2)])


async def test_a_record_that_the_broker_rejects_blocks_none_behind_it(spool: Spool, remote: Faulty) -> None:
    remote.mood = "refuses"
    for number in range(3):
        await spool.publish([raw(number)])
    straight = remote.inner.publish

    async def picky(events: list[Raw]) -> None:
        if any(event.topic == "raw" and event.id == "1" for event in events):
            raise Reject("too_large", "for this broker")
        await straight(events)

    remote.inner.publish = picky  # type: ignore[method-assign,assignment]
    remote.mood = "well"
    await drained(spool)
    assert ids(await arrived(remote)) == [0, 2]
    dead = [event async for event in remote.inner.read("dead", LONG_AGO)]
    assert len(dead) == 1
    assert isinstance(letter := dead[0].event(), Dead)
    assert (letter.code, letter.detail, letter.raw) == ("too_large", "for this broker", "1")


async def test_a_slow_broker_gets_through_a_batch_that_goes_singly(spool: Spool, remote: Faulty) -> None:
    remote.mood = "refuses"
    for number in range(8):
        await spool.publish([raw(number)])
    straight = remote.inner.publish

    async def slow(events: list[Raw]) -> None:
        if len(events) > 1:
            raise Reject("too_large", "one of them")
        await asyncio.sleep(0.05)
        await straight(events)

    remote.inner.publish = slow  # type: ignore[method-assign,assignment]
    remote.mood = "well"
    await drained(spool)
    assert ids(await arrived(remote)) == list(range(8))


async def test_a_large_event_goes_through_the_spool_by_reference(tmp_path: Path) -> None:
    bodies = MemoryBodyStore()
    async with MemoryBus(bodies=bodies) as memory:
        remote = Faulty(memory, "refuses")
        async with Spool(remote, tmp_path / "spool.db", ROOM, bodies=bodies, within=0.1, pace=QUICK) as spool:
            await spool.publish([raw(1, body=b"x" * 3_000_000)])
            assert (await spool.spooled()).bytes < 500_000
            remote.mood = "well"
            await drained(spool)
        (stored,) = await arrived(remote)
    assert stored.event() == raw(1, body=b"x" * 3_000_000)


async def test_only_what_doors_publish_is_spooled(spool: Spool, remote: Faulty) -> None:
    remote.mood = "refuses"
    with pytest.raises(Retry, match="the broker is unavailable"):
        await spool.publish([receipt()])
    await drained(spool)


async def test_publishing_nothing_tells_whether_events_would_be_accepted(spool: Spool, remote: Faulty) -> None:
    await spool.publish([])
    remote.mood = "hangs"
    await spool.publish([])
    await spool.publish([raw(1)])
    await spool.publish([])
    assert await arrived(remote) == []


async def test_a_publish_whose_caller_was_cancelled_is_drained_all_the_same(spool: Spool, remote: Faulty) -> None:
    remote.mood = "hangs"
    await spool.publish([raw(1)])
    gone = asyncio.create_task(spool.publish([raw(2)]))
    await asyncio.sleep(0)
    gone.cancel()
    remote.mood = "well"
    await drained(spool)
    assert ids(await arrived(remote)) in ([1], [1, 2])


async def test_everything_else_is_asked_of_the_far_bus(spool: Spool, remote: Faulty) -> None:
    await spool.publish([raw(1)])
    async with spool.subscribe("raw", "reader") as batches:
        batch = await anext(batches)
        await spool.commit(batch)
    assert [lag.group for lag in await spool.lag() if not lag.behind] == ["reader"] * 4
    assert ids([event async for event in spool.read("raw", LONG_AGO)]) == [1]


async def test_a_spool_that_cannot_be_used_is_one_clear_error(remote: Faulty, tmp_path: Path) -> None:
    (tmp_path / "spool.db.flags").mkdir()
    with pytest.raises(UnusableLog, match=r"spool\.db\.flags cannot be written"):
        async with opened(remote, tmp_path):
            pass


def door(folder: Path, lane: str, first: int) -> AbstractAsyncContextManager[Process]:
    """Publishes through a spool, numbered."""
    return process_of("tests.bus.spooler", folder, lane, str(first))


async def lives(folder: Path, lane: str, offset: int) -> tuple[list[int], int]:
    """One door after another, each killed while it publishes and drains; the accepted numbers, and how often events
    were left in the spool."""
    accepted: list[int] = []
    left = 0
    for life in range(offset, offset + 6):
        async with door(folder, lane, life * 100_000) as process:
            assert process.stdout
            for _ in range(60):
                accepted.append(int(await asyncio.wait_for(process.stdout.readline(), 20)))
            process.kill()
            rest, _ = await process.communicate()
            accepted += [int(number) for number in rest.split()]
        left += spooled_events(folder / "spool.db") > 0
    return accepted, left


@pytest.mark.slow
async def test_case_24_kills_in_the_middle_of_a_drain_lose_nothing(tmp_path: Path) -> None:
    """Two doors on one folder; the remote bus is a file, as a broker would outlive them."""
    (one, left), (two, _) = await asyncio.gather(lives(tmp_path, "a", 0), lives(tmp_path, "b", 100))
    assert left > 0
    async with SqliteBus(tmp_path / "far.db") as bus:
        async with opened(bus, tmp_path) as spool:
            await drained(spool)
        stored = [event async for event in bus.read("raw", LONG_AGO)]
    firsts = first_ones(stored)
    assert {n for numbers in firsts.values() for n in numbers} >= {*one, *two}
    assert all(numbers == sorted(numbers) for numbers in firsts.values())
    with closing(sqlite3.connect(tmp_path / "spool.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
