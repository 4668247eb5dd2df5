"""Results of claimed work, stored in batches: one transaction for all that came in while the last one ran."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bus import fault_location
from hub.clock import TimeSource
from schemas import Retry

R = TypeVar("R")
MIN_INTERVAL = 0.01
"""Seconds from one transaction to the next, so that results find company."""
LONGEST_WAIT = 5.0
"""Seconds between two tries while the record is unavailable."""
MOST = 500
log = logging.getLogger(__name__)


class ResultWriter(Generic[R]):
    """Takes results and stores them in order. `in_flight` are the ids of claimed work that has no stored result yet;
    `id_of` is that of a result."""

    def __init__(
        self, store: Callable[[list[R]], Awaitable[None]], id_of: Callable[[R], str], timing: TimeSource
    ) -> None:
        self._store, self._id_of, self._timing = store, id_of, timing
        self._waiting: list[R] = []
        self._wake = asyncio.Event()
        self.in_flight: set[str] = set()

    def put(self, result: R) -> None:
        """Store it soon."""
        self._waiting.append(result)
        self._wake.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            while self._waiting:
                await self.flush()
                await self._timing.sleep(MIN_INTERVAL)
            self._wake.clear()
            await self._wake.wait()

    async def flush(self) -> None:
        """Store what waits, however long the record is unavailable."""
        batch = self._waiting[:MOST]
        if batch and not await self._stored(batch):
            for result in batch:
                await self._stored([result])
        del self._waiting[: len(batch)]

    async def finish(self) -> None:
        """Store all of it."""
        while self._waiting:
            await self.flush()

    async def _stored(self, batch: list[R]) -> bool:
        """False: not as a whole. One that cannot be stored stays in flight: it is not done again, and is `unknown` once
        another process holds the account."""
        pause = 0.1
        while True:
            try:
                await self._store(batch)
            except Retry as fault:
                log.warning("results: %s; trying again", fault.reason)
                await self._timing.sleep(pause)
                pause = min(pause * 2, LONGEST_WAIT)
            except Exception as error:  # one bad result must not delay the others
                log.error("results: %s", fault_location(error))
                return False
            else:
                self.in_flight.difference_update(map(self._id_of, batch))
                return True
