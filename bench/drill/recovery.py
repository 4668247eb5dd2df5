"""How long after a fault was healed everything that was accepted before stood in the record."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

from bench.drill.recorded import RecordReader

EVERY = 0.4
"""Seconds between two looks, and so the grain of the measurement."""


class Recovery(threading.Thread):
    """`healed` is called after each fault; `longest` is the longest time, in seconds, since `restart`."""

    def __init__(self, reader: RecordReader) -> None:
        super().__init__(name="recovery", daemon=True)
        self._reader, self._over, self._lock = reader, threading.Event(), threading.Lock()
        self._waiting: list[tuple[float, set[str]]] = []
        self.longest = 0.0

    def healed(self, ids: Collection[str]) -> None:
        """Now; these were accepted while the fault lasted."""
        with self._lock:
            self._waiting.append((time.monotonic(), set(ids)))

    def restart(self) -> None:
        """Measure anew."""
        with self._lock:
            self._waiting, self.longest = [], 0.0

    def end(self) -> None:
        self._over.set()
        self.join(10)

    def run(self) -> None:
        while not self._over.wait(EVERY):
            with self._lock:
                waiting = {id for _, ids in self._waiting for id in ids}
            ended = self._reader.ended(waiting) if waiting else set()
            if ended is None:
                continue
            with self._lock:
                left = [(since, ids - ended) for since, ids in self._waiting]
                took = [time.monotonic() - since for since, ids in left if not ids]
                self.longest = max(self.longest, *took, 0.0)
                self._waiting = [(since, ids) for since, ids in left if ids]
