"""Instants as people write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hub.web.translations import Language, translate


def when(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """`2 Maret 2026, 09.30 WIB`"""
    there = at.astimezone(zone)
    month = translate("months", language).split()[there.month - 1]
    mark = "." if language == "id" else ":"
    day, time = f"{there.day} {month} {there.year}", f"{there:%H}{mark}{there:%M} {there.tzname()}"
    return f"{day}, {time}".replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")
