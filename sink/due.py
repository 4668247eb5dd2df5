"""Due dates, stored: computed anew from everything that happened to a complaint whenever something did.

The sink's transaction only marks the complaint; `recompute_due` takes the marked ones some at a time, in any process,
computes their clocks by the function that it is given (`router/due.py`), and brings the counters up to date in the same
transaction. So neither can drift: both are what the rows say, however often and in whatever order things arrive.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import Retry, Routed
from schemas.due import ComputeClocks, ComputedClock
from sink.applied import AppliedAction
from sink.bulk import InstantEncoder, insert, instant_encoder, lock_rows, query_in
from sink.case_histories import CountedCase, cases_of
from sink.counters import count_cases
from sink.record import Record
from sink.rows import OF_A_COMPLAINT, Row
from sink.tables import due_dates, stale_due, timeline

_COLUMNS = [column.name for column in due_dates.columns if column.name not in {"complaint", "clock"}]
_UPSERT = "ON CONFLICT (complaint, clock) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
_json = msgspec.json.Encoder()
_SOME = "SELECT complaint FROM stale_due ORDER BY complaint LIMIT ?"
_ONE = "SELECT complaint FROM stale_due WHERE complaint = ?"
_logger = logging.getLogger(__name__)


def batch_complaints(applied: Iterable[AppliedAction], routed: Iterable[Routed]) -> set[str]:
    """The complaints to which a batch did something."""
    found = {one.matched.id for one in routed if one.matched.id and one.matched.outcome in OF_A_COMPLAINT}
    return found | {step.complaint for one in applied for step in one.effect.steps}


def mark_stale(connection: Connection, complaints: Iterable[str]) -> None:
    """Have the due dates of these computed anew, inside the caller's transaction. A mark that stands already is locked:
    nobody takes it away before the caller's rows are seen."""
    rows = [{"complaint": complaint} for complaint in sorted(complaints)]
    insert(connection, stale_due, rows, "ON CONFLICT (complaint) DO UPDATE SET complaint = excluded.complaint")


class DueWorkFound(NamedTuple):
    """Whether there is anything to do, of each kind."""

    overdue: bool
    stale: bool
    reminders: bool


def due_work(record: Record, now: datetime) -> DueWorkFound:
    """What there is to do, without waiting for the record's writers. Raises Retry."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM due_dates WHERE state = 'running' AND due_at <= ?), "
        "EXISTS (SELECT 1 FROM stale_due), EXISTS (SELECT 1 FROM due_dates WHERE remind_at <= ?)"
    )
    with record.read() as connection:
        at = instant_encoder(connection)(now)
        (row,) = run(connection, sql, at, at)
    return DueWorkFound(*map(bool, row))


def mark_overdue(record: Record, now: datetime, limit: int = 1000) -> int:
    """Mark complaints with a running clock whose due day is over; returns how many clocks. Raises Retry."""
    sql = "SELECT complaint FROM due_dates WHERE state = 'running' AND due_at <= ? ORDER BY due_at LIMIT ?"
    with record.write() as connection:
        found = run(connection, sql, instant_encoder(connection)(now), limit)
        mark_stale(connection, {complaint for (complaint,) in found})
    return len(found)


def recompute_due(record: Record, compute: ComputeClocks, calendar: int, *, now: datetime, limit: int = 500) -> int:
    """Compute the clocks of marked complaints anew, by that edition of the calendar; returns of how many. One of which
    they cannot be computed, as where our clock was years behind at its receipt, is logged and left without. Raises
    Retry."""
    try:
        return _recompute(record, compute, calendar, now, (_SOME, limit))
    except Retry:
        raise
    except Exception:  # one of them is at fault: it holds up no other
        return _recompute_singly(record, compute, calendar, now, limit)


def _recompute_singly(record: Record, compute: ComputeClocks, calendar: int, now: datetime, limit: int) -> int:
    """Where none can be computed, the fault is no complaint's: the marks stay."""
    failed: dict[str, Exception] = {}
    with record.read() as connection:
        marked = run(connection, _SOME, limit)
    for (complaint,) in marked:
        try:
            _recompute(record, compute, calendar, now, (_ONE, complaint))
        except Retry:
            raise
        except Exception as error:
            failed[complaint] = error
    if failed and len(failed) == len(marked):
        raise next(iter(failed.values()))
    for complaint, why in failed.items():
        _logger.error("complaint %s has no due dates: %s", complaint, type(why).__name__)
        with record.write() as connection:
            _take(connection, (_ONE, complaint))
    return len(marked)


