"""Reading a request's body within limits: of its size, of its time, and of all bodies that are read at one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hub.web.asgi import Headers, Receive, Scope
from hub.web.client_address import Network, client_address

READ_WITHIN = 30.0
"""Seconds that the body of a webhook may take."""
SMALL = 64 * 1024
"""Bytes; a body that arrives whole and is not larger needs no share of the budget."""


AN_ADDRESS = 64
"""Bodies that one address may send at the same moment, of those that are not there at once."""


class TooLarge(Exception):  # noqa: N818 - the word of the protocol
    """413: the body is over its limit."""


class TooSlow(Exception):  # noqa: N818 - the word of the protocol
    """408: the body did not arrive in time."""


class NoRoom(Exception):  # noqa: N818 - it says what is wrong
    """503: as many bodies are being read as fit into memory."""


class BodyBudget:
    """Bytes of bodies that are being read at one moment, over all connections. One address may have half of them, in
    `AN_ADDRESS` bodies."""

    def __init__(self, limit: float, proxies: Sequence[Network] = ()) -> None:
        self._limit = limit
        self._proxies = proxies
        self._taken = 0
        self._of_address: dict[str, list[BodyReservation]] = {}

    @contextmanager
    def share(self, scope: Scope) -> Iterator[BodyReservation]:
        """The part of one request; given back when the context ends. Raises NoRoom."""
        address = client_address(scope, self._proxies)
        shares = self._of_address.setdefault(address, [])
        if len(shares) >= AN_ADDRESS:
            raise NoRoom
        share = BodyReservation(self, shares)
        shares.append(share)
        try:
            yield share
        finally:
            self._taken -= share.taken
            shares.remove(share)
            if not shares:
                del self._of_address[address]

    def take(self, size: int, shares: Sequence[BodyReservation]) -> None:
        """Raises NoRoom."""
        of_address = sum(share.taken for share in shares)
        if self._taken + size > self._limit or of_address + size > self._limit / 2:
            raise NoRoom
        self._taken += size


class BodyReservation:
    """The bytes that one request holds of the budget."""

    __slots__ = ("_budget", "_of_address", "taken")

    def __init__(self, budget: BodyBudget, of_address: Sequence[BodyReservation]) -> None:
        self._budget = budget
        self._of_address = of_address
        self.taken = 0

    def take(self, size: int) -> None:
        """Raises NoRoom."""
        self._budget.take(size, self._of_address)
        self.taken += size


async def read_body(scope: Scope, headers: Headers, receive: Receive, limit: int, budget: BodyBudget) -> bytes:
    """The whole body. Raises TooLarge, TooSlow, NoRoom, or ConnectionAbortedError where the sender left."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise TooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body") and len(body) <= min(limit, SMALL):
        return body
    try:
        with budget.share(scope) as share:
            async with asyncio.timeout(READ_WITHIN):
                return await _read_parts(dict(message), receive, limit, share)
    except TimeoutError:
        raise TooSlow from None


async def _read_parts(message: dict[str, object], receive: Receive, limit: int, share: BodyReservation) -> bytes:
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
