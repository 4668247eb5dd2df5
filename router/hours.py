"""When an office is open, as the registry writes it: "Sen-Kam 08:00-16:00, Jum 08:00-11:30", in the office's zone."""

from __future__ import annotations

import re
from datetime import time
from functools import cache
from typing import NamedTuple

_DAYS = {
    name: day
    for day, names in enumerate(
        (("sen", "mon"), ("sel", "tue"), ("rab", "wed"), ("kam", "thu"), ("jum", "fri"), ("sab", "sat"),
         ("min", "sun", "ahad")),
    )
    for name in names
}  # fmt: skip
_PART = re.compile(r"([^\W\d]+)(?:-([^\W\d]+))? (\d{2}:\d{2})-(\d{2}:\d{2})")


class Opening(NamedTuple):
    """From when until when an office is open on a day."""

    begin: time
    end: time


OfficeHours = tuple[tuple[Opening, ...], ...]
"""By the day of the week, Monday first; in order."""
USUAL: OfficeHours = ((Opening(time(8), time(16)),),) * 5 + ((), ())
"""Of an office whose hours are not stated."""


@cache
def parse_hours(written: str) -> OfficeHours:
    """The hours of each day. Raises ValueError."""
    found: list[list[Opening]] = [[] for _ in range(7)]
    for part in written.split(", "):
        read = _PART.fullmatch(part)
        if read is None:
            raise ValueError("hours takes days and times as Sen-Jum 08:00-16:00")
        first, last = _day(read[1]), _day(read[2] or read[1])
        opening = Opening(time.fromisoformat(read[3]), time.fromisoformat(read[4]))
        if opening.begin >= opening.end:
            raise ValueError(f"hours: {read[3]} is not before {read[4]}")
        for n in range((last - first) % 7 + 1):
            found[(first + n) % 7].append(opening)
    return tuple(tuple(sorted(day)) for day in found)


def hours_of_office(written: str) -> OfficeHours:
    """Its hours; the usual ones where none are stated, or none on a day from Monday to Friday."""
    hours = parse_hours(written) if written else USUAL
    return hours if any(hours[:5]) else USUAL


def _day(name: str) -> int:
    lowered = name.lower()
    day = _DAYS.get(lowered[:3], _DAYS.get(lowered))
    if day is None:
        raise ValueError(f"hours: {name[:20]!r} is no day: write Sen, Sel, Rab, Kam, Jum, Sab or Min")
    return day
