"""How long after a fault was healed everything accepted before stood in the record."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

from bench.drill.look import Look

EVERY = 0.4
"""Seconds between two looks, and so the grain of what is measured."""


class Watch(threading.Thread):
    """Told of each healed fault; `longest` is the longest time since `fresh`."""

    def __init__(self, look: Look) -> None:
        super().__init__(name="recovery", daemon=True)
        self._look, self._over, self._lock = look, threading.Event(), threading.Lock()
        self._waiting: list[tuple[float, set[str]]] = []
        self.longest = 0.0

    def healed(self, ids: Collection[str]) -> None:
        """Now; these were accepted while the fault lasted."""
        with self._lock:
            self._waiting.append((time.monotonic(), set(ids)))

    def fresh(self) -> None:
        with self._lock:
            self._waiting, self.longest = [], 0.0

    def end(self) -> None:
        self._over.set()
        self.join(10)

    def run(self) -> None:
        while not self._over.wait(EVERY):
            with self._lock:
                open_ = {id for _, ids in self._waiting for id in ids}
            settled = self._look.settled(open_) if open_ else set()
            if settled is None:
                continue
            with self._lock:
                left = [(since, ids - settled) for since, ids in self._waiting]
                took = [time.monotonic() - since for since, ids in left if not ids]
                self.longest = max(self.longest, *took, 0.0)
                self._waiting = [(since, ids) for since, ids in left if ids]
