"""A new edition of the calendar: every running clock is computed anew, and a moved one is told to its office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas.due import MoveClocks, MovedClock, StoredClock
from sink.bulk import InstantEncoder, execute_each, insert, instant_encoder
from sink.due import mark_stale, next_reminder, run
from sink.record import Record
from sink.rows import Row
from sink.tables import due_dates, notices, timeline

_json = msgspec.json.Encoder()


class CalendarEdition(NamedTuple):
    """An edition of the calendar."""

    version: int
    since: date
    """The first day that it may have changed: clocks that were due before are left alone."""


_rests = msgspec.json.Decoder(tuple[tuple[date, date], ...])
_OLD = """SELECT complaint, clock, owner, office_id, region, start_day, days, rests, due_day, skipped, provisional,
    told, remind_at, ended_at FROM due_dates WHERE calendar = ? AND due_at IS NOT NULL AND due_at >= ?
    ORDER BY due_at LIMIT ?"""
_OLDER = "SELECT max(calendar) AS calendar FROM due_dates WHERE calendar < ? AND due_at IS NOT NULL"
_SEEN = "UPDATE due_dates SET calendar = :calendar WHERE complaint = :complaint AND clock = :clock"
_MOVED = (
    "UPDATE due_dates SET calendar = :calendar, due_day = :due_day, due_at = :due_at, skipped = :skipped, "
    "provisional = :provisional, state = :state, remind_at = :remind_at "
    "WHERE complaint = :complaint AND clock = :clock"
)


def move_due(record: Record, move: MoveClocks, calendar: CalendarEdition, *, now: datetime, limit: int = 2000) -> int:
    """Compute clocks of older editions by that edition; returns how many were looked at. A clock that has ended has its
    complaint computed anew from all that happened. Raises Retry."""
    with record.write() as connection:
        at = instant_encoder(connection)
        rows = _older_rows(connection, calendar, at, limit)
        moved = move([_stored(row) for row in rows])
        changed = [(row, new) for row, new in zip(rows, moved, strict=True) if _differs(row, new)]
        running = [(row, new) for row, new in changed if row.ended_at is None]
        ids, version = {(row.complaint, row.clock) for row, _ in running}, calendar.version
        same = [row for row in rows if (row.complaint, row.clock) not in ids]
        execute_each(connection, due_dates, _SEEN, [_key(row, version) for row in same])
        execute_each(connection, due_dates, _MOVED, [_values(row, new, version, at, now) for row, new in running])
        mark_stale(connection, {row.complaint for row, _ in changed if row.ended_at is not None})
        _tell(connection, [(row, new) for row, new in running if row.due_day != new.due_day.isoformat()], at(now))
    return len(rows)


def has_older_calendar(record: Record, calendar: CalendarEdition) -> bool:
    """Whether there are clocks for `move_due`. Raises Retry."""
    with record.read() as connection:
        return bool(_older_rows(connection, calendar, instant_encoder(connection), 1, lock=False))


def _older_rows(
    connection: Connection, calendar: CalendarEdition, at: InstantEncoder, limit: int, *, lock: bool = True
) -> list[Any]:
    """Clocks of one older edition that the newest may move, the newest of the older ones first."""
    locked = " FOR UPDATE SKIP LOCKED" if lock and connection.dialect.name == "postgresql" else ""
    since = at(datetime.combine(calendar.since, time(), UTC) - timedelta(days=1))
    version = calendar.version
    while True:
        ((older,),) = run(connection, _OLDER, version)
        if older is None:
            return []
        if rows := run(connection, _OLD + locked, older, since, limit):
            return rows
        version = older


def _stored(row: Any) -> StoredClock:
    rests = _rests.decode(row.rests) if row.rests else ()
    start, due = date.fromisoformat(row.start_day), date.fromisoformat(row.due_day)
    return StoredClock(row.complaint, row.clock, row.office_id, row.region, start, row.days, rests, due)


def _differs(row: Any, new: MovedClock) -> bool:
    skipped = _json.encode(new.skipped).decode() if new.skipped else None
    return bool(
        (row.due_day, row.skipped, bool(row.provisional)) != (new.due_day.isoformat(), skipped, new.provisional)
    )


def _key(row: Any, calendar: int) -> Row:
    return {"calendar": calendar, "complaint": row.complaint, "clock": row.clock}


def _values(row: Any, new: MovedClock, calendar: int, at: InstantEncoder, now: datetime) -> Row:
    moved = row.due_day != new.due_day.isoformat()
    return _key(row, calendar) | {
        "due_day": new.due_day.isoformat(), "due_at": at(new.due_at), "provisional": new.provisional,
        "skipped": _json.encode(new.skipped).decode() if new.skipped else None,
        "state": "running" if new.due_at > now else "late" if row.clock not in _QUIET else "running",
        "remind_at": next_reminder(new.reminders, row.told, at) if moved else row.remind_at,
    }  # fmt: skip


_QUIET = frozenset({"closing", "reopening"})
"""Clocks that are the citizen's, not the office's."""


def _tell(connection: Connection, moved: Sequence[tuple[Any, MovedClock]], at: Any) -> None:
    """A line in each timeline, and a notice for the office."""
    told = [(row, new) for row, new in moved if row.clock not in _QUIET]
    insert(connection, timeline, [_step(row, new, at) for row, new in told])
    insert(connection, notices, [_notice(row, new, at) for row, new in told if row.office_id])


def _step(row: Any, new: MovedClock, at: Any) -> Row:
    return {
        "complaint": row.complaint, "owner": row.owner, "at": at, "what": "due_moved", "actor_kind": "system",
        "actor": None, "why": f"{row.clock}: {row.due_day} -> {new.due_day}", "raw": None, "item_index": None,
    }  # fmt: skip


def _notice(row: Any, new: MovedClock, at: Any) -> Row:
    return {
        "complaint": row.complaint, "owner": row.owner, "office_id": row.office_id, "clock": row.clock,
        "what": "moved", "level": 0, "at": at, "due_day": new.due_day.isoformat(), "was_due_day": row.due_day,
    }  # fmt: skip
