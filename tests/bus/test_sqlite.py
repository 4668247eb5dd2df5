"""What the SQLite log promises beyond the contract: its file, its places, its retention, its faults."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bus import GroupInUse, PartitionLag, SqliteBus, Turnstile, _log, forget_group
from schemas import Retry
from tests.bus.events import citizens, consume, everything, ids, in_order, message, raw, soon

DAY = timedelta(days=1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


def ask(log: Path, question: str) -> object:
    """The answer that another connection gets."""
    with closing(sqlite3.connect(log)) as connection:
        return connection.execute(question).fetchone()[0]


def stored(log: Path, topic: str = "raw") -> int:
    """Events that lie in the file."""
    return sum(int(str(ask(log, f"SELECT count(*) FROM log_{topic}_{n}"))) for n in range(4))


async def test_the_file_is_laid_out_for_many_writers(log: Path) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish([raw(1)])
        assert ask(log, "PRAGMA journal_mode") == "wal"
        assert ask(log, "PRAGMA auto_vacuum") == 2
        pragmas = "synchronous", "wal_autocheckpoint"
        assert [await bus._writer.do(lambda c, p=p: c.execute(f"PRAGMA {p}").fetchone()[0]) for p in pragmas] == [2, 0]
    assert log.stat().st_mode & 0o777 == 0o600


async def test_the_log_is_still_there_when_it_is_opened_again(log: Path) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish(citizens(20))
    async with SqliteBus(log) as bus:
        assert sorted(ids(await everything(bus, "reader", 20))) == list(range(20))


async def test_the_stored_number_of_partitions_wins(log: Path) -> None:
    async with SqliteBus(log, partitions=3) as bus:
        await bus.publish(citizens(20))
    async with SqliteBus(log, partitions=8) as bus:
        assert bus.partitions == 3
        await bus.publish(citizens(20))
        assert {event.partition for event in await everything(bus, "reader", 40)} == {0, 1, 2}


async def test_offsets_go_on_after_everything_was_removed(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, clock=clock) as bus:
        await bus.publish([raw(1)])
        (first,) = await everything(bus, "reader", 1)
        clock.time += 91 * DAY
        assert await bus.tidy() == 1
    async with SqliteBus(log, clock=clock) as bus:
        await bus.publish([raw(2)])
        (second,) = await everything(bus, "reader", 1)
    assert second.offset == first.offset + 1


async def test_events_older_than_ninety_days_are_removed(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, clock=clock) as bus:
        for number in range(4):
            await bus.publish([raw(number)])
            clock.time += 30 * DAY
        await everything(bus, "reader", 4)
        assert await bus.tidy() == 1
        assert ids(await everything(bus, "late", 3)) == [1, 2, 3]


async def test_retention_never_passes_a_groups_offset(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, clock=clock) as bus:
        await bus.publish(citizens(40))
        await everything(bus, "reader", 40)
        async with bus.subscribe("raw", "ledger", size=10) as batches:
            done = await consume(bus, batches, 10)
        clock.time += 365 * DAY
        assert await bus.tidy() == len(done)
        assert sorted(ids(done) + ids(await everything(bus, "ledger", 30))) == list(range(40))


async def test_much_is_removed_in_slices_and_the_disk_has_its_pages_back(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, clock=clock) as bus:
        await bus.publish([raw(n, body=b"x" * 3000) for n in range(2500)])
        clock.time += 91 * DAY
        assert await bus.tidy() == 2500
        assert int(str(ask(log, "PRAGMA page_count"))) < 100


async def test_a_log_that_is_too_large_loses_its_oldest(log: Path) -> None:
    async with SqliteBus(log, max_bytes=3_500_000) as bus:
        for start in range(0, 4000, 1000):
            await bus.publish([raw(n, body=b"x" * 1000) for n in range(start, start + 1000)])
        assert await bus.tidy() == 2000
        left = [event async for event in bus.read("raw", datetime(2020, 1, 1, tzinfo=UTC))]
    assert ids(left) == list(range(2000, 4000))


async def test_a_clock_that_jumps_back_hides_nothing_from_a_reader(log: Path) -> None:
    clock = Clock()
    since = clock.time
    async with SqliteBus(log, clock=clock) as bus:
        await bus.publish([raw(1)])
        clock.time -= DAY
        await bus.publish([raw(2)])
        assert ids([event async for event in bus.read("raw", since)]) == [1, 2]


async def test_a_clock_that_was_ahead_hides_no_lag(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, partitions=1, clock=clock) as bus:
        await everything(bus, "reader", 0)
        clock.time += DAY
        await bus.publish([raw(1)])
        clock.time -= DAY
        await everything(bus, "reader", 1)
        await bus.publish([raw(2)])
        written = clock.time
        clock.time += timedelta(minutes=5)
        (lag,) = await bus.lag()
        assert lag == PartitionLag("raw", "reader", 0, 1, 1, written)


async def test_a_forgotten_group_pins_the_log_no_more(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, clock=clock) as bus:
        await bus.publish(citizens(40))
        await everything(bus, "reader", 40)
        async with bus.subscribe("raw", "renamed", size=10) as batches:
            await soon(batches)
        clock.time += 365 * DAY
        assert await bus.tidy() == 0
        assert await forget_group(bus, "renamed") == 4
        assert await bus.tidy() == 40


async def test_a_group_that_another_process_reads_for_is_not_forgotten(log: Path) -> None:
    async with SqliteBus(log) as one, SqliteBus(log) as two:
        await one.publish([raw(1)])
        async with two.subscribe("raw", "reader") as batches:
            await two.commit(await soon(batches))
            with pytest.raises(GroupInUse):
                await forget_group(one, "reader")
        assert await forget_group(one, "reader") == 4


async def test_reading_since_finds_the_instant_among_many(log: Path) -> None:
    clock = Clock()
    async with SqliteBus(log, clock=clock) as bus:
        for start in range(0, 3000, 100):
            await bus.publish([raw(number) for number in range(start, start + 100)])
            clock.time += timedelta(minutes=1)
        since = clock.time - timedelta(minutes=7)
        assert ids([event async for event in bus.read("raw", since)]) == list(range(2300, 3000))


async def test_no_question_reads_a_whole_table(log: Path) -> None:
    asked: list[str] = []
    async with SqliteBus(log) as bus:
        bus._reads.set_trace_callback(asked.append)
        await bus.publish(citizens(100))
        await everything(bus, "reader", 100)
        await bus.lag()
        await bus.tidy()
        assert [event async for event in bus.read("raw", datetime.now(UTC))] == []
        bus._reads.set_trace_callback(None)
        plans = [
            (question, row[3])
            for question in {q for q in asked if q.startswith("SELECT")}
            for row in bus._reads.execute(f"EXPLAIN QUERY PLAN {question}")
        ]
    assert len(plans) > 5
    # min and max read one end of the table, and show as a search; so does "the first row that"
    assert not [plan for plan in plans if "SCAN log_" in plan[1] and "LIMIT 1" not in plan[0]]


async def test_a_page_of_large_events_ends_early(log: Path) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish([raw(n, body=b"x" * 400_000) for n in range(40)])
        async with bus.subscribe("raw", "reader") as batches:
            batch = await soon(batches)
            assert sum(len(event.value) for event in batch.events) < _log.PAGE_BYTES + 700_000
            await bus.commit(batch)
            assert len(await consume(bus, batches, 40 - len(batch.events))) == 40 - len(batch.events)


async def test_many_calls_share_a_sync(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = []
    enter = Turnstile.__enter__
    async with SqliteBus(log) as bus:
        monkeypatch.setattr(Turnstile, "__enter__", lambda self: turns.append(enter(self)))
        await asyncio.gather(*(bus.publish([event]) for event in citizens(200)))
        monkeypatch.undo()
    assert 1 <= len(turns) < 20


def _full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_the_writer_goes_on_where_it_cannot_sleep(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faketime(seconds: float) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("bus._writer.time.sleep", faketime)
    async with SqliteBus(log) as bus:
        for n in range(2):
            async with asyncio.timeout(5):
                await asyncio.gather(*(bus.publish([raw(n * 8 + one)]) for one in range(8)))
    assert stored(log) == 16


async def test_a_stage_publishes_and_commits_in_one_transaction(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with SqliteBus(log) as bus, bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        batch = await soon(batches)
        with monkeypatch.context() as patched:
            patched.setattr(_log, "append_events", _full)
            with pytest.raises(Retry):
                await bus.publish_with_commit([message(raw(1))], batch)
        assert [lag.behind for lag in await bus.lag() if lag.behind] == [1]
        turns = []
        enter = Turnstile.__enter__
        monkeypatch.setattr(Turnstile, "__enter__", lambda self: turns.append(enter(self)))
        assert await bus.publish_with_commit([message(raw(1))], batch)
        assert (len(turns), [lag.behind for lag in await bus.lag() if lag.behind]) == (1, [])
    assert stored(log, "messages") == 1


@pytest.mark.slow
async def test_the_wal_does_not_grow_without_end(log: Path) -> None:
    async with SqliteBus(log) as bus:
        for _ in range(60):
            await bus.publish([raw(n, body=b"x" * 2000) for n in range(500)])
        assert Path(f"{log}-wal").stat().st_size < 20_000_000


async def test_two_buses_on_one_file_share_a_group(log: Path) -> None:
    async with SqliteBus(log) as one, SqliteBus(log) as two:
        await one.publish(citizens(200))
        async with one.subscribe("raw", "reader", size=5) as here, two.subscribe("raw", "reader", size=5) as there:
            events = []
            async with asyncio.timeout(20):
                while len(events) < 200:
                    await asyncio.gather(_some(one, here, events), _some(two, there, events))
    assert sorted(ids(events)) == list(range(200))
    assert in_order(events)


async def _some(bus: SqliteBus, batches: object, events: list) -> None:  # type: ignore[type-arg]
    try:
        batch = await asyncio.wait_for(anext(batches), 0.05)  # type: ignore[call-overload]
    except TimeoutError:
        return
    events += batch.events
    await bus.commit(batch)


async def test_a_deep_folder_does_not_keep_readers_asleep(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 20) / "bus.db"
    async with SqliteBus(deep) as one, SqliteBus(deep) as two, two.subscribe("raw", "reader") as batches:
        took = []
        for number in range(5):
            waiting = asyncio.create_task(soon(batches))
            await asyncio.wait([waiting], timeout=0.1)
            started = asyncio.get_running_loop().time()
            await one.publish([raw(number)])
            await two.commit(await waiting)
            took.append(asyncio.get_running_loop().time() - started)
        assert min(took) < 0.5
