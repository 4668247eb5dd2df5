"""The law's clocks, as a pure function of what happened: nothing ticks, and nothing is counted up.

PermenPANRB 5/2025, in working days from the day after receipt: verification 3, first answer 5, completion 5
(information), 14 (complaint) or 60 (complaint that needs a field check), and 10 days without a word of the citizen
until a finished case is closed. As long its reporter may reopen it. While the citizen is asked, the clocks rest. The
office's zone decides what day it is.

| step | verification | first answer | completion | closing | reopening |
|---|---|---|---|---|---|
| received | starts | starts | starts | | |
| verified | met | | | | |
| answered | met | met | | | |
| asked (the citizen) | rests | rests | rests | | |
| replied (the citizen) | goes on | goes on | goes on | cancelled | |
| finished | met | met | met | starts | starts |
| archived, rejected | met | met | met | cancelled | starts |
| reopened | | | starts anew | cancelled | cancelled |
| closed, or the due day is over | | | | met | met |

A due date is computed from all steps each time, so the order in which they arrive, a late decree or a changed limit
leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from router.calendars import DueDate, Holiday, WorkingDayCalendar, local_day, zone_of
from schemas.due import CaseStep

ClockName = Literal["verification", "first_answer", "completion", "closing", "reopening"]
ClockState = Literal["running", "resting", "met", "late", "cancelled"]

_ENDS: frozenset[str] = frozenset({"finished", "archived", "rejected"})
_STARTS: dict[ClockName, frozenset[str]] = {
    "verification": frozenset({"received"}),
    "first_answer": frozenset({"received"}),
    "completion": frozenset({"received", "reopened"}),
    "closing": frozenset({"finished"}),
    "reopening": _ENDS,
}
_MEETS: dict[ClockName, frozenset[str]] = {
    "verification": _ENDS | {"verified", "answered"},
    "first_answer": _ENDS | {"answered"},
    "completion": _ENDS,
    "closing": frozenset({"closed"}),
    "reopening": frozenset(),
}
_CANCELS: dict[ClockName, frozenset[str]] = {
    "closing": frozenset({"replied", "archived", "rejected", "reopened"}),
    "reopening": frozenset({"reopened"}),
}
ENDS_BY_ITSELF: frozenset[str] = frozenset({"closing", "reopening"})
"""Clocks that are met when their due day is over."""
OPENING = time(8, 0)
"""When reminders go out, in the office's zone: never at night."""
WARNED_BEFORE, REMINDED_AFTER = 1, (1, 3, 5)
"""Working days before and after the due date."""


class ClockLimits(NamedTuple):
    """How many working days each clock allows."""

    verification: int = 3
    first_answer: int = 5
    completion: int = 14
    closing: int = 10
    reopening: int = 10


LIMITS: dict[str, ClockLimits] = {
    "information_request": ClockLimits(completion=5),
    "complaint": ClockLimits(),
    "field_check": ClockLimits(completion=60),
}
"""By class of report; `field_check` for a complaint that needs one."""


class Clock(NamedTuple):
    """One clock of one complaint."""

    name: ClockName
    state: ClockState
    started: datetime
    ended: datetime | None
    due: date | None
    """None while it rests."""
    left: int
    """Working days left while it runs or rests; negative when it is late."""
    skipped: tuple[Holiday, ...]
    provisional: bool
    start_day: date
    days: int
    """Working days that it allows."""
    rests: tuple[tuple[date, date], ...] = ()
    """From the day of each question to the day of its reply."""


def clocks_of(
    steps: Iterable[CaseStep], limits: ClockLimits, calendar: WorkingDayCalendar, region: str, now: datetime
) -> list[Clock]:
    """Every clock that was started. `region` is the office's, for its zone."""
    ordered = sorted((s for s in steps if s.at <= now), key=lambda s: s.at)
    names: tuple[ClockName, ...] = ("verification", "first_answer", "completion", "closing", "reopening")
    found = (_clock(name, ordered, getattr(limits, name), calendar, (region, now)) for name in names)
    return [clock for clock in found if clock is not None]


