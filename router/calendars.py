"""Working days: a calendar of decrees, and the zone of a region.

`calendars.csv` is the seed: national holidays and days of joint leave (cuti bersama) by their decree, as the Python
package `holidays` has them (`python -m deploy.calendars` writes it). A region adds rows of its own. Years without a
decree hold estimates, and every due date that reaches into them is provisional.

Calendars inherit: nation, province, regency, office. A later row for the same day wins; `workday` takes a day back, and
`optional` (fakultatif) stops no clock.
"""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

NATION = "id"
HEADINGS = ("calendar", "date", "kind", "name", "decree")
SEED = 1
"""Raised with every change of `calendars.csv`, so that running clocks are computed anew."""
DayKind = Literal["national", "joint", "local", "optional", "workday"]
FIRST, LAST = date(2024, 1, 1), date(2036, 12, 31)
"""The days that a calendar knows."""
_FREE: frozenset[str] = frozenset({"national", "joint", "local"})
_WIB = ZoneInfo("Asia/Jakarta")
_WITA = ("51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76")
_WIT = ("81", "82", "91", "92", "93", "94", "95", "96")
_ZONES = dict.fromkeys(_WITA, ZoneInfo("Asia/Makassar")) | dict.fromkeys(_WIT, ZoneInfo("Asia/Jayapura"))


class Holiday(NamedTuple):
    """One row of a calendar."""

    calendar: str
    """`id` for the nation, a region code, or an office."""
    day: date
    kind: DayKind
    name: str
    decree: str = ""
    """Empty: an estimate, no decree yet."""

    def __str__(self) -> str:
        source = self.decree or "perkiraan"
        return f"{self.day:%d-%m-%Y} {self.name} ({source})"


class DueDate(NamedTuple):
    """A day reached by counting working days, and how."""

    day: date
    skipped: tuple[Holiday, ...]
    """Holidays on the way that fell on a weekday."""
    provisional: bool
    """It lies past the last decree: a later decree may move it."""


class WorkingDayCalendar:
    """Working days, Monday to Friday without holidays. Built once, asked often."""

    def __init__(self, holidays: Iterable[Holiday]) -> None:
        by_day: dict[date, Holiday] = {}
        for holiday in holidays:
            by_day[holiday.day] = holiday
        self._free = {day: h for day, h in by_day.items() if h.kind in _FREE and day.weekday() < 5}
        self._skipped = sorted(self._free)
        days = ((FIRST + timedelta(n)) for n in range((LAST - FIRST).days + 1))
        self._working = [d.toordinal() for d in days if d.weekday() < 5 and d not in self._free]
        decreed = [h.day for h in by_day.values() if h.decree and h.calendar == NATION]
        self.decreed_until = date(max(decreed).year, 12, 31) if decreed else FIRST
        """The last day of the last year that has a decree."""
        self._added = lru_cache(maxsize=1024)(self._count_on)

    def is_working(self, day: date) -> bool:
        """Whether offices work on that day."""
        at = bisect_left(self._working, day.toordinal())
        return at < len(self._working) and self._working[at] == day.toordinal()

    def count(self, after: date, until: date) -> int:
        """Working days later than `after`, up to and with `until`."""
        return max(0, bisect_right(self._working, until.toordinal()) - bisect_right(self._working, after.toordinal()))

    def add(self, start: date, days: int) -> DueDate:
        """The working day that many after `start`. Raises ValueError outside of the days that a calendar knows."""
        return self._added(start, days)

    def _count_on(self, start: date, days: int) -> DueDate:
        at = bisect_right(self._working, start.toordinal()) + days - 1
        if days < 1 or start < FIRST or at >= len(self._working):
            raise ValueError(f"{days} working days after {start} lie outside of {FIRST} to {LAST}")
        day = date.fromordinal(self._working[at])
        return DueDate(day, self.between(start, day), day > self.decreed_until)

    def between(self, after: date, until: date) -> tuple[Holiday, ...]:
        """Holidays on weekdays later than `after`, up to and with `until`."""
        found = self._skipped[bisect_right(self._skipped, after) : bisect_right(self._skipped, until)]
        return tuple(self._free[day] for day in found)


def calendar_of(region: str, holidays: Sequence[Holiday], office: str | None = None) -> WorkingDayCalendar:
    """The calendar of a region or of an office there: rows of the nation, the province, the regency, the office."""
    parts = region.split(".")
    names = [NATION, *(".".join(parts[: n + 1]) for n in range(min(len(parts), 2))), *([office] if office else [])]
    return WorkingDayCalendar(h for name in names for h in holidays if h.calendar == name)


def zone_of(region: str) -> ZoneInfo:
    """WIB, WITA or WIT, by the first two digits of the region code; WIB where that is not known."""
    return _ZONES.get(region[:2], _WIB)


def local_day(at: datetime, region: str) -> date:
    """The day of an instant where the office is."""
    return at.astimezone(zone_of(region)).date()


@cache
def national_holidays() -> tuple[Holiday, ...]:
    """The rows shipped with the hub."""
    return load_holidays(Path(__file__).with_name("calendars.csv").read_text(encoding="utf-8"))


def load_holidays(text: str) -> tuple[Holiday, ...]:
    """Rows of CSV with the headings calendar, date, kind, name, decree. Raises ValueError naming the line."""
    found, rows = [], csv.DictReader(text.splitlines())
    if missing := [name for name in HEADINGS if name not in (rows.fieldnames or ())]:
        raise ValueError(f"line 1: the heading {missing[0]} is missing: write {','.join(HEADINGS)}")
    for line, row in enumerate(rows, 2):
        try:
            found.append(_holiday(row))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"line {line}: {error}") from None
    return tuple(found)


def format_holidays(holidays: Iterable[Holiday]) -> str:
    """The rows as `load_holidays` reads them."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows((h.calendar, h.day.isoformat(), h.kind, h.name, h.decree) for h in holidays)
    return text.getvalue()


def _holiday(row: dict[str, str]) -> Holiday:
    kinds: dict[str, DayKind] = {k: k for k in ("national", "joint", "local", "optional", "workday")}
    if row["kind"] not in kinds:
        raise ValueError(f"kind takes one of {', '.join(kinds)}, not {row['kind']!r}")
    return Holiday(row["calendar"], date.fromisoformat(row["date"]), kinds[row["kind"]], row["name"], row["decree"])
