"""A complaint's due dates, as plain values: the router computes them, the sink stores them.

They stand here because neither room may import the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

StepKind = Literal[
    "received", "verified", "answered", "asked", "replied", "finished", "archived", "rejected", "reopened", "closed",
]  # fmt: skip
"""What each does to the clocks stands in `router/clocks.py`."""


class CaseStep(NamedTuple):
    """Something that happened to a complaint, as far as the clocks care."""

    at: datetime
    kind: StepKind


class CaseHistory(NamedTuple):
    """What the due dates of one complaint are computed from."""

    complaint: str
    owner: str
    place: str | None
    """Region code."""
    office: str | None
    """The office that has it."""
    report_class: str
    field_check: bool
    """It needs an investigation, which has a longer time."""
    steps: tuple[CaseStep, ...]


class ComputedClock(NamedTuple):
    """One clock of one complaint."""

    clock: str
    region: str
    """The office's: its zone and its calendar decide."""
    state: str
    """running, resting, met, late (with `ended_at`: met late; without: overdue) or cancelled."""
    started_at: datetime
    ended_at: datetime | None
    start_day: date
    days: int
    rests: tuple[tuple[date, date], ...]
    due_day: date | None
    due_at: datetime | None
    """The end of the due day."""
    days_left: int
    skipped: tuple[str, ...]
    provisional: bool
    reminders: tuple[datetime, ...]
    """When the office is warned, then the levels above it, one by one."""


class MovedClock(NamedTuple):
    """A clock by another edition of the calendar."""

    due_day: date
    due_at: datetime
    skipped: tuple[str, ...]
    provisional: bool
    reminders: tuple[datetime, ...]


class StoredClock(NamedTuple):
    """What a running clock is computed anew from."""

    complaint: str
    clock: str
    office: str | None
    region: str
    start_day: date
    days: int
    rests: tuple[tuple[date, date], ...]
    due_day: date


ComputeClocks = Callable[[Sequence[CaseHistory], datetime], Sequence[Sequence[ComputedClock]]]
"""The clocks of each complaint, as of that instant."""
MoveClocks = Callable[[Sequence[StoredClock]], Sequence[MovedClock]]
"""The clocks by the newest calendar, one for each that was given."""
