"""The log in SQLite: a table a partition, the heads, and the groups' offsets with their owners.

    log_TOPIC_N   offset, at, written, key, value   one row an event; `offset` is given out by us and never restarts
    heads         topic, partition                  the last offset given out, and when
    offsets       grp, topic, partition             committed up to here; member and epoch of the owner
    meta          name                              hash and number of the partitions (`_file.py`)

Offsets have no gaps, so the lag is a subtraction; rows are appended at the end of their table, so a page is a range of
its key. `at` never falls within a table, even when the clock is set back, so an instant is found by halving; `written`
is the clock's own time where that differs, for a lag's age. Nothing here scans. Functions that change something run
inside a write transaction of `_writer.py`. Instants are microseconds since 1970.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

from bus._partitions import Rows, Slot
from bus._port import PartitionLag, StoredEvent
from bus._subscription import PartitionOwner
from bus._values import BodyStore, size_of

PAGE_BYTES = 4 * 1024 * 1024
"""A page ends here, however few events it holds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970, as an instant is stored."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(at: int) -> datetime:
    """The instant of stored microseconds."""
    return _EPOCH + timedelta(microseconds=at)


@cache
def partition_table(topic: str, partition: int) -> str:
    """The name of the table that holds the partition's events."""
    if not re.fullmatch("[a-z][a-z0-9_]*", topic):
        raise ValueError(f"no name for a topic: {topic!r}")
    return f"log_{topic}_{partition:d}"


@cache
def _sql(statement: str, topic: str, partition: int) -> str:
    return statement.replace("TABLE_", partition_table(topic, partition))


def append_events(connection: sqlite3.Connection, rows: Rows, at: int, partitions: int) -> dict[Slot, int]:
    """Append the events; returns the new last offsets."""
    heads = {}
    for slot, events in rows.items():
        head, last = _head(connection, slot, partitions)
        stamp, written = max(at, last), at if at < last else None
        connection.executemany(
            _sql("INSERT INTO TABLE_ (offset, at, written, key, value) VALUES (?, ?, ?, ?, ?)", *slot),
            [(offset, stamp, written, key, value) for offset, (key, value) in enumerate(events, head + 1)],
        )
        heads[slot] = head + len(events)
        connection.execute(
            "UPDATE heads SET head = ?, at = ? WHERE topic = ? AND partition = ?", (heads[slot], stamp, *slot)
        )
    return heads


def _head(connection: sqlite3.Connection, slot: Slot, partitions: int) -> tuple[int, int]:
    ask = "SELECT head, at FROM heads WHERE topic = ? AND partition = ?"
    found: tuple[int, int] | None = connection.execute(ask, slot).fetchone()
    if found is None:
        add_topic(connection, slot[0], partitions)
        return 0, 0
    return found


def add_topic(connection: sqlite3.Connection, topic: str, partitions: int) -> None:
    """Lay out the topic's tables, if it has none."""
    for partition in range(partitions):
        columns = (
            "offset INTEGER PRIMARY KEY, at INTEGER NOT NULL, written INTEGER, key TEXT NOT NULL, value BLOB NOT NULL"
        )
        connection.execute(f"CREATE TABLE IF NOT EXISTS {partition_table(topic, partition)} ({columns})")
        connection.execute("INSERT OR IGNORE INTO heads VALUES (?, ?, 0, 0)", (topic, partition))


def add_group(connection: sqlite3.Connection, topic: str, group: str, partitions: int) -> None:
    """Give the group an offset before the oldest event kept, where it has none."""
    add_topic(connection, topic, partitions)
    for partition in range(partitions):
        oldest = _sql("SELECT min(offset) - 1 FROM TABLE_", topic, partition)
        head = "SELECT head FROM heads WHERE topic = ?2 AND partition = ?3"
        connection.execute(
            f"INSERT OR IGNORE INTO offsets VALUES (?1, ?2, ?3, coalesce(({oldest}), ({head})), NULL, 0)",  # noqa: S608 - checked names
            (group, topic, partition),
        )


def commit_offsets(
    connection: sqlite3.Connection, topic: str, group: str, offsets: Mapping[int, tuple[int, int]]
) -> list[int]:
    """Move the offsets under the epochs they were read under; the partitions that have another owner by now."""
    statement = "UPDATE offsets SET offset = max(offset, ?) WHERE grp = ? AND topic = ? AND partition = ? AND epoch = ?"
    return [
        partition
        for partition, (epoch, offset) in offsets.items()
        if not connection.execute(statement, (offset, group, topic, partition, epoch)).rowcount
    ]


def forget_group(connection: sqlite3.Connection, group: str) -> int:
    """Delete the group's offsets in every topic; how many there were."""
    return connection.execute("DELETE FROM offsets WHERE grp = ?", (group,)).rowcount


