"""Instants as people write them."""

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
    mark = "." if language == "id" else ":"
    day, time = _day(there.date(), language), f"{there:%H}{mark}{there:%M} {there.tzname()}"
    return f"{day}, {time}".replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")


def _day(day: date, language: Language) -> str:
    month = translate("months", language).split()[day.month - 1]
    return f"{day.day} {month} {day.year}"
