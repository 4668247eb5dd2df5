"""Clocks: that of the machine, and the ingress's, whose instants order a complaint's timeline.

The ingress's clock never gives an instant twice and never goes back. When the machine's clock is stepped back, ours
goes on from its last instant in steps of a microsecond until the machine's has caught up. All ingress processes of a
data folder, and their successors after a restart, share one floor: the time stamp of a file, read and moved ten times
a second, and at each instant while the machine's clock is behind. A floor more than `MOST` ahead is ignored: then the
clock was wrong before, and has been corrected.

Raw ids are drawn by the machine's clock: where instants are equal (two processes, or rows of one import) they only have
to differ.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

EVERY = 100_000
"""Microseconds between two readings of the floor."""
MOST = 24 * 3600 * 1_000_000
"""Microseconds."""


def utc_now() -> datetime:
    """The present by the machine's clock, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TimeSource:
    """The time that background work goes by; tests pass a virtual one."""

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    """Seconds."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class Clock:
    """`clock()` is the present, aware, UTC, later than all before. Without a file it is this process's own."""

    def __init__(self, floor: Path | None = None, wall: Callable[[], int] = time.time_ns) -> None:
        self._floor = floor
        self._wall = wall
        self._last = self._due = 0

    def __call__(self) -> datetime:
        now = self._wall() // 1000
        if now >= self._due or now <= self._last:
            now = self._above_floor(now)
        self._last = now
        return datetime.fromtimestamp(now / 1e6, UTC)  # exact until 2255; a sum takes twice as long

    def _above_floor(self, now: int) -> int:
        last = max(self._last, self._read_floor(now))
        if last <= now + MOST:
            now = max(now, last + 1)
        self._due = now + EVERY
        if self._floor is not None:
            with suppress(OSError):  # a full or missing disk shows itself where something is stored
                os.utime(self._floor, ns=(now * 1000, now * 1000))
        return now

    def _read_floor(self, now: int) -> int:
        if self._floor is None:
            return 0
        try:
            floor = self._floor.stat().st_mtime_ns // 1000
        except OSError:
            with suppress(OSError):
                self._floor.touch(mode=0o600)
            return 0
        after_restart = floor > now and not self._last  # the last instants before it may not have moved the floor
        return floor + EVERY if after_restart else floor
