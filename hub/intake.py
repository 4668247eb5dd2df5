"""Where the doors publish: straight to the bus, or through a spool where the bus is another machine's."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bus import Bus, Spool, left_over
from hub.settings import Settings


def spool_path(settings: Settings) -> Path:
    """The spool of all doors of this data folder."""
    return settings.data / "spool.db"


@asynccontextmanager
async def intake(settings: Settings, bus: Bus) -> AsyncIterator[Bus]:
    """A spool before a bus that may be away, and before any bus while something waits in it from another day.

    Raises UnusableLog.
    """
    if settings.remote or _waits(spool_path(settings)):
        async with Spool(bus, spool_path(settings), settings.spool_limit) as spool:
            yield spool
    else:
        yield bus


def _waits(path: Path) -> bool:
    try:
        return left_over(path) > 0
    except sqlite3.Error:
        return True  # opening it says what is wrong
