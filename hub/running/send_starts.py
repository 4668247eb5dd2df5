"""The start of a send, for kinds that mark it (`Speaks.marks_start`): stored before the reply can arrive.

One transaction for all marks that were asked for while the last one ran.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from schemas import Retry
from sink.outbox_claims import OwedReply


class StartWriter:
    """Stores the starts. `store` returns the ids of those that may be sent."""

    def __init__(self, store: Callable[[Sequence[OwedReply]], Awaitable[Collection[str]]]) -> None:
        self._store = store
        self._waiting: list[tuple[OwedReply, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def mark(self, owed: OwedReply) -> bool:
        """May it be sent? True: the start is durable. Raises Retry."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((owed, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[tuple[OwedReply, asyncio.Future[bool]]]) -> None:
        try:
            started = await self._store([owed for owed, _ in batch])
        except Exception as fault:  # the sends end without having begun, and are tried again
            reason = fault.reason if isinstance(fault, Retry) else type(fault).__name__
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(Retry(reason))
            return
        for owed, answer in batch:
            if not answer.done():
                answer.set_result(owed.id in started)


class SendStart:
    """The start of one send: `ProviderConnections.before_arrival`."""

    def __init__(self, owed: OwedReply, writer: StartWriter) -> None:
        self._owed, self._writer = owed, writer
        self._closed = False
        self.passed = False
        """The reply may have arrived."""
        self.refused = False
        """It was not marked, so it was not sent."""

    async def __call__(self) -> None:
        """Raises Retry: it must not be sent."""
        if self._closed:
            raise Retry("the sending was cut off before")
        self.passed = True
        try:
            self.refused = not await self._writer.mark(self._owed)
        except Retry:
            self.refused = True
            raise
        finally:
            self.passed = not self.refused
        if self.refused:
            raise Retry("another process speaks for the account")

    def close(self) -> None:
        """From now on it cannot start."""
        self._closed = True
