"""The door's clock. Timelines stand in the order of its instants, so it never gives one twice and never goes back.

When the machine's clock is stepped back, ours goes on from the last instant in steps of a microsecond until the other
has caught up. All doors of a data folder, and those that come after a restart, keep to one floor: the time stamp of a
file, which is looked at and moved ten times a second, and at each instant while the machine's clock is behind. A
floor more than `MOST` ahead is left: then the clock was wrong before, and has been set right.

Raw ids are drawn by the machine's clock: where instants are alike (two processes, or rows of one import) they only have
to differ.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

EVERY = 100_000
"""Microseconds between two looks at the floor."""
MOST = 24 * 3600 * 1_000_000
"""Microseconds."""


def now() -> datetime:
    """The present by the machine's clock, aware, UTC."""
    return datetime.now(UTC)


class Clock:
    """`clock()` is the present, aware, UTC, later than all before. Without a file it keeps to itself."""

    def __init__(self, floor: Path | None = None, wall: Callable[[], int] = time.time_ns) -> None:
        self._floor = floor
        self._wall = wall
        self._last = self._due = 0

    def __call__(self) -> datetime:
        now = self._wall() // 1000
        if now >= self._due or now <= self._last:
            now = self._agreed(now)
        self._last = now
        return datetime.fromtimestamp(now / 1e6, UTC)  # exact until 2255; a sum takes twice as long

    def _agreed(self, now: int) -> int:
        last = max(self._last, self._found(now))
        if last <= now + MOST:
            now = max(now, last + 1)
        self._due = now + EVERY
        if self._floor is not None:
            with suppress(OSError):  # a disk that is full or gone is told where something is to be stored
                os.utime(self._floor, ns=(now * 1000, now * 1000))
        return now

    def _found(self, now: int) -> int:
        if self._floor is None:
            return 0
        try:
            found = self._floor.stat().st_mtime_ns // 1000
        except OSError:
            with suppress(OSError):
                self._floor.touch(mode=0o600)
            return 0
        ahead = found > now and not self._last  # we come after a restart: the last ones may not have moved it
        return found + EVERY if ahead else found
