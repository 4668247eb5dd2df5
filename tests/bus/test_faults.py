"""Files that cannot be used, and disks that are full."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bus import SqliteBus, Turnstile, UnusableLog, _file, _writer
from schemas import Retry
from tests.bus.events import everything, ids, raw, soon


def damaged(log: Path) -> None:
    log.write_bytes(b"no database at all, but long enough to look like one" * 100)


def torn(log: Path) -> None:
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    content = log.read_bytes()
    log.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def foreign(log: Path) -> None:
    log.unlink()
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("CREATE TABLE other (id)")


def newer(log: Path) -> None:
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("PRAGMA user_version=9")


def hashed_otherwise(log: Path) -> None:
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute("UPDATE meta SET value = 'murmur' WHERE name = 'hash'")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (damaged, "bus.db cannot be used"), (torn, "bus.db cannot be used"), (foreign, "no log of Satu Pintu"),
        (newer, "has format 9.*update"), (hashed_otherwise, "by murmur"),
    ],
)  # fmt: skip
async def test_a_file_that_cannot_be_used_is_one_clear_error(
    log: Path, spoil: Callable[[Path], None], says: str
) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish([raw(1)])
    spoil(log)
    with pytest.raises(UnusableLog, match=says):
        async with SqliteBus(log):
            pass


async def test_a_folder_that_cannot_be_used_is_one_clear_error(log: Path) -> None:
    log.with_name("bus.db.members").write_text("in the way")
    with pytest.raises(UnusableLog, match=r"bus\.db\.members cannot be used"):
        async with SqliteBus(log):
            pass
    with pytest.raises(UnusableLog, match="folder of the log cannot be written"):
        async with SqliteBus(log / "below"):
            pass


@contextmanager
def full_disk(log: Path) -> Iterator[None]:
    """No file grows any more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{log}-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_reaches_every_publisher_and_passes(log: Path) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish([raw(0)])
        with full_disk(log):
            answers = await asyncio.gather(*(bus.publish([raw(n)]) for n in range(1, 30)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {Retry}
        await bus.publish([raw(30)])
        assert ids(await everything(bus, "reader", 2)) == [0, 30]


async def test_a_log_on_a_full_disk_is_not_to_be_moved_away(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out = _file._lay_out

    def without_room(connection: sqlite3.Connection, partitions: int) -> None:
        connection.execute("PRAGMA max_page_count=1")
        lay_out(connection, partitions)

    monkeypatch.setattr(_file, "_lay_out", without_room)
    with pytest.raises(UnusableLog, match="free space on its disk, and leave the log where it is"):
        async with SqliteBus(log):
            pass


async def test_nor_is_one_that_may_not_be_opened(log: Path) -> None:
    log.mkdir()  # root may open everything but a folder
    with pytest.raises(UnusableLog, match="chown it to the user of the hub, and leave it"):
        async with SqliteBus(log):
            pass


async def test_a_publisher_that_waits_too_long_for_a_sync_gets_a_timeout(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writer, "PATIENCE", 0.0)
    async with SqliteBus(log) as bus:
        await bus.publish([raw(0)])
        with Turnstile(log), pytest.raises(Retry, match="does not answer"):
            await bus.publish([raw(1)])
        await bus.publish([raw(2)])
        assert ids(await everything(bus, "reader", 3)) == [0, 1, 2]  # it came all the same


async def test_a_full_disk_keeps_a_batch_uncommitted(log: Path) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish([raw(0)])
        async with bus.subscribe("raw", "reader") as batches:
            batch = await soon(batches)
            with full_disk(log), pytest.raises(Retry):
                await bus.commit(batch)
            await bus.commit(batch)
        assert sum(lag.behind for lag in await bus.lag()) == 0
