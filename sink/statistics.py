"""Numbers for people and as open data, from the counters: never by counting reports.

Nothing personal is in them. A cell of fewer than `SMALL` reports says only that it is small: with the region, the
office and the category it could point at a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from sink.record import Record
from sink.tables import counters, office_activity

SMALL = 5
"""Reports; cells with fewer are suppressed in open data."""
MOST_CELLS = 100_000
COUNTS = ("received", "valid", "answered", "answered_in_time", "overdue", "finished", "reopened")
SILENCES = (30, 90, 365)
"""Days."""


class Cell(NamedTuple):
    """The numbers of one group of reports. None: suppressed, or there is nothing to say."""

    key: tuple[str, ...]
    received: int | None = None
    valid: int | None = None
    answered: int | None = None
    answered_in_time: int | None = None
    overdue: int | None = None
    finished: int | None = None
    reopened: int | None = None
    median_days: int | None = None
    """Working days until they were finished."""
    rating: float | None = None
    """Mean, 1 to 5."""
    ratings: int | None = None


class SilentOffice(NamedTuple):
    """An office that has reports waiting for a first answer and has answered none for long."""

    office_id: str
    name: str | None
    owner: str
    waiting: int
    days: int
    """Since its last answer, or since its first report."""


def statistics(
    record: Record,
    by: Sequence[str] = ("region",),
    *,
    region: str | None = None,
    since: str | None = None,
    until: str | None = None,
    suppress: bool = True,
) -> list[Cell]:
    """Cells by these columns of `counters`, in their order. `since` and `until` are months, YYYY-MM, both included;
    `region`: reports of that region and of those inside. Raises Retry."""
    columns = [counters.c[name] for name in by]
    where = [] if region is None else [within(counters.c.region, region)]
    where += [counters.c.month >= since] if since else []
    where += [counters.c.month <= until] if until else []
    query = select(*columns, counters.c.measure, func.sum(counters.c.value)).where(*where)
    query = query.group_by(*columns, counters.c.measure).limit(MOST_CELLS)
    found: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    with record.read() as connection:
        for *key, measure, value in connection.execute(query):
            if value:
                found[tuple(key)][measure] = int(value)
    return [_cell(key, found[key], suppress=suppress) for key in sorted(found)]


def silent_offices(record: Record, days: int, now: datetime, *, limit: int = 1000) -> list[SilentOffice]:
    """Offices with reports that wait, and without any answer for so many days; the longest first. Raises Retry."""
    table, before = office_activity.c, now - timedelta(days=days)
    silent = or_(table.answered_at.is_(None), table.answered_at <= before)
    query = select(office_activity).where(table.waiting > 0, table.since <= before, silent)
    with record.read() as connection:
        rows = connection.execute(query.limit(limit)).all()
    found = [_silent(row, now) for row in rows]
    return sorted(found, key=lambda office: (-office.days, office.office_id))


def _silent(row: Any, now: datetime) -> SilentOffice:
    days = (now - (row.answered_at or row.since)).days
    return SilentOffice(row.office_id, row.office_name, row.owner, row.waiting, days)


def headings(by: Sequence[str]) -> tuple[str, ...]:
    """Of the rows of `open_data`, also where there is none."""
    return (*by, *(name for name in Cell._fields if name != "key"))


def open_data(cells: Iterable[Cell], by: Sequence[str]) -> list[dict[str, Any]]:
    """The cells as flat rows, as CSV and JSON publish them."""
    names = headings(by)
    return [dict(zip(names, (*cell.key, *cell[1:]), strict=True)) for cell in cells]


def within(column: Any, region: str) -> ColumnElement[bool]:
    """Whether the column's code is of that region or of one inside."""
    return or_(column == region, column.startswith(f"{region}.", autoescape=True))


def _cell(key: tuple[str, ...], values: Mapping[str, int], *, suppress: bool) -> Cell:
    received = values.get("received", 0)
    if suppress and received < SMALL:
        return Cell(key)
    counts = {name: values.get(name, 0) for name in COUNTS}
    ratings = {n: values.get(f"rating:{n}", 0) for n in range(1, 6)}
    rated = sum(ratings.values())
    shown = rated >= SMALL if suppress else rated > 0
    mean = round(sum(n * count for n, count in ratings.items()) / rated, 2) if shown else None
    return Cell(key, median_days=_median(values), rating=mean, ratings=rated if shown else None, **counts)


def _median(values: Mapping[str, int]) -> int | None:
    """Of the histogram; of an even number the lower of the two in the middle."""
    steps = sorted((int(name[5:]), count) for name, count in values.items() if name.startswith("days:"))
    half, seen = (sum(count for _, count in steps) + 1) // 2, 0
    for days, count in steps:
        seen += count
        if seen >= half > 0:
            return days
    return None
