"""Closing a connection whose peer still sends: the answer goes out, the rest is thrown away as it comes.

A close over unread bytes resets the connection; then a sender that reads only after it sent everything never sees its
413 or 403. What lingers holds no memory, counts as idle, and ends by bytes, by silence and by time.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

LINGER_BYTES = 64 * 2**20
LINGER_SECONDS = 30.0
LINGER_SILENT = 5.0
"""Seconds without a byte."""


class Answers(Protocol):
    """A connection, as far as its end goes."""

    transport: asyncio.Transport

    @property
    def may_close_at_once(self) -> bool:
        """Nothing is left of the request that was answered, or it was not answered whole."""

    def linger(self) -> None:
        """Throw away what still comes, then close."""


class AnswerTransport:
    """The transport as one answer sees it: its close waits for what is still being sent."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Answers) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.transport.write(data)

    def is_closing(self) -> bool:
        return self._connection.transport.is_closing()

    def close(self) -> None:
        transport = self._connection.transport
        if self._connection.may_close_at_once or transport.is_closing():
            transport.close()
        else:
            self._connection.linger()


class Lingering:
    """The rest of one connection, from its answer to its close."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._bytes = 0
        self._heard = loop.time()
        self._ends = self._heard + LINGER_SECONDS
        self._timer = loop.call_later(LINGER_SILENT, self._check)
        if transport.can_write_eof():
            transport.write_eof()

    def discard(self, data: bytes) -> None:
        self._bytes += len(data)
        self._heard = self._loop.time()
        if self._bytes > LINGER_BYTES or self._heard > self._ends:
            self._transport.close()

    def stop(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        closes = min(self._heard + LINGER_SILENT, self._ends)
        if now >= closes:
            self._transport.close()
        else:
            self._timer = self._loop.call_later(closes - now, self._check)
