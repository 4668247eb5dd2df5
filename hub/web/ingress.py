"""Where webhooks arrive, `/in/ACCOUNT`: bare ASGI, because every webhook of every provider passes here.

The cheapest check comes first: is the account known (404) and open (503), the method its own (405), the header of the
proof there (403), the body within its limit (413), the proof of origin right over the raw bytes (403)? Then the bytes
are stored, and only when they would survive a power cut does the sender hear yes. Whatever keeps us from storing them
is 503 with Retry-After: providers read a 4xx as final.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Any, TypeVar

from uuid_utils import uuid7

from bus import fault_location
from connectors import Forbidden, IngressResponse, Listens, Request
from hub.intake import split_at_once, split_into_raws
from hub.repeated_lines import RepeatedLines
from hub.web.asgi import INGRESS_PREFIX, Headers, Receive, Scope, Send, header_fields
from hub.web.bodies import SMALL, BodyBudget, NoRoom, TooLarge, TooSlow, read_body
from hub.web.group_publish import GroupPublisher
from schemas import Raw, Retry

if TYPE_CHECKING:
    from hub.accounts import Accounts

T = TypeVar("T")
Publish = Callable[[Sequence[Raw]], Awaitable[None]]
Serve = Callable[[Any, Request], Awaitable[IngressResponse]]
"""Answers requests to the accounts of a kind whose protocol asks as well as brings."""
Store = Callable[[bytes], Awaitable[str]]
"""Puts bytes to the blobs; durable when it returns their SHA-256."""
Answer = Callable[[IngressResponse], None]
"""Sends the answer to one request."""

BODIES_AT_ONCE = 64 * 2**20
STORE_WITHIN = 10.0
RETRY_AFTER = 5
"""Seconds, both."""

_lines = RepeatedLines(logging.getLogger(__name__))
_NOT_PROVEN = IngressResponse(403, b"not proven\n")
_CLOSING = {"connection": "close"}
_UNPROVEN_UNREAD = IngressResponse(403, b"not proven\n", headers=_CLOSING)
_TRY_AGAIN = IngressResponse(503, b"try again\n", headers={"retry-after": str(RETRY_AFTER)})
_UNREAD: dict[type[Exception], IngressResponse] = {
    TooLarge: IngressResponse(413, b"too large\n", headers=_CLOSING),
    TooSlow: IngressResponse(408, b"too slow\n", headers=_CLOSING),
    NoRoom: _TRY_AGAIN,
}
_CLOSED = IngressResponse(503, b"closed\n", headers={"retry-after": "3600", **_CLOSING})


class NotStored(Exception):  # noqa: N818 - it says what is wrong
    """The request is not durable: its sender must send it again."""


class Ingress:
    """ASGI application for `/in/ACCOUNT`. `publish` returns once the Raws are durable."""

    def __init__(
        self,
        accounts: Accounts,
        publish: Publish,
        store: Store,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: str(uuid7()),
        answered: Counter[tuple[str, int]] | None = None,
        budget: BodyBudget | None = None,
        servers: Mapping[str, Serve] | None = None,
    ) -> None:
        self._accounts = accounts
        self._servers = servers or {}
        self._publish = publish
        self._group = GroupPublisher(publish)
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._budget = budget or BodyBudget(BODIES_AT_ONCE)
        self.answered: Counter[tuple[str, int]] = Counter() if answered is None else answered
        """How often each account (unknown ones: "") gave each status."""

    def take_whole(
        self, path: str, query: bytes, fields: Sequence[tuple[bytes, bytes]], body: bytes, answer: Answer
    ) -> bool:
        """Take in a POST that has arrived whole, and call `answer` in a later turn of the loop, so that a sender cannot
        have many answered in one. False: nothing was done; it goes the usual way, as all that is refused does."""
        name, slash, rest = path[len(INGRESS_PREFIX) :].partition("/")
        channel = self._accounts.listening.get(name)
        if channel is None or not self._takes_at_once(channel, body):
            return False
        request = Request("POST", slash + rest, query.decode("latin-1"), Headers(fields), body)
        sibling = partial(self._sibling, channel, request)
        try:
            channel.verify(request)
            if channel.challenge(request) is not None:
                return False
            raws = split_at_once(channel, request, clock=self._clock, new_id=self._new_id, sibling=sibling)
        except Exception:  # there it is said and logged
            return False
        if raws is None:
            return False

        def published(fault: Exception | None) -> None:
            if fault is not None:
                _log_unstored(fault, channel.account)
            response = channel.accepted() if fault is None else _TRY_AGAIN
            self.answered[channel.account, response.status] += 1
            answer(response)

        self._group.add(raws, published)
        return True

    def _takes_at_once(self, channel: Listens, body: bytes) -> bool:
        return (
            len(body) <= min(channel.body_limit, SMALL)
            and "POST" in channel.methods
            and channel.kind not in self._servers
            and self._accounts.state(channel.account) != "closed"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, slash, rest = scope["path"][len(INGRESS_PREFIX) :].partition("/")
        channel = self._accounts.listening.get(name)
        if channel is None:
            name, answer = "", IngressResponse(404, b"no such account\n")
        else:
            try:
                answer = await self._answer(channel, scope, slash + rest, receive)
            except ConnectionAbortedError:
                return
        self.answered[name, answer.status] += 1
        await _send(send, answer)

    async def _answer(self, channel: Listens, scope: Scope, path: str, receive: Receive) -> IngressResponse:
        method, headers = intern(scope["method"]), Headers(scope["headers"])  # msgspec omits a default that is the same
        if self._accounts.state(channel.account) == "closed":
            return _CLOSED
        if method not in channel.methods:
            return IngressResponse(405, b"wrong method\n", headers={"allow": ", ".join(sorted(channel.methods))})
        if method == "POST" and channel.proof_header is not None and channel.proof_header not in headers:
            return _UNPROVEN_UNREAD
        try:
            body = await read_body(scope, headers, receive, channel.body_limit, self._budget)
        except (TooLarge, TooSlow, NoRoom) as fault:
            return _UNREAD[type(fault)]
        request = Request(method, path, scope["query_string"].decode("latin-1"), headers, body)
        serve = self._servers.get(channel.kind)
        return await (self._take(channel, request) if serve is None else serve(channel, request))

    async def _take(self, channel: Listens, request: Request) -> IngressResponse:
        try:
            channel.verify(request)
            handshake = channel.challenge(request)
        except Forbidden as reason:
            _lines.write(logging.INFO, f"refused at {channel.account}: {reason}")
            return _NOT_PROVEN
        except Exception as error:  # a bug of ours must not be final for the sender
            _lines.write(logging.ERROR, f"cannot verify at {channel.account}: {fault_location(error)}")
            return _TRY_AGAIN
        if handshake is not None:
            return handshake
        try:
            raws = await split_into_raws(
                channel,
                request,
                store=self._store_in_time,
                clock=self._clock,
                new_id=self._new_id,
                sibling=partial(self._sibling, channel, request),
            )
            await self._publish(raws)
        except Exception as fault:  # the bytes are not safe, so the answer is "try again"
            _log_unstored(fault, channel.account)
            return _TRY_AGAIN
        return channel.accepted()

    async def _store_in_time(self, body: bytes) -> str:
        async with asyncio.timeout(STORE_WITHIN):
            return await self._store(body)

    def _sibling(self, channel: Listens, request: Request, address: str) -> Listens | None:
        """Another open account with that address, where it accepts the same proof of origin."""
        sibling = self._accounts.by_address.get((channel.kind, address))
        if sibling is None or self._accounts.state(sibling.account) == "closed" or not _proves(sibling, request):
            return None
        return sibling


async def store_or_refuse(storing: Awaitable[T], account: str) -> T:
    """The result of the work. Raises NotStored for every fault; the log names it."""
    try:
        return await storing
    except Exception as fault:
        _log_unstored(fault, account)
    raise NotStored


def _log_unstored(fault: Exception, account: str) -> None:
    waits = isinstance(fault, Retry)
    why = fault.reason if isinstance(fault, Retry) else fault_location(fault)
    _lines.write(logging.WARNING if waits else logging.ERROR, f"cannot store at {account}: {why}")


def _proves(channel: Listens, request: Request) -> bool:
    try:
        channel.verify(request)
    except Exception:  # no proof is no proof
        return False
    return True


async def _send(send: Send, answer: IngressResponse) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": header_fields(answer)})
    await send({"type": "http.response.body", "body": answer.body})