def reminders_of(due: date, calendar: WorkingDayCalendar, region: str) -> tuple[datetime, ...]:
    """When something is said about a clock that is due on that day: the warning to the office itself, then the word to
    each level above it, one by one."""
    days = (_back(calendar, due, WARNED_BEFORE), *(calendar.add(due, days).day for days in REMINDED_AFTER))
    return tuple(datetime.combine(day, OPENING, zone_of(region)) for day in days)


def due_day(calendar: WorkingDayCalendar, first: date, days: int, rests: Sequence[tuple[date, date | None]]) -> DueDate:
    """So many working days after the first day, those of rest not counted."""
    due = calendar.add(first, days)
    while (longer := calendar.add(first, days + _rested(calendar, rests, first, due.day))).day > due.day:
        due = longer
    return due


def _clock(
    name: ClockName, steps: Sequence[CaseStep], days: int, calendar: WorkingDayCalendar, where: tuple[str, datetime]
) -> Clock | None:
    region, now = where
    start = _last_start(name, steps)
    if start is None:
        return None
    later = [s for s in steps if s.at >= start.at and s is not start]
    end = next((s for s in later if s.kind in _MEETS[name] | _CANCELS.get(name, frozenset())), None)
    first, today = local_day(start.at, region), local_day(end.at if end else now, region)
    rests = _rests(name, later, end.at if end else None, region)
    if end is None and rests and rests[-1][1] is None:
        spent = calendar.count(first, rests[-1][0]) - _rested(calendar, rests[:-1], first, rests[-1][0])
        return Clock(name, "resting", start.at, None, None, days - spent, (), False, first, days)
    due = due_day(calendar, first, days, rests)
    if name in ENDS_BY_ITSELF and today > due.day:  # what happened later changes nothing
        over = datetime.combine(due.day + timedelta(1), time(), zone_of(region))
        return Clock(name, "met", start.at, over, due.day, 0, due.skipped, due.provisional, first, days)
    left = calendar.count(today, due.day) or -calendar.count(due.day, today)
    state = _state(name, end, late=today > due.day)
    ended = end.at if end else None
    whole = tuple((begin, until) for begin, until in rests if until is not None)
    return Clock(name, state, start.at, ended, due.day, left, due.skipped, due.provisional, first, days, whole)


def _last_start(name: ClockName, steps: Sequence[CaseStep]) -> CaseStep | None:
    return next((s for s in reversed(steps) if s.kind in _STARTS[name]), None)


def _state(name: ClockName, end: CaseStep | None, *, late: bool) -> ClockState:
    if end is not None and end.kind in _CANCELS.get(name, frozenset()):
        return "cancelled"
    if late:
        return "late"
    return "met" if end is not None else "running"


def _rests(
    name: ClockName, steps: Sequence[CaseStep], end: datetime | None, region: str
) -> list[tuple[date, date | None]]:
    """From the day of each question to the day of the reply; the last may still be open."""
    found: list[tuple[date, date | None]] = []
    if name in ENDS_BY_ITSELF:
        return found
    for step in steps:
        if end is not None and step.at >= end:
            break
        if step.kind == "asked" and (not found or found[-1][1] is not None):
            found.append((local_day(step.at, region), None))
        elif step.kind == "replied" and found and found[-1][1] is None:
            found[-1] = (found[-1][0], local_day(step.at, region))
    if end is not None and found and found[-1][1] is None:
        found[-1] = (found[-1][0], local_day(end, region))
    return found


def _rested(calendar: WorkingDayCalendar, rests: Sequence[tuple[date, date | None]], first: date, until: date) -> int:
    """Working days between `first` and `until` on which the clock rested."""
    spans = ((max(begin, first), min(end or until, until)) for begin, end in rests)
    return sum(calendar.count(begin, end) for begin, end in spans if begin < end)


def _back(calendar: WorkingDayCalendar, day: date, days: int) -> date:
    while days:
        day -= timedelta(1)
        days -= calendar.is_working(day)
    return day
