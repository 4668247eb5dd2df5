"""The spool: whatever the broker does, what was accepted arrives, and in order."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bus import Bus, MemoryBus, Spool, SqliteBus, Stored, UnusableLog, _drain, _retention, spooled_events
from bus._spool_flags import Gate
from schemas import Raw, Receipt, Reject, Retry
from tests.bus.events import AT, ids, raw
from tests.bus.faulty import Faulty, Mood
from tests.bus.leaks import nothing_left_open
from tests.bus.test_faults import full_disk

LONG_AGO = AT.replace(year=2020)
ROOM = 2**30


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_drain, "LOOK", 0.05)
    monkeypatch.setattr(_drain, "PATIENCE", 0.2)
    monkeypatch.setattr(_drain, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(_drain, "LONGEST_WAIT", 0.05)


@pytest.fixture
async def far() -> AsyncIterator[Faulty]:
    async with MemoryBus() as memory:
        yield Faulty(memory)


@pytest.fixture
async def spool(far: Faulty, tmp_path: Path) -> AsyncIterator[Spool]:
    with nothing_left_open(tmp_path):
        async with opened(far, tmp_path) as spool:
            yield spool


def opened(far: Bus, folder: Path, limit: int = ROOM, within: float = 0.1) -> Spool:
    return Spool(far, folder / "spool.db", limit, within=within)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await done():
            await asyncio.sleep(0.005)


async def drained(spool: Spool) -> None:
    async def empty() -> bool:
        spooled = await spool.spooled()
        return not spooled.spooling and not spooled.events

    await until(empty)


async def arrived(far: Faulty) -> list[Stored]:
    return [event async for event in far.inner.read("raw", LONG_AGO)]


def first_ones(stored: list[Stored]) -> dict[str, list[int]]:
    """By key, the numbers in the order in which each came for the first time."""
    found: dict[str, dict[int, None]] = {}
    for event, number in zip(stored, ids(stored), strict=True):
        found.setdefault(event.key, {})[number] = None
    return {key: list(numbers) for key, numbers in found.items()}


async def test_while_all_is_well_nothing_is_spooled(spool: Spool, far: Faulty) -> None:
    await spool.publish([raw(1)])
    assert ids(await arrived(far)) == [1]
    assert (await spool.spooled())[:4] == (False, 0, 0, None)


@pytest.mark.parametrize("mood", ["refuses", "hangs"])
async def test_case_13_a_broker_that_is_away_closes_no_door(spool: Spool, far: Faulty, mood: Mood) -> None:
    far.mood = mood
    for number in range(20):
        await spool.publish([raw(number)])
    spooled = await spool.spooled()
    assert (spooled.spooling, spooled.events) == (True, 20)
    assert spooled.bytes > 0
    assert spooled.oldest is not None
    far.mood = "well"
    await drained(spool)
    assert ids(await arrived(far)) == list(range(20))


async def test_case_14_only_the_first_ones_wait_for_the_broker(spool: Spool, far: Faulty) -> None:
    far.mood = "hangs"
    await asyncio.gather(*(spool.publish([raw(n)]) for n in range(5)))
    started = time.monotonic()
    for number in range(5, 55):
        await spool.publish([raw(number)])
    assert time.monotonic() - started < 50 * 0.1
    assert (await spool.spooled()).events == 55


async def test_what_arrives_too_late_is_there_twice_and_in_order(spool: Spool, far: Faulty) -> None:
    far.mood = "late"
    await spool.publish([raw(1)])
    await spool.publish([raw(2)])
    far.mood = "well"
    await drained(spool)
    assert first_ones(await arrived(far)) == {raw(1).key: [1, 2]}


async def test_everything_goes_through_the_spool_until_it_is_empty(spool: Spool, far: Faulty) -> None:
    far.mood = "refuses"
    await spool.publish([raw(0)])
    straight = far.inner.publish
    held = asyncio.Event()

    async def slow(events: list[Raw]) -> None:
        await held.wait()
        await straight(events)

    far.inner.publish = slow  # type: ignore[method-assign,assignment]
    far.mood = "well"
    for number in range(1, 10):
        await spool.publish([raw(number)])
    assert await arrived(far) == []
    held.set()
    await drained(spool)
    await spool.publish([raw(10)])
    assert first_ones(await arrived(far)) == {raw(0).key: list(range(11))}


async def test_a_steady_stream_goes_straight_again(spool: Spool, far: Faulty) -> None:
    """The spool would never be found empty, were nobody held."""
    far.mood = "refuses"
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
        far.mood = "well"

        async def straight() -> bool:
            return not (await spool.spooled()).spooling

        await until(straight)
        await until(_counted(sent, len(sent) + 200))
        over.set()
    await drained(spool)
    firsts = first_ones(await arrived(far))
    assert sorted(n for numbers in firsts.values() for n in numbers) == sorted(sent)
    assert all(numbers == sorted(numbers) for numbers in firsts.values())


def _counted(sent: list[int], many: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(sent) >= many

    return enough


@pytest.mark.parametrize("seed", range(4))
async def test_case_24_random_faults_lose_nothing_and_reorder_nothing(far: Faulty, tmp_path: Path, seed: int) -> None:
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

    async with opened(far, tmp_path, within=0.03) as one, opened(far, tmp_path, within=0.03) as two:
        doors += [one, two]
        async with asyncio.TaskGroup() as tasks:
            for which in accepted:
                tasks.create_task(citizen(which))
            for _ in range(25):
                far.mood = chance.choice(("well", "well", "refuses", "hangs", "late"))
                await asyncio.sleep(chance.uniform(0.01, 0.12))
            over.set()
            far.mood = "well"
        await drained(one)
        await drained(two)
    firsts = first_ones(await arrived(far))
    for which, numbers in accepted.items():
        assert len(numbers) > 10
        found = firsts[raw(0, which).key]
        assert set(numbers) <= set(found)
        assert found == sorted(found)


async def test_a_way_opened_while_an_append_was_under_way_is_shut_before_it_is_told(
    spool: Spool, far: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = spool._near.publish

    async def overtaken(events: list[Raw]) -> None:
        await spool._near.when_done("raw", "drain", lambda: setattr(spool._gate, "spooling", False))
        await append(events)

    monkeypatch.setattr(spool._near, "publish", overtaken)
    far.mood = "refuses"
    await spool.publish([raw(1)])
    far.mood = "hangs"
    assert (await spool.spooled()).spooling


async def test_another_door_of_the_folder_spools_too(far: Faulty, tmp_path: Path) -> None:
    async with opened(far, tmp_path) as one, opened(far, tmp_path) as two:
        far.mood = "refuses"
        await one.publish([raw(1)])
        calls = far.calls
        await two.publish([raw(2)])
        assert (await two.spooled()).events == 2
        assert far.calls - calls <= 3  # the drain's own tries
        far.mood = "well"
        await drained(one)
        await drained(two)
    assert ids(await arrived(far)) == [1, 2]


async def test_what_was_left_is_drained_by_the_next_one(far: Faulty, tmp_path: Path) -> None:
    far.mood = "refuses"
    async with opened(far, tmp_path) as spool:
        await spool.publish([raw(1)])
    (tmp_path / "spool.db.gate").unlink()  # as a power cut may leave it
    assert spooled_events(tmp_path / "spool.db") == 1
    async with opened(far, tmp_path) as spool:
        await spool.publish([raw(2)])
        assert (await spool.spooled()).events == 2
        far.mood = "well"
        await drained(spool)
    assert ids(await arrived(far)) == [1, 2]
    assert spooled_events(tmp_path / "spool.db") == 0
    assert spooled_events(tmp_path / "none.db") == 0


async def test_a_gate_left_open_by_the_killed_is_closed(far: Faulty, tmp_path: Path) -> None:
    with Gate(tmp_path / "spool.db.gate") as gate:
        gate.spooling = gate.holding = True
    async with opened(far, tmp_path) as spool:
        await drained(spool)
        await spool.publish([raw(1)])
    assert ids(await arrived(far)) == [1]


async def test_the_spool_has_a_limit_and_takes_again_when_there_is_room(far: Faulty, tmp_path: Path) -> None:
    far.mood = "refuses"
    accepted = []
    async with opened(far, tmp_path, limit=400_000) as spool:

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
        far.mood = "well"
        await drained(spool)
        await spool.publish([raw(1000)])
        assert ids(await arrived(far)) == [*accepted, 1000]


async def test_the_file_shrinks_when_it_is_drained(far: Faulty, tmp_path: Path) -> None:
    far.mood = "refuses"
    async with opened(far, tmp_path) as spool:
        for number in range(100):
            await spool.publish([raw(number, body=b"x" * 100_000)])
        far.mood = "well"
        await drained(spool)

        async def small() -> bool:
            return _retention.pages(spool._near._reads) < 50

        await until(small)
    assert (tmp_path / "spool.db").stat().st_size < 500_000


async def test_a_full_disk_is_told_and_loses_nothing(spool: Spool, far: Faulty, tmp_path: Path) -> None:
    far.mood = "refuses"
    await spool.publish([raw(0)])
    with full_disk(tmp_path / "spool.db"), pytest.raises(Retry, match="cannot be written"):
        await spool.publish([raw(1, body=b"x" * 500_000)])
    await spool.publish([raw(2)])
    far.mood = "well"
    await drained(spool)
    assert ids(await arrived(far)) == [0, 2]


async def test_a_blink_on_a_full_disk_does_not_close_the_door_for_good(
    spool: Spool, far: Faulty, tmp_path: Path
) -> None:
    with full_disk(tmp_path / "spool.db"):
        far.mood = "refuses"
        with pytest.raises(Retry):
            await spool.publish([raw(1, body=b"x" * 500_000)])
        far.mood = "well"
        await drained(spool)
        await spool.publish([raw(2, body=b"x" * 500_000)])
    assert ids(await arrived(far)) == [2]


async def test_too_large_is_too_large_straight_or_spooled(spool: Spool, far: Faulty) -> None:
    for mood in ("well", "refuses"):
        far.mood = mood  # type: ignore[assignment]
        with pytest.raises(Reject, match="too large"):
            await spool.publish([raw(1, body=b"x" * 800_000)])
        await spool.publish([raw(2)])


async def test_what_the_broker_refuses_for_good_stands_in_nobodys_way(spool: Spool, far: Faulty) -> None:
    far.mood = "refuses"
    for number in range(3):
        await spool.publish([raw(number)])
    straight = far.inner.publish

    async def picky(events: list[Raw]) -> None:
        if any(event.topic == "raw" and event.id == "1" for event in events):
            raise Reject("too large for this broker")
        await straight(events)

    far.inner.publish = picky  # type: ignore[method-assign,assignment]
    far.mood = "well"
    await drained(spool)
    assert ids(await arrived(far)) == [0, 2]
    dead = [event async for event in far.inner.read("dead", LONG_AGO)]
    assert len(dead) == 1
    assert b"too large for this broker" in dead[0].value


async def test_a_slow_broker_gets_through_a_batch_that_goes_singly(
    spool: Spool, far: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus._drain.PATIENCE", 0.2)
    far.mood = "refuses"
    for number in range(8):
        await spool.publish([raw(number)])
    straight = far.inner.publish

    async def slow(events: list[Raw]) -> None:
        if len(events) > 1:
            raise Reject("one of them is too large for this broker")
        await asyncio.sleep(0.05)
        await straight(events)

    far.inner.publish = slow  # type: ignore[method-assign,assignment]
    far.mood = "well"
    await drained(spool)
    assert ids(await arrived(far)) == list(range(8))


async def test_only_what_doors_publish_is_spooled(spool: Spool, far: Faulty) -> None:
    far.mood = "refuses"
    receipt = Receipt(account="sms", channel="sms", state="delivered", at=AT, native_id="1")
    with pytest.raises(Retry, match="the broker is away"):
        await spool.publish([receipt])
    await drained(spool)


async def test_whoever_asks_for_nothing_hears_whether_it_would_be_kept(spool: Spool, far: Faulty) -> None:
    await spool.publish([])
    far.mood = "hangs"
    await spool.publish([])
    await spool.publish([raw(1)])
    await spool.publish([])
    assert await arrived(far) == []


async def test_a_publish_whose_caller_has_gone_is_drained_all_the_same(spool: Spool, far: Faulty) -> None:
    far.mood = "hangs"
    await spool.publish([raw(1)])
    gone = asyncio.create_task(spool.publish([raw(2)]))
    await asyncio.sleep(0)
    gone.cancel()
    far.mood = "well"
    await drained(spool)
    assert ids(await arrived(far)) in ([1], [1, 2])


async def test_everything_else_is_asked_of_the_far_bus(spool: Spool, far: Faulty) -> None:
    await spool.publish([raw(1)])
    async with spool.subscribe("raw", "reader") as batches:
        batch = await anext(batches)
        await spool.commit(batch)
    assert [lag.group for lag in await spool.lag() if not lag.behind] == ["reader"] * 4
    assert ids([event async for event in spool.read("raw", LONG_AGO)]) == [1]


async def test_a_spool_that_cannot_be_used_is_one_clear_error(far: Faulty, tmp_path: Path) -> None:
    (tmp_path / "spool.db.gate").mkdir()
    with pytest.raises(UnusableLog, match=r"spool\.db\.gate cannot be written"):
        async with opened(far, tmp_path):
            pass


@asynccontextmanager
async def door(folder: Path, lane: str, first: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bus.spooler", folder, lane, str(first), stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lives(folder: Path, lane: str, offset: int) -> tuple[list[int], int]:
    """One door after another, each killed while it publishes and drains; what was accepted, and how often something was
    left in the spool."""
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
    """Two doors on one folder; the far bus is a file, as a broker would outlive them."""
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
