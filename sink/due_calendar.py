"""A new edition of the calendar: every running clock is computed anew, and a moved one is told to its office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from schemas.due import MoveClocks, MovedClock, StoredClock
from sink.bulk import InstantEncoder, execute_each, insert, instant_encoder
from sink.due import next_reminder, run
from sink.record import Record
from sink.rows import Row
from sink.tables import due_dates, notices, timeline

_json = msgspec.json.Encoder()
_rests = msgspec.json.Decoder(tuple[tuple[date, date], ...])
_OLD = """SELECT complaint, clock, owner, office_id, region, start_day, days, rests, due_day, skipped, provisional, told
    FROM due_dates WHERE due_at IS NOT NULL AND ended_at IS NULL AND calendar < ?
    ORDER BY calendar, complaint, clock LIMIT ?"""
_SEEN = "UPDATE due_dates SET calendar = :calendar WHERE complaint = :complaint AND clock = :clock"
_MOVED = (
    "UPDATE due_dates SET calendar = :calendar, due_day = :due_day, due_at = :due_at, skipped = :skipped, "
    "provisional = :provisional, state = :state, remind_at = :remind_at "
    "WHERE complaint = :complaint AND clock = :clock"
)


def move_due(record: Record, move: MoveClocks, calendar: int, *, now: datetime, limit: int = 5000) -> int:
    """Compute running clocks of older editions by that edition of the calendar; returns how many were looked at. Raises
    Retry."""
    with record.write() as connection:
        locked = " FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
        rows = run(connection, _OLD + locked, calendar, limit)
        moved = move([_stored(row) for row in rows])
        at = instant_encoder(connection)
        changed = [(row, new) for row, new in zip(rows, moved, strict=True) if _differs(row, new)]
        ids = {(row.complaint, row.clock) for row, _ in changed}
        same = [row for row in rows if (row.complaint, row.clock) not in ids]
        execute_each(connection, due_dates, _SEEN, [_key(row, calendar) for row in same])
        execute_each(connection, due_dates, _MOVED, [_values(row, new, calendar, at, now) for row, new in changed])
        _tell(connection, [(row, new) for row, new in changed if row.due_day != new.due_day.isoformat()], at(now))
    return len(rows)


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
