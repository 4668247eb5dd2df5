"""Warnings before a due date and escalations after it: each once, in office hours, one level higher each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sink.bulk import InstantEncoder, execute_each, insert, instant_encoder
from sink.due import next_reminder, run
from sink.forward_notices import store_notices
from sink.forward_queue import Destination
from sink.record import Record
from sink.rows import Row
from sink.tables import due_dates, timeline

_DUE = "SELECT complaint, clock, owner, office_id, region, due_day, told FROM due_dates WHERE remind_at <= ? "
_NEXT = "UPDATE due_dates SET told = :told, remind_at = :remind_at WHERE complaint = :complaint AND clock = :clock"


class OfficeTimes(NamedTuple):
    """What reminding needs to know of offices."""

    reminders: Callable[[str, str | None, str, date], Sequence[datetime]]
    """Of a clock: its region, office, name and due day."""
    next_opening: Callable[[str | None, str, datetime], datetime]
    """Of an office, where one is told, and the region of the clock: now while it is open, else when it opens next."""
    superior: Callable[[str, int], str]
    """The office so many levels above an office."""


def remind(
    record: Record, offices: OfficeTimes, destinations: Sequence[Destination] = (), *, now: datetime, limit: int = 500
) -> int:
    """Tell offices what is due, and the `destinations` that offices have of their own; returns how many clocks were
    looked at. Raises Retry."""
    with record.write() as connection:
        locked = " FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
        at = instant_encoder(connection)
        rows = run(connection, f"{_DUE} ORDER BY remind_at LIMIT ?{locked}", at(now), limit)
        opens = {row: offices.next_opening(_told_office(row, offices), row.region, now) for row in rows}
        told = [row for row in rows if opens[row] <= now]
        later = [_later(row, opens[row], at) for row in rows if opens[row] > now]
        execute_each(connection, due_dates, _NEXT, [*later, *(_next(row, offices, at) for row in told)])
        insert(connection, timeline, [_step(row, at(now)) for row in told])
        notices = [_notice(row, offices, at(now)) for row in told if row.office_id]
        store_notices(connection, record, notices, destinations, now)
    return len(rows)


def _told_office(row: Any, offices: OfficeTimes) -> str | None:
    return offices.superior(row.office_id, row.told) if row.office_id else None


def _later(row: Any, opens: datetime, at: InstantEncoder) -> Row:
    return {"complaint": row.complaint, "clock": row.clock, "told": row.told, "remind_at": at(opens)}


def _next(row: Any, offices: OfficeTimes, at: InstantEncoder) -> Row:
    reminders = offices.reminders(row.region, row.office_id, row.clock, date.fromisoformat(row.due_day))
    return {
        "complaint": row.complaint, "clock": row.clock, "told": row.told + 1,
        "remind_at": next_reminder(reminders, row.told + 1, at),
    }  # fmt: skip


def _what(row: Any) -> str:
    return "overdue" if row.told else "warning"


def _step(row: Any, at: Any) -> Row:
    return {
        "complaint": row.complaint, "owner": row.owner, "at": at, "what": f"due_{_what(row)}",
        "actor_kind": "system", "actor": None, "why": f"{row.clock}: {row.due_day}", "raw": None, "item_index": None,
    }  # fmt: skip


def _notice(row: Any, offices: OfficeTimes, at: Any) -> Row:
    return {
        "complaint": row.complaint, "owner": row.owner, "office_id": _told_office(row, offices),
        "clock": row.clock, "what": _what(row), "level": row.told, "at": at, "due_day": row.due_day,
        "was_due_day": None,
    }  # fmt: skip
