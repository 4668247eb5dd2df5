"""Lines of the log that come again and again: strangers, full disks and dead providers cause them by the thousand."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY = 60.0
"""Seconds."""
MOST = 1_000
"""Different lines that are remembered."""


class RepeatedLines:
    """Writes a line at once, and the same line again at most once a minute, with how often it came."""

    def __init__(self, log: logging.Logger, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._seen: dict[str, tuple[float, int]] = {}
        """By line: when it was written, and how often it came since."""

    def write(self, level: int, line: str) -> None:
        now = self._monotonic()
        at, times = self._seen.get(line, (float("-inf"), 0))
        if now < at + EVERY:
            self._seen[line] = (at, times + 1)
            return
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[line] = (now, 0)
        self._log.log(level, "%s%s", line, f" ({times + 1:,} times since)" if times else "")


class RepeatedLineFilter(logging.Filter):
    """For the loggers of libraries: of their warnings, each wording passes at most once a minute, whatever it is filled
    with."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return True
        now = self._monotonic()
        if now < self._next.get(record.msg, float("-inf")):
            return False
        self._next[record.msg] = now + EVERY
        return True