def rewind_group(connection: sqlite3.Connection, group: str, offsets: Mapping[Slot, int]) -> dict[str, int]:
    """Set the group's offsets back to these where they are greater; by topic, how many events are behind then."""
    connection.executemany(
        "UPDATE offsets SET offset = min(offset, ?), member = NULL, epoch = epoch + 1 "
        "WHERE grp = ? AND topic = ? AND partition = ?",
        [(offset, group, *slot) for slot, offset in offsets.items()],
    )
    ask = (
        "SELECT topic, sum(head - offset) FROM offsets JOIN heads USING (topic, partition) WHERE grp = ? GROUP BY topic"
    )
    return dict(connection.execute(ask, (group,)))


def assign_partitions(
    connection: sqlite3.Connection, topic: str, group: str, member: str | None, epochs: Mapping[int, int]
) -> None:
    """Assign partitions to a member or to nobody, where they still have that epoch."""
    connection.executemany(
        "UPDATE offsets SET member = ?, epoch = epoch + 1 WHERE grp = ? AND topic = ? AND partition = ? AND epoch = ?",
        [(member, group, topic, partition, epoch) for partition, epoch in epochs.items()],
    )


def last_offsets(connection: sqlite3.Connection) -> Iterable[tuple[Slot, int]]:
    """The last offset of every partition of every topic."""
    rows = connection.execute("SELECT topic, partition, head FROM heads")
    return [((topic, partition), head) for topic, partition, head in rows]


def partition_owners(connection: sqlite3.Connection, topic: str, group: str) -> dict[int, PartitionOwner]:
    """The owners of the topic's partitions in the group."""
    ask = "SELECT partition, member, epoch, offset FROM offsets WHERE grp = ? AND topic = ?"
    return {partition: PartitionOwner(*owner) for partition, *owner in connection.execute(ask, (group, topic))}


def read_page(
    connection: sqlite3.Connection, slot: Slot, after: int, limit: int, bodies: BodyStore | None = None
) -> list[StoredEvent]:
    """Events after that offset; at least one if there is one, else as many as fit a page."""
    events, size = [], 0
    stamp, when = 0, _EPOCH
    ask = _sql("SELECT offset, at, key, value FROM TABLE_ WHERE offset > ? ORDER BY offset LIMIT ?", *slot)
    for offset, at, key, value in connection.execute(ask, (after, limit)):
        if at != stamp:
            stamp, when = at, from_micros(at)
        events.append(StoredEvent(*slot, offset, key, value, when, bodies))
        size += size_of(value)
        if size > PAGE_BYTES:
            break
    return events


def offset_before(connection: sqlite3.Connection, slot: Slot, at: int) -> int:
    """The offset of the last event older than that instant, or the one before the oldest kept; found by halving."""
    ends = _sql("SELECT (SELECT min(offset) FROM TABLE_), (SELECT max(offset) FROM TABLE_)", *slot)
    ask = _sql("SELECT at FROM TABLE_ WHERE offset = ?", *slot)
    with read_transaction(connection):
        low, high = connection.execute(ends).fetchone()
        if low is None:
            return 0
        older = bisect_left(
            range(low, high + 1), at, key=lambda offset: connection.execute(ask, (offset,)).fetchone()[0]
        )
        return int(low) - 1 + older


@contextmanager
def read_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Several reads that see one state. Short: an open one lets the WAL grow."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def group_lags(connection: sqlite3.Connection) -> list[PartitionLag]:
    """How far behind every group is."""
    ask = "SELECT topic, grp, partition, offset, head - offset FROM offsets JOIN heads USING (topic, partition)"
    return [
        PartitionLag(topic, group, partition, offset, behind, _oldest(connection, (topic, partition), offset))
        for topic, group, partition, offset, behind in connection.execute(ask).fetchall()
    ]


def count_uncommitted(connection: sqlite3.Connection, topic: str, group: str) -> int:
    """Events of the topic that the group has still to commit, also where it has never read."""
    ask = (
        "SELECT coalesce(sum(head - coalesce(offset, 0)), 0) FROM heads LEFT JOIN offsets "
        "ON offsets.topic = heads.topic AND offsets.partition = heads.partition AND grp = ? WHERE heads.topic = ?"
    )
    return int(connection.execute(ask, (group, topic)).fetchone()[0])


def _oldest(connection: sqlite3.Connection, slot: Slot, after: int) -> datetime | None:
    ask = _sql("SELECT coalesce(written, at) FROM TABLE_ WHERE offset > ? ORDER BY offset LIMIT 1", *slot)
    found = connection.execute(ask, (after,)).fetchone()
    return found and from_micros(found[0])
