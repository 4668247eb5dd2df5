"""What the connections bring: stored in batches, and acknowledged once it is durable.

While one batch is stored the next gathers, so the centre's window decides how large batches are. A fault of the intake
ends the session: nothing of that batch is acknowledged, the centre brings it again, and the memory of long texts begins
anew where the cursor stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from connectors._numbers import normalize_number
from connectors._port import Intake
from connectors._request import Request
from connectors._smpp_codes import TRY_AGAIN_LATER
from connectors._smpp_link import SmppConnection
from connectors._smpp_parts import BEGAN, WAITS, PartialText, PartialTexts, parts_key
from connectors._smpp_pdu import Pdu, decode_message, take_frames
from connectors._smpp_reading import conversation_number
from connectors._smpp_receipts import SentIds, parse_receipt
from connectors._smpp_settings import SmppSettings
from connectors._smpp_user_data import parse_user_data
from schemas import Reject

REPEATED, SENT_AS = "smpp-repeated", "smpp-sent-as"
"""Headers of a Request: how often the same words came over this connection before, each acknowledged, so that this is a
message of its own; the id that our message got in its response."""
AT_ONCE = 500
MOST_QUEUED = 5000
"""Deliveries that wait to be stored; further ones the centre brings again later."""
TICK = 1.0
"""Seconds at most between two looks at the texts that wait."""
MOST_COUNTED = 50_000
"""Entries of a connection, two for each message; beyond, counting begins anew."""


class _Cursor(msgspec.Struct, omit_defaults=True):
    """What a restart needs."""

    texts: tuple[PartialText, ...] = ()
    dialect: str | None = None


class _Delivery(NamedTuple):
    link: SmppConnection
    pdu: Pdu
    frame: bytes
    content: bytes
    turn: int
    """How many messages of the same content the connection had brought before, each acknowledged."""

    @classmethod
    def of(cls, link: SmppConnection, pdu: Pdu, frame: bytes) -> _Delivery:
        """A content that comes again before our acknowledgement, or under its old number, is the same message."""
        content = sha256(pdu.body).digest()[:12]
        turn = link.taken.get(_numbered(content, pdu), link.taken[content])
        return cls(link, pdu, frame, content, turn)

    def acknowledged(self) -> None:
        """What has its content from now on is another message."""
        taken = self.link.taken
        if len(taken) >= MOST_COUNTED:
            taken.clear()
        taken[_numbered(self.content, self.pdu)] = self.turn
        taken[self.content] = max(taken[self.content], self.turn + 1)

    @property
    def headers(self) -> dict[str, str]:
        return {REPEATED: str(self.turn)} if self.turn else {}


class DeliveryQueue:
    """Deliveries of all connections of an account, to be stored. `now` gives Unix time."""

    def __init__(self, settings: SmppSettings, intake: Intake, cursor: str | None, now: Callable[[], float]) -> None:
        saved = _decoded(cursor)
        self.sent = SentIds(saved.dialect)
        self._texts = PartialTexts(settings.join_within, saved.texts)
        self._saved = cursor
        self._settings, self._intake, self._now = settings, intake, now
        self._queue: list[_Delivery] = []
        self._arrived = asyncio.Event()

    def put(self, link: SmppConnection, pdu: Pdu, frame: bytes) -> None:
        """A connection brought this."""
        if len(self._queue) >= MOST_QUEUED:
            link.acknowledge([pdu], TRY_AGAIN_LATER)
            return
        self._queue.append(_Delivery.of(link, pdu, frame))
        self._arrived.set()

    async def store_forever(self) -> None:
        """Raises what the intake raises."""
        while True:
            await self.store()
            if not self._queue:
                await self._wait()

    async def store(self) -> None:
        """Store what came, and the texts that waited long enough; then acknowledge."""
        batch = self._queue[:AT_ONCE]
        del self._queue[:AT_ONCE]
        requests = [request for delivery in batch for request in self._requests(delivery)]
        requests = [*_once_each(requests), *self._texts.expired(self._now())]
        cursor = self._cursor()
        if requests or cursor != self._saved:
            await self._intake(requests, cursor if cursor != self._saved else None)
            self._saved = cursor
        for delivery in batch:
            delivery.acknowledged()
        for link in dict.fromkeys(delivery.link for delivery in batch):
            link.acknowledge(delivery.pdu for delivery in batch if delivery.link is link)

    async def _wait(self) -> None:
        self._arrived.clear()
        due = self._texts.due_in(self._now())
        try:
            async with asyncio.timeout(TICK if due is None else min(due, TICK)):
                await self._arrived.wait()
        except TimeoutError:
            pass

    def _requests(self, delivery: _Delivery) -> list[Request]:
        """Never raises: what cannot be read is stored, and the reader says why."""
        frame = delivery.frame
        try:
            message = decode_message(delivery.pdu)
        except Reject:
            return [Request(body=frame)]
        if report := parse_receipt(message, self._settings.alphabet):
            known = self.sent.known_as(report.ids)
            return [Request(headers={SENT_AS: known} if known else {}, body=frame)]
        data = parse_user_data(message)
        if data.segment is None:
            return [Request(headers=delivery.headers, body=frame)]
        key = parts_key(conversation_number(message), normalize_number(message.destination), data.segment)
        return list(self._texts.take(key, data.segment.number, data, frame, self._now()))

    def _cursor(self) -> str | None:
        cursor = _Cursor(self._texts.saved(), self.sent.dialect)
        return msgspec.json.encode(cursor).decode() if cursor.texts or cursor.dialect or self._saved else None


def _decoded(cursor: str | None) -> _Cursor:
    """A cursor that cannot be read is none: its parts are stored, and the texts are read as far as they come."""
    try:
        return msgspec.json.decode(cursor or "{}", type=_Cursor)
    except msgspec.MsgspecError:
        return _Cursor()


def _once_each(requests: Sequence[Request]) -> list[Request]:
    """The requests of a batch, less the parts that wait for a text which the batch holds whole."""
    held = {frame for r in requests if BEGAN in r.headers for frame in take_frames(bytearray(r.body))}
    return [request for request in requests if WAITS not in request.headers or request.body not in held]


def _numbered(content: bytes, pdu: Pdu) -> bytes:
    return content + pdu.sequence.to_bytes(4, "big")
