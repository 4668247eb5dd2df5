"""Results of sends, stored in batches: one transaction for all that came in while the last one ran."""

from __future__ import annotations

import asyncio
import logging

from bus import fault_location
from hub.running.backend import Backend
from schemas import Retry
from sink.outbox_results import SendResult, store_results

MIN_INTERVAL = 0.01
"""Seconds from one transaction to the next, so that results find company."""
LONGEST_WAIT = 5.0
"""Seconds between two tries while the record is unavailable."""
MOST = 500
log = logging.getLogger(__name__)


class ResultWriter:
    """Takes results and stores them in order. `in_flight` are the replies that have no stored result yet."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._waiting: list[SendResult] = []
        self._wake = asyncio.Event()
        self.in_flight: set[str] = set()

    def put(self, result: SendResult) -> None:
        """Store it soon."""
        self._waiting.append(result)
        self._wake.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self.flush()
                await self._backend.timing.sleep(MIN_INTERVAL)

    async def flush(self) -> None:
        """Store what waits, however long the record is unavailable."""
        batch = self._waiting[:MOST]
        if batch and not await self._stored(batch):
            for result in batch:
                await self._stored([result])
        del self._waiting[: len(batch)]

    async def _stored(self, batch: list[SendResult]) -> bool:
        """False: not as a whole. One that cannot be stored stays in flight: it is not sent again, and is `unknown` once
        another process holds the account."""
        pause = 0.1
        while True:
            try:
                await self._backend(store_results, batch)
            except Retry as fault:
                log.warning("results of sends: %s; trying again", fault.reason)
                await self._backend.timing.sleep(pause)
                pause = min(pause * 2, LONGEST_WAIT)
            except Exception as error:  # one bad result must not keep back the others
                log.error("results of sends: %s", fault_location(error))
                return False
            else:
                self.in_flight.difference_update(result.reply.id for result in batch)
                return True
