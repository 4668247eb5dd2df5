"""Days, times and sizes as people write them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub.web.translations import Language, translate


def format_day(day: str, language: Language) -> str:
    """The day as people read it: `2 Maret 2026`, of `2026-03-02`."""
    return _day(date.fromisoformat(day), language)


def format_time(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """The time as people read it: `2 Maret 2026, 09.30 WIB`."""
    there = at.astimezone(zone)
    day, time = _day(there.date(), language), f"{format_clock(there, language)} {there.tzname()}"
    return f"{day}, {time}".replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")


def format_clock(there: datetime, language: Language) -> str:
    """The time of day as people read it: `09.30`."""
    return there.strftime("%H.%M" if language == "id" else "%H:%M")


def format_size(size: int, language: Language) -> str:
    """A number of bytes as people read it: `48 kB`, `1,5 MB`."""
    if size < 2**20:
        return f"{-(-size // 1024)} kB"
    megabytes = f"{size / 2**20:.1f} MB"
    return megabytes.replace(".", ",") if language == "id" else megabytes


def _day(day: date, language: Language) -> str:
    month = translate("months", language).split()[day.month - 1]
    return f"{day.day} {month} {day.year}"
