"""What is due and overdue: one bounded query each, by the time at which it is due."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, or_, select, text

from sink.record import Record
from sink.statistics import within
from sink.tables import complaints, due_dates, notices

_OPEN = text("due_at IS NOT NULL AND ended_at IS NULL")
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


class DueClock(NamedTuple):
    """A clock that runs."""

    number: str
    clock: str
    owner: str
    office_id: str | None
    region: str
    due_day: date
    due_at: datetime
    skipped: tuple[str, ...]
    """Holidays that the due day skips, in words."""
    provisional: bool


def due_clocks(
    record: Record, *, before: datetime, region: str | None = None, office: str | None = None, limit: int = 100
) -> list[DueClock]:
    """Clocks of offices that run and are due before then, the oldest first; with `before` now: what is overdue.
    `region`: of offices there, or that came in by an account of it; those inside too. Raises Retry."""
    query = _query().where(due_dates.c.due_at <= before).limit(limit)
    if region is not None:
        query = query.where(or_(within(due_dates.c.region, region), within(due_dates.c.owner, region)))
    if office is not None:
        query = query.where(due_dates.c.office_id == office)
    with record.read() as connection:
        return [_clock(row) for row in connection.execute(query)]


def clocks_of_report(record: Record, number: str) -> list[dict[str, Any]]:
    """Every clock of a report. Raises Retry."""
    query = select(due_dates).join(complaints, complaints.c.id == due_dates.c.complaint)
    with record.read() as connection:
        rows = connection.execute(query.where(complaints.c.number == number).order_by(due_dates.c.clock)).all()
    return [
        {
            "clock": row.clock, "state": row.state, "started_at": row.started_at, "ended_at": row.ended_at,
            "due_day": row.due_day, "days": row.days, "days_left": row.days_left, "region": row.region,
            "skipped": _decode(row.skipped) if row.skipped else (), "provisional": row.provisional,
        }
        for row in rows
    ]  # fmt: skip


class Notice(NamedTuple):
    """What an office was told of a due date."""

    seq: int
    """Grows: a reader asks for what came after the last one it saw."""
    at: datetime
    number: str
    office_id: str
    clock: str
    what: str
    """warning, overdue, moved."""
    level: int
    due_day: str | None
    was_due_day: str | None


def notices_after(record: Record, seq: int, *, office: str | None = None, limit: int = 1000) -> list[Notice]:
    """Notices after that one, the oldest first; of an office, or of all. Raises Retry."""
    table = notices.c
    columns = table.seq, table.at, complaints.c.number, table.office_id, table.clock, table.what, table.level
    query = select(*columns, table.due_day, table.was_due_day).join(complaints, complaints.c.id == table.complaint)
    query = query.where(table.seq > seq).order_by(table.seq).limit(limit)
    if office is not None:
        query = query.where(table.office_id == office)
    with record.read() as connection:
        return [Notice(*row) for row in connection.execute(query)]


def _query() -> Select[Any]:
    of_offices = due_dates.c.clock.in_(("verification", "first_answer", "completion"))
    query = select(due_dates, complaints.c.number).join(complaints, complaints.c.id == due_dates.c.complaint)
    return query.where(_OPEN, of_offices).order_by(due_dates.c.due_at, due_dates.c.complaint, due_dates.c.clock)


def _clock(row: Any) -> DueClock:
    skipped = _decode(row.skipped) if row.skipped else ()
    return DueClock(
        row.number, row.clock, row.owner, row.office_id, row.region, date.fromisoformat(row.due_day), row.due_at,
        skipped, row.provisional,
    )  # fmt: skip
