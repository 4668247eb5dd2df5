"""One line of the log for a fault that comes again and again: at once, and then every minute."""

from __future__ import annotations

import logging
from collections.abc import Callable

EVERY = 60.0
"""Seconds."""
log = logging.getLogger(__name__)


class FaultLog:
    """The faults of one piece of work; `monotonic` gives seconds."""

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self._name, self._monotonic = name, monotonic
        self._last = ""
        self._next = float("-inf")

    def __call__(self, fault: str, *, level: int = logging.WARNING) -> None:
        """It failed so."""
        now = self._monotonic()
        if fault != self._last or now >= self._next:
            self._last, self._next = fault, now + EVERY
            log.log(level, "%s: %s; trying again", self._name, fault)
