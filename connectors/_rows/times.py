"""Times as rows have them: ISO 8601, and what offices in Indonesia write. A time that could be two is none."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Literal

Dates = Literal["strict", "day-first", "month-first"]
"""How 05/08/2025 is read; strict: not at all."""

_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "januari january jan", "februari february pebruari feb peb", "maret march mar mrt", "april apr", "mei may",
            "juni june jun", "juli july jul", "agustus august agu ags agt aug", "september sept sep",
            "oktober october okt oct", "november nopember nov nop", "desember december des dec",
        ),
        1,
    )
    for word in words.split()
}  # fmt: skip
_ZONES = {"wib": 7, "wita": 8, "wit": 9, "z": 0, "utc": 0, "gmt": 0}
_WEEKDAY = (
    r"(?:(?:senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad|sen|sel|rab|kam|jum|sab|min"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)\.?\s*,?\s+)?"
)
_DATE = (
    r"(?:(?P<y>\d{4})(?P<ys>[-/.])(?P<m>\d{1,2})(?P=ys)(?P<d>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<as>[-/.])(?P<b>\d{1,2})(?P=as)(?P<ay>\d{4})"
    r"|(?P<wd>\d{1,2})[\s.-]+(?P<w>[a-z]+)[\s.,-]+(?P<wy>\d{4}))"
)
_CLOCK = (
    r"(?:(?:\s*,?\s+(?:(?:pukul|pkl|jam)\.?\s*)?|t)(?P<h>\d{1,2})[.:](?P<i>\d{2})(?:[.:](?P<s>\d{2})"
    r"(?P<f>[.,]\d{1,9})?)?\s*(?P<zone>wib|wita|wit|z|utc|gmt|[+-]\d{2}:?(?:\d{2})?)?)?"
)
_TIME = re.compile(_WEEKDAY + _DATE + _CLOCK, re.IGNORECASE | re.ASCII)
_BESIDE = re.compile(_CLOCK, re.IGNORECASE | re.ASCII)
_BASIC = re.compile(r"\d{8}(?:t\d{4}(?:\d{2})?(?:z|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE | re.ASCII)
_OWN_CLOCK = re.compile(r"\s\d{1,2}[.:]\d{2}(?:[.:]\d{2}(?:\.\d{1,9})?)?$", re.ASCII)
_SERIAL_DAY = re.compile(r"\d{5}", re.ASCII)
_PART_OF_DAY = re.compile(r"0(?:,\d+|\.\d|\.\d{3,})|0", re.ASCII)
"""As a spreadsheet counts a time of day; `0.30` is half past midnight."""


class AmbiguousTime(ValueError):  # noqa: N818 - it says what is wrong
    """It can be read as two dates."""


def read_time(written: str, zone: tzinfo, dates: Dates = "strict") -> datetime:
    """The time; in `zone` where it names none. `14.30` is half past two. Of `05/08/2025` nobody knows which is the
    month: it is read only where one of the two can be none, or `dates` says so. Raises ValueError, AmbiguousTime."""
    if (time := _plain(written)) is not None:
        return time if time.tzinfo else time.replace(tzinfo=zone)
    written = " ".join(written.split())
    found = _TIME.fullmatch(written)
    if found is None:
        if not _BASIC.fullmatch(written):
            raise ValueError("no time")
        time = datetime.fromisoformat(written)
    else:
        time = _time(_date(found, dates), found)
    return time if time.tzinfo else time.replace(tzinfo=zone)


def with_clock(day: str, clock: str) -> str | None:
    """A date and the time of day that stands beside it as one time; both may be as a spreadsheet counts them. None:
    the other is no time of day."""
    if _PART_OF_DAY.fullmatch(clock):
        clock = str(timedelta(seconds=min(round(float(clock.replace(",", ".")) * 86_400), 86_399)))
    if not _BESIDE.fullmatch(f" {clock}"):
        return None
    if own := _OWN_CLOCK.search(day):
        day = day[: own.start()].rstrip()
    if _SERIAL_DAY.fullmatch(day):
        day = (date(1899, 12, 30) + timedelta(days=int(day))).isoformat()
    return f"{day} {clock}"


def _plain(written: str) -> datetime | None:
    """ISO 8601 with seconds, which most files have."""
    if len(written) < 19 or (written[4], written[13], written[16]) != ("-", ":", ":"):
        return None
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def _date(found: re.Match[str], dates: Dates) -> date:
    if found["y"]:
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    if found["w"]:
        if (month := _MONTHS.get(found["w"].lower())) is None:
            raise ValueError("no month")
        return date(int(found["wy"]), month, int(found["wd"]))
    first, second, year = int(found["a"]), int(found["b"]), int(found["ay"])
    if found["as"] != "." and first <= 12 and second <= 12 and first != second:  # with dots the day comes first
        if dates == "strict":
            raise AmbiguousTime("day or month")
        return date(year, second, first) if dates == "day-first" else date(year, first, second)
    month, day = (second, first) if second <= 12 else (first, second)
    return date(year, month, day)


def _time(day: date, found: re.Match[str]) -> datetime:
    if found["h"] is None:
        return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the caller gives it its zone
    micro = int(float(f"0{found['f'].replace(',', '.')}") * 1_000_000) if found["f"] else 0
    clock = (int(found["h"]), int(found["i"]), int(found["s"] or 0), micro)
    return datetime(day.year, day.month, day.day, *clock, tzinfo=_zone(found["zone"]))


def _zone(word: str | None) -> tzinfo | None:
    if not word:
        return None
    if (hours := _ZONES.get(word.lower())) is not None:
        return timezone(timedelta(hours=hours))
    sign = -1 if word[0] == "-" else 1
    digits = word[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0)))
