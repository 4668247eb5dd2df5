"""The doors of the channels, `/in/ACCOUNT`: bare ASGI, because every webhook of every provider passes here.

Cheapest check first: is the account known (404), the method its own (405), the body within its limit (413), the proof
of origin right over the raw bytes (403)? Then the bytes are stored, and only when they would survive a power cut does
the sender hear yes. Whatever keeps us from storing them is 503 with Retry-After: providers read a 4xx as final.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote_plus

from uuid_utils import uuid7

from bus import place_of
from connectors import Answer, Channel, Forbidden, Listens, Request, Spoken
from schemas import Raw, Retry

T = TypeVar("T")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Publish = Callable[[Sequence[Raw]], Awaitable[None]]

PREFIX = "/in/"
BODY_ON_BUS = 256 * 1024
"""Bytes; a bigger body, or one that stands in many Raws, lies with the blobs."""
READ_WITHIN = 30.0
STORE_WITHIN = 10.0
RETRY_AFTER = 5
"""Seconds, all three."""

_log = logging.getLogger(__name__)
_TOO_LARGE = Answer(413, b"too large\n")
_GONE = Answer(408, b"too slow\n")
_BUSY = Answer(503, b"try again\n")


class Blobs(Protocol):
    """Where bodies go that are too big for the bus."""

    def put(self, body: bytes, /) -> str:
        """Durable when it returns; the SHA-256 in hex."""
        ...


class Headers(Mapping[str, str]):
    """Lower-case names to values, decoded when asked for: most are never asked for."""

    __slots__ = ("_known",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._known = dict(reversed(raw))  # of one that came twice, the first

    def __getitem__(self, name: str) -> str:
        value: str | None = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        value = self._known.get(name.encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (key.decode("latin-1") for key in self._known)

    def __len__(self) -> int:
        return len(self._known)


class NotStored(Exception):  # noqa: N818 - it says what is wrong
    """Whoever sent it must send it again."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Door:
    """ASGI application for `/in/ACCOUNT`. `publish` returns once the Raws are durable."""

    def __init__(
        self, accounts: Mapping[str, Channel], publish: Publish, blobs: Blobs, clock: Callable[[], datetime]
    ) -> None:
        self._listening = {name: channel for name, channel in accounts.items() if isinstance(channel, Listens)}
        self._addresses = {(c.kind, c.address): c for c in self._listening.values() if c.address is not None}
        self._publish = publish
        self._blobs = blobs
        self._clock = clock
        self.answered: Counter[tuple[str, int]] = Counter()
        """How often each account (unknown ones: "") gave each status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"][len(PREFIX) :]
        channel = self._listening.get(name)
        extra: tuple[tuple[bytes, bytes], ...] = ()
        if channel is None:
            name, answer = "", Answer(404, b"no such account\n")
        elif scope["method"] not in channel.methods:
            answer, extra = Answer(405, b"wrong method\n"), ((b"allow", ", ".join(sorted(channel.methods)).encode()),)
        else:
            try:
                answer = await self._take(channel, scope, receive)
            except Refused as refused:
                answer = refused.answer
            except ConnectionAbortedError:
                return
        self.answered[name, answer.status] += 1
        await _say(send, answer, extra)

    async def _take(self, channel: Listens, scope: Scope, receive: Receive) -> Answer:
        headers = Headers(scope["headers"])
        body = await _body(headers, receive, channel.body_limit)
        request = Request(scope["method"], scope["query_string"].decode("latin-1"), headers, body)
        try:
            channel.verify(request)
            handshake = channel.challenge(request)
        except Forbidden as reason:
            _log.info("refused at %s: %s", channel.account, reason)
            return Answer(403, b"not proven\n")
        except Exception as error:  # a bug of ours must not be final for the sender
            _log.error("cannot verify at %s: %s", channel.account, place_of(error))
            return _BUSY
        if handshake is not None:
            return handshake
        try:
            await safely(self._keep(channel, request), channel.account)
        except NotStored:
            return _BUSY
        return channel.accepted()

    async def _keep(self, channel: Listens, request: Request) -> None:
        spoken = _spoken(channel, request) or (Spoken(None),)
        blob = None
        if len(request.body) * len(spoken) > BODY_ON_BUS:
            async with asyncio.timeout(STORE_WITHIN):
                blob = await asyncio.to_thread(self._blobs.put, request.body)
        await self._publish(self._raws(channel, request, spoken, blob))

    def _raws(self, channel: Listens, request: Request, spoken: Sequence[Spoken], blob: str | None) -> list[Raw]:
        """One Raw for each conversation, same bytes; one for the account where none can be listed."""
        query = _without(request.query, channel.secret_parameters)
        body = b"" if blob else request.body
        listed = spoken[0].conversation is not None or any(s.conversation is not None for s in spoken)
        meant = [(self._meant(channel, s.address, request), s.conversation) for s in spoken]
        kept = {h: v for h in channel.kept_headers if (v := request.headers.get(h)) is not None}
        return [
            Raw(
                id=str(uuid7()),
                account=whose.account,
                channel=whose.kind,
                owner=whose.owner,
                received_at=self._clock(),
                conversation=conversation,
                rest=listed and conversation is None,
                method=request.method,
                query=query,
                headers=kept,
                body=body,
                blob=blob,
            )
            for whose, conversation in (meant if len(meant) == 1 else dict.fromkeys(meant))
        ]

    def _meant(self, channel: Listens, address: str | None, request: Request) -> Listens:
        """The account the words are meant for: a sibling has that address and takes the same proof of origin."""
        if address is None or address == channel.address:
            return channel
        other = self._addresses.get((channel.kind, address))
        return other if other is not None and _proves(other, request) else channel


async def safely(storing: Awaitable[T], account: str) -> T:
    """What the work gives. Raises NotStored, whatever kept it from being done; the log says what."""
    try:
        return await storing
    except Retry as fault:
        _log.warning("cannot store at %s: %s", account, fault.reason)
    except Exception as error:  # whatever it was: the bytes are not safe, so the answer is "try again"
        _log.error("cannot store at %s: %s", account, place_of(error))
    raise NotStored


def _proves(channel: Listens, request: Request) -> bool:
    try:
        channel.verify(request)
    except Exception:  # no proof is no proof
        return False
    return True


def _spoken(channel: Listens, request: Request) -> Sequence[Spoken]:
    try:
        return channel.conversations(request)
    except Exception as error:  # the port forbids it; should it happen all the same, the bytes still count
        _log.error("cannot list conversations at %s: %s", channel.account, place_of(error))
        return ()


def _without(query: str, secret: Iterable[str]) -> str:
    """The query as it came, less the parameters named."""
    if not query or not secret:
        return query
    return "&".join(p for p in query.split("&") if unquote_plus(p.partition("=")[0]) not in secret)


async def _body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises Refused, or ConnectionAbortedError when the sender left."""
    said = headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise Refused(_TOO_LARGE)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body") and len(body) <= limit:
        return body
    try:
        async with asyncio.timeout(READ_WITHIN):
            return await _parts(message, receive, limit)
    except TimeoutError:
        raise Refused(_GONE) from None


async def _parts(message: MutableMapping[str, Any], receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        body += message.get("body", b"")
        if len(body) > limit:
            raise Refused(_TOO_LARGE)
        if not message.get("more_body"):
            return bytes(body)
        message = await receive()


async def _say(send: Send, answer: Answer, extra: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", b"%d" % len(answer.body)),
        *extra,
    ]
    if answer.status == 503:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER))
    elif answer.status in {408, 413}:  # the rest of the body is not wanted
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
