"""Figures from a scan through whole tables, shown again until it is time for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

REST = 5.0
"""A scan rests this many times its own duration: a large record is not scanned all the time."""
T = TypeVar("T")


class CachedScan(Generic[T]):
    """`take` makes the figures; they are `fresh` for so many seconds."""

    def __init__(self, take: Callable[[], Coroutine[Any, Any, T]], fresh: float, clock: Callable[[], float]) -> None:
        self.figures: T | None = None
        self.at = float("-inf")
        """When they were taken."""
        self._take = take
        self._fresh = fresh
        self._clock = clock
        self._next = float("-inf")
        self._scanning: asyncio.Task[None] | None = None

    async def renew(self) -> None:
        """Scan again, if it is time. A scan that takes longer than a scrape goes on, and the next scrape waits for the
        same one. Raises Retry."""
        if self._scanning is None and self._clock() >= self._next:
            self._scanning = asyncio.create_task(self._scan())
            self._scanning.add_done_callback(self._done)
        if self._scanning is not None:
            await asyncio.shield(self._scanning)

    async def _scan(self) -> None:
        began = self._clock()
        self.figures = await self._take()
        self.at = self._clock()
        self._next = self.at + max(self._fresh, REST * (self.at - began))

    def _done(self, scanning: asyncio.Task[None]) -> None:
        self._scanning = None
        if not scanning.cancelled():
            scanning.exception()  # nobody may wait for it any more; asyncio would log what went wrong
