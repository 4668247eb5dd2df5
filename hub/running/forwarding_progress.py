"""Writes how far forwards have come: what many of them wait for at the same moment, in one transaction."""

from __future__ import annotations

import asyncio
import logging

from bus import fault_location
from hub.running.backend import Backend
from schemas import Retry
from sink.forward_progress import Progress, store_progress
from sink.leases import StaleEpoch

LONGEST_PAUSE = 5.0
"""Seconds between two tries while the record is unavailable."""
log = logging.getLogger(__name__)


class ProgressWriter:
    """`await put(progress)` returns once it is durable."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._waiting: list[tuple[Progress, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def put(self, progress: Progress) -> None:
        """Store it. Raises StaleEpoch where another process has the job now."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((progress, stored))
        self._wake.set()
        await stored

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()

    async def flush(self) -> None:
        """Store what waits, however long the record is unavailable."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await self._store(batch)

    async def _store(self, batch: list[tuple[Progress, asyncio.Future[None]]]) -> None:
        pause = 0.1
        while True:
            try:
                held = await self._backend(store_progress, [one for one, _ in batch], self._backend.timing.now())
            except Retry as fault:
                log.warning("forwards: %s; trying again", fault.reason)
                await self._backend.timing.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception as error:  # a bug with one must not hold up the others
                log.error("forwards: %s", fault_location(error))
                await self._one_by_one(batch, error)
                return
            else:
                _settle(batch, held)
                return

    async def _one_by_one(self, batch: list[tuple[Progress, asyncio.Future[None]]], error: Exception) -> None:
        if len(batch) > 1:
            for one in batch:
                await self._store([one])
        elif not batch[0][1].done():
            batch[0][1].set_exception(error)


def _settle(batch: list[tuple[Progress, asyncio.Future[None]]], held: set[str]) -> None:
    for progress, stored in batch:
        if stored.done():  # its task was cancelled
            continue
        if progress.job.id in held:
            stored.set_result(None)
        else:
            stored.set_exception(StaleEpoch(progress.job.account))
