"""Retention: removes events past their age, and the oldest while the log is too large, but no event that a group has
still to commit.

It works in slices, each a transaction of its own, so that publishers do not wait for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from bus import _log
from bus._partitions import Slot
from bus._writer import SqliteWriter

SLICE = 1_000
"""Events, or pages of the file, in one transaction at most."""
_ALL = 2**63 - 1
_BULK = 4 * 1024 * 1024
"""Bytes that a slice may write."""


class RetentionPolicy(NamedTuple):
    """What is kept."""

    since: datetime
    """Events from this instant on."""
    max_bytes: int | None
    """None: as many as there are."""


async def delete_expired(writer: SqliteWriter, reads: sqlite3.Connection, policy: RetentionPolicy) -> int:
    """Remove what the policy does not keep, as far as it may go; the number of events."""
    old = _log.to_micros(policy.since)
    removed = await _remove(writer, reads, lambda at: at < old, old)
    if (max_bytes := policy.max_bytes) is not None:
        removed += await _remove(writer, reads, lambda _: used_bytes(reads) > max_bytes, _ALL)
    free = _pragma(reads, "freelist_count")
    if free * 4 > count_pages(reads):  # below a quarter, new events will want them
        for _ in range(0, free, SLICE):
            await writer.do(_give_back, size=_BULK)
    return removed


async def _remove(writer: SqliteWriter, reads: sqlite3.Connection, too_much: Callable[[int], bool], before: int) -> int:
    """Remove slices of events older than `before`, always the oldest, while `too_much` says so of its age."""
    removed = 0
    while removable := _removable(reads):
        at, slot, offset = removable
        if not too_much(at):
            break
        removed += await writer.do(partial(_delete, slot=slot, first=offset, before=before), size=_BULK)
    return removed


def _removable(reads: sqlite3.Connection) -> tuple[int, Slot, int] | None:
    """The oldest event that every group has committed: its time, topic and partition, offset."""
    found = []
    for slot, _ in _log.last_offsets(reads):
        ask = f"SELECT at, offset FROM {_log.partition_table(*slot)} WHERE offset <= {_FLOOR} ORDER BY offset LIMIT 1"  # noqa: S608 - checked names
        if row := reads.execute(ask, slot).fetchone():
            found.append((row[0], slot, row[1]))
    return min(found, default=None)


_FLOOR = f"coalesce((SELECT min(offset) FROM offsets WHERE topic = ?1 AND partition = ?2), {_ALL})"  # noqa: S608 - a number


def _delete(connection: sqlite3.Connection, slot: Slot, first: int, before: int) -> int:
    delete = f"DELETE FROM {_log.partition_table(*slot)} WHERE offset < ?3 AND offset <= {_FLOOR} AND at < ?4"  # noqa: S608 - checked names
    return connection.execute(delete, (*slot, first + SLICE, before)).rowcount


def _give_back(connection: sqlite3.Connection) -> None:
    for _ in range(SLICE):  # sqlite3 steps this statement once, whatever number it names: one page at a time
        connection.execute("PRAGMA incremental_vacuum(1)")


def used_bytes(reads: sqlite3.Connection) -> int:
    """Bytes of the file that are in use."""
    return (count_pages(reads) - _pragma(reads, "freelist_count")) * _pragma(reads, "page_size")


def count_pages(reads: sqlite3.Connection) -> int:
    """Pages of the file, in use or not."""
    return _pragma(reads, "page_count")


def _pragma(reads: sqlite3.Connection, name: str) -> int:
    return int(reads.execute(f"PRAGMA {name}").fetchone()[0])
