"""Reading a request's body within limits: of its size, of its time, and of all bodies that are read at one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hub.web.asgi import Headers, Receive

READ_WITHIN = 30.0
"""Seconds that the body of a webhook may take."""
SMALL = 64 * 1024
"""Bytes; a body that arrives whole and is not larger needs no share of the budget."""


class TooLarge(Exception):  # noqa: N818 - the word of the protocol
    """413: the body is over its limit."""


class TooSlow(Exception):  # noqa: N818 - the word of the protocol
    """408: the body did not arrive in time."""


class NoRoom(Exception):  # noqa: N818 - it says what is wrong
    """503: as many bodies are being read as fit into memory."""


class BodyBudget:
    """Bytes of bodies that are being read at one moment, over all connections."""

    def __init__(self, limit: float) -> None:
        self._left = limit

    @contextmanager
    def share(self) -> Iterator[Share]:
        """The part of one request; given back when the context ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self._left += share.taken

    def take(self, size: int) -> None:
        """Raises NoRoom."""
        if size > self._left:
            raise NoRoom
        self._left -= size


class Share:
    """What one request holds of the budget."""

    __slots__ = ("_budget", "taken")

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self.taken = 0

    def take(self, size: int) -> None:
        """Raises NoRoom."""
        self._budget.take(size)
        self.taken += size


async def read_body(headers: Headers, receive: Receive, limit: int, budget: BodyBudget) -> bytes:
    """The whole body. Raises TooLarge, TooSlow, NoRoom, or ConnectionAbortedError where the sender left."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise TooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body") and len(body) <= min(limit, SMALL):
        return body
    try:
        with budget.share() as share:
            async with asyncio.timeout(READ_WITHIN):
                return await _read_parts(dict(message), receive, limit, share)
    except TimeoutError:
        raise TooSlow from None


async def _read_parts(message: dict[str, object], receive: Receive, limit: int, share: Share) -> bytes:
    body = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part = message.get("body", b"")
        assert isinstance(part, bytes)
        if len(body) + len(part) > limit:
            raise TooLarge
        share.take(len(part))
        body += part
        if not message.get("more_body"):
            return bytes(body)
        message = dict(await receive())