def _recompute(record: Record, compute: ComputeClocks, calendar: int, now: datetime, marks: tuple[str, Any]) -> int:
    with record.write() as connection:
        marked = _take(connection, marks)
        if not marked:
            return 0
        lock_rows(connection, due_dates, "complaint", marked)  # what their offices are told meanwhile stays told
        cases = cases_of(connection, marked)
        clocks = compute([case.history for case in cases], now)
        at, stored = instant_encoder(connection), _stored(connection, marked)
        rows = [
            _row(case, clock, stored.get((case.history.complaint, clock.clock)), at) | {"calendar": calendar}
            for case, found in zip(cases, clocks, strict=True)
            for clock in found
        ]
        insert(connection, due_dates, rows, _UPSERT)
        insert(connection, timeline, _closings(cases, clocks, stored, at))
        count_cases(connection, list(zip(cases, clocks, strict=True)))
    return len(marked)


def _take(connection: Connection, marks: tuple[str, Any]) -> list[str]:
    """Take marks away: what happens meanwhile marks the complaint again."""
    among, value = marks
    if connection.dialect.name == "postgresql":
        among += " FOR UPDATE SKIP LOCKED"
    found = run(connection, f"DELETE FROM stale_due WHERE complaint IN ({among}) RETURNING complaint", value)  # noqa: S608 - ours
    return sorted(complaint for (complaint,) in found)


def run(connection: Connection, sql: str, *values: Any) -> list[Any]:
    """The rows of a statement whose `?` stand for the values."""
    sql = sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")
    return list(connection.exec_driver_sql(sql, values).all())


def _stored(connection: Connection, complaints: Sequence[str]) -> dict[tuple[str, str], Any]:
    sql = "SELECT complaint, clock, state, started_at, told FROM due_dates WHERE complaint IN (*)"
    return {(row.complaint, row.clock): row for row in query_in(connection, sql, complaints)}


def _row(case: CountedCase, clock: ComputedClock, stored: Any, at: InstantEncoder) -> Row:
    history, started = case.history, at(clock.started_at)
    told = stored.told if stored is not None and _same(stored.started_at, started) else 0
    due = {
        "due_day": clock.due_day and clock.due_day.isoformat(), "due_at": clock.due_at and at(clock.due_at),
        "skipped": _json.encode(clock.skipped).decode() if clock.skipped else None, "provisional": clock.provisional,
    }  # fmt: skip
    return {
        "complaint": history.complaint, "clock": clock.clock, "owner": history.owner, "office_id": history.office,
        "region": clock.region, "state": clock.state, "started_at": started,
        "ended_at": clock.ended_at and at(clock.ended_at), "start_day": clock.start_day.isoformat(),
        "days": clock.days, "rests": _json.encode(clock.rests).decode() if clock.rests else None, **due,
        "days_left": clock.days_left, "told": told, "remind_at": next_reminder(clock.reminders, told, at),
    }  # fmt: skip


def _same(stored: Any, started: Any) -> bool:
    return bool(stored == started)


def next_reminder(reminders: Sequence[datetime], told: int, at: InstantEncoder) -> Any:
    """When the office is told next; None: it was told everything."""
    return at(reminders[told]) if told < len(reminders) else None


def _closings(
    cases: Sequence[CountedCase],
    clocks: Sequence[Sequence[ComputedClock]],
    stored: Mapping[tuple[str, str], Any],
    at: InstantEncoder,
) -> list[Row]:
    """A line in the timeline of each complaint that closed by itself just now."""
    return [{
        "complaint": case.history.complaint, "owner": case.history.owner, "at": at(clock.ended_at),
        "what": "closed", "actor_kind": "system", "actor": None, "why": None, "raw": None, "item_index": None,
    } for case, found in zip(cases, clocks, strict=True) for clock in found
        if clock.clock == "closing" and clock.state == "met" and clock.ended_at is not None
        and not _was_met(stored.get((case.history.complaint, clock.clock)), at(clock.started_at))
    ]  # fmt: skip


def _was_met(stored: Any, started: Any) -> bool:
    return stored is not None and stored.state == "met" and _same(stored.started_at, started)
