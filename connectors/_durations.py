"""Durations and times of day, as people write them in settings."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WINDOW = re.compile(r"(\d{1,2})[:.](\d{2})\s*-\s*(\d{1,2})[:.](\d{2})")


def seconds_of(duration: str | float, name: str) -> float:
    """Seconds of "3h", "15m", "90s", "2d" or a number. Raises ValueError, which names the setting."""
    found = _DURATION.fullmatch(str(duration).strip().lower())
    if found is None:
        raise ValueError(f"{name}: takes a duration as 3h, 15m or 90s")
    return float(found[1]) * _UNITS[found[2]]


def window_of(text: str, name: str) -> tuple[int, int] | None:
    """The minutes of the day of "20:00-05:00"; None: always. Raises ValueError, which names the setting."""
    if not text.strip():
        return None
    found = _WINDOW.fullmatch(text.strip())
    if found is None or int(found[1]) > 24 or int(found[3]) > 24:
        raise ValueError(f"{name}: takes hours as 20:00-05:00")
    return int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])


def seconds_until(window: tuple[int, int] | None, now: datetime) -> float:
    """Seconds until the window opens, by the clock of western Indonesia; 0: it is open."""
    if window is None:
        return 0.0
    local = now.astimezone(WIB)
    minute, (begin, end) = local.hour * 60 + local.minute, window
    inside = begin <= minute < end if begin <= end else minute >= begin or minute < end
    return 0.0 if inside else ((begin - minute) % 1440) * 60.0 - local.second
