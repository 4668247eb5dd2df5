"""A new edition of the calendar: every running clock is computed anew, and a moved one is told to its office.

The table is gone through once in the order of its key, so that each of its pages is written once; clocks that move
alike are computed once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas.due import MoveClocks, MovedClock, StoredClock
from sink.bulk import InstantEncoder, execute_each, insert, instant_encoder
from sink.due import mark_stale, next_reminder, run
from sink.forward_notices import store_notices
from sink.forward_queue import Destination
from sink.record import Record
from sink.rows import Row
from sink.tables import due_dates, timeline

_json = msgspec.json.Encoder()


class _Change(NamedTuple):
    """Running clocks that move alike."""

    rows: Sequence[Any]
    new: MovedClock
    values: Row


class MovedPart(NamedTuple):
    """What `move_due` did with one part of the clocks."""

    looked: int
    """How many of older editions there were."""
    after: Key | None
    """Where it goes on; None: that was the last part."""


class CalendarEdition(NamedTuple):
    """An edition of the calendar."""

    version: int
    since: date
    """The first day that it may have changed: clocks that were due before are left alone."""
    offices: frozenset[str] = frozenset()
    """Those with days of their own."""


_rests = msgspec.json.Decoder(tuple[tuple[date, date], ...])
Key = tuple[str, str]
"""Complaint and clock."""
FIRST: Key = ("", "")
_WINDOW = """SELECT complaint, clock FROM due_dates WHERE (complaint, clock) > (?, ?)
    ORDER BY complaint, clock LIMIT 1 OFFSET ?"""
_OLD = """SELECT complaint, owner, office_id, clock, region, start_day, days, rests, due_day, skipped, provisional,
    told, remind_at, ended_at FROM due_dates WHERE (complaint, clock) > (?, ?) AND {until}
    AND calendar < ? AND due_at IS NOT NULL AND due_at >= ? ORDER BY complaint, clock"""
_ANY_OLD = "SELECT 1 FROM due_dates WHERE calendar = ? AND due_at IS NOT NULL AND due_at >= ? LIMIT 1"
_ALIKE = 3
"""So many columns name the clock; the others decide where it moves, with an office that has days of its own."""
_OLDER = "SELECT max(calendar) AS calendar FROM due_dates WHERE calendar < ? AND due_at IS NOT NULL"
_SEEN = "UPDATE due_dates SET calendar = :calendar WHERE complaint = :complaint AND clock = :clock"
_MOVED = (
    "UPDATE due_dates SET calendar = :calendar, due_day = :due_day, due_at = :due_at, skipped = :skipped, "
    "provisional = :provisional, state = :state, remind_at = :remind_at "
    "WHERE complaint = :complaint AND clock = :clock"
)


def move_due(
    record: Record, move: MoveClocks, calendar: CalendarEdition, destinations: Sequence[Destination] = (), *,
    now: datetime, after: Key = FIRST, limit: int = 5000,
) -> MovedPart:  # fmt: skip
    """Compute clocks of older editions by that edition, of so many clocks behind `after`. A clock that has ended has
    its complaint computed anew from all that happened. `destinations`: what offices have of their own. Raises Retry."""
    with record.write() as connection:
        at = instant_encoder(connection)
        until = next(iter(run(connection, _WINDOW, *after, limit - 1)), None)
        rows = _older_rows(connection, calendar, at, (after, until and (until[0], until[1])))
        groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        for row in rows:
            office = row.office_id if row.office_id in calendar.offices else None
            groups[office, *tuple(row)[_ALIKE:]].append(row)
        moved = move([_stored(alike[0]) for alike in groups.values()])
        seen: list[Row] = []
        changes: list[_Change] = []
        for alike, new in zip(groups.values(), moved, strict=True):
            first, version = alike[0], {"calendar": calendar.version}
            if first.ended_at is None and _differs(first, new):
                changes.append(_Change(alike, new, version | _values(first, new, at, now)))
                continue
            seen += [version | {"complaint": row.complaint, "clock": row.clock} for row in alike]
            if _differs(first, new):
                mark_stale(connection, {row.complaint for row in alike})
        execute_each(connection, due_dates, _SEEN, seen)
        execute_each(connection, due_dates, _MOVED, [row for change in changes for row in _updates(change)])
        announced = _announced(changes)
        insert(connection, timeline, [_step(row, new, at(now)) for row, new in announced])
        notices = [_notice(row, new, at(now)) for row, new in announced if row.office_id]
        store_notices(connection, record, notices, destinations, now)
    return MovedPart(len(rows), until and (until[0], until[1]))


def has_older_calendar(record: Record, calendar: CalendarEdition) -> bool:
    """Whether there are clocks for `move_due`. Raises Retry."""
    with record.read() as connection:
        since, version = _since(calendar, instant_encoder(connection)), calendar.version
        while True:
            ((version,),) = run(connection, _OLDER, version)
            if version is None or run(connection, _ANY_OLD, version, since):
                return version is not None


def _since(calendar: CalendarEdition, at: InstantEncoder) -> Any:
    return at(datetime.combine(calendar.since, time(), UTC) - timedelta(days=1))


def _older_rows(
    connection: Connection, calendar: CalendarEdition, at: InstantEncoder, between: tuple[Key, Key | None]
) -> list[Any]:
    """Clocks of older editions in that window that the newest may move."""
    after, until = between
    locked = " FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    sql = _OLD.format(until="(complaint, clock) <= (?, ?)" if until else "1 = 1") + locked
    return run(connection, sql, *after, *(until or ()), calendar.version, _since(calendar, at))


def _stored(row: Any) -> StoredClock:
    rests = _rests.decode(row.rests) if row.rests else ()
    start, due = date.fromisoformat(row.start_day), date.fromisoformat(row.due_day)
    return StoredClock(row.complaint, row.clock, row.office_id, row.region, start, row.days, rests, due)


def _differs(row: Any, new: MovedClock) -> bool:
    skipped = _json.encode(new.skipped).decode() if new.skipped else None
    return bool(
        (row.due_day, row.skipped, bool(row.provisional)) != (new.due_day.isoformat(), skipped, new.provisional)
    )


def _values(row: Any, new: MovedClock, at: InstantEncoder, now: datetime) -> Row:
    moved = row.due_day != new.due_day.isoformat()
    return {
        "due_day": new.due_day.isoformat(), "due_at": at(new.due_at), "provisional": new.provisional,
        "skipped": _json.encode(new.skipped).decode() if new.skipped else None,
        "state": "running" if new.due_at > now or row.clock in _QUIET else "late",
        "remind_at": next_reminder(new.reminders, row.told, at) if moved else row.remind_at,
    }  # fmt: skip


_QUIET = frozenset({"closing", "reopening"})
"""Clocks that are the citizen's, not the office's."""


def _updates(change: _Change) -> Iterator[Row]:
    return (change.values | {"complaint": row.complaint, "clock": row.clock} for row in change.rows)


def _announced(changes: Sequence[_Change]) -> list[tuple[Any, MovedClock]]:
    """The clocks whose move stands in a timeline and is told to an office."""
    return [
        (row, change.new) for change in changes for row in change.rows
        if row.clock not in _QUIET and row.due_day != change.values["due_day"]
    ]  # fmt: skip


def _step(row: Any, new: MovedClock, at: Any) -> Row:
    return {
        "complaint": row.complaint, "owner": row.owner, "at": at, "what": "due_moved", "actor_kind": "system",
        "why": f"{row.clock}: {row.due_day} -> {new.due_day}",
    }  # fmt: skip


def _notice(row: Any, new: MovedClock, at: Any) -> Row:
    return {
        "complaint": row.complaint, "owner": row.owner, "office_id": row.office_id, "clock": row.clock,
        "what": "moved", "level": 0, "at": at, "due_day": new.due_day.isoformat(), "was_due_day": row.due_day,
    }  # fmt: skip
