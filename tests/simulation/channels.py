"""Made-up channels, one of each ability, that speak to a provider in memory.

A request is `{"items": […]}`, an item one of

    {"id", "from", "text", "kind"?, "refers_to"?, "files"?}      a message
    {"receipt": provider's id, "state", "reference"?}            what became of a reply
    {"act": id, "number", "status", "at"}                        an office moves a status
    {"odd": true, "id", …}                                       a message that only a mended channel can read
    anything else                                                rubbish
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar

from connectors import (
    Channel,
    Connects,
    FetchedFile,
    Fetches,
    Forbidden,
    IngressResponse,
    Intake,
    Item,
    Listens,
    Part,
    Payload,
    PollResult,
    Polls,
    ProviderConnections,
    RenewedSecret,
    Request,
    SentReply,
    Session,
    Settings,
    Speaks,
)
from schemas import Actor, Attachment, Message, Party, Raw, Reject, Reply
from tests.simulation.provider import Provider

PROOF = "a made-up secret"
ODD = "odd_item"
"""Code of what cannot be read until somebody mends the channel."""


class LettersChannel(Channel):
    """What the made-up channels have in common: how a request is read."""

    conversational: ClassVar[bool] = True

    def __init__(self, account: str, owner: str) -> None:
        super().__init__(account, owner, Settings())

    @property
    def mended(self) -> bool:
        """It reads odd messages."""
        return True

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            items = json.loads(payload.body)["items"]
        except (ValueError, KeyError, TypeError):
            raise Reject("not_json", "no items in it") from None
        for item in items:
            yield Part(item, item.get("from") if isinstance(item, dict) else None)

    def read(self, part: Part, raw: Raw) -> Item:
        match part.payload:
            case {"receipt": native, "state": state, **more}:
                return self.receipt(raw, native_id=native, state=state, at=raw.received_at, reply=more.get("reference"))
            case {"act": id, "number": number, "status": status, "at": at}:
                return self.action(
                    raw, id, what="status", number=number, status=status, observed_at=datetime.fromisoformat(at),
                    actor=Actor(kind="office", id="dinas"),
                )  # fmt: skip
            case {"odd": True} if not self.mended:
                raise Reject(ODD, "a later release reads it")
            case {"id": native, "from": sender, "text": text, **more}:
                return self._message(raw, native, sender, text, more)
        raise Reject("unknown_item", "neither a message nor a receipt")

    def _message(self, raw: Raw, native: str, sender: str, text: str, more: Mapping[str, Any]) -> Message:
        files = tuple(Attachment(native_id=name, media_type="image/jpeg") for name in more.get("files", ()))
        return self.message(
            raw, native, sender, text=text, kind=more.get("kind", "text"), refers_to=more.get("refers_to"),
            attachments=files, sender=Party(phone=more.get("phone"), user=f"{self.kind}:{sender}"),
        )  # fmt: skip


class _Speaking(LettersChannel, Speaks, Fetches):
    def __init__(self, account: str, owner: str, provider: Provider) -> None:
        super().__init__(account, owner)
        self.provider = provider

    @property
    def mended(self) -> bool:
        return self.provider.mended

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        return FetchedFile(await self.provider.file(attachment.native_id or ""), "image/jpeg")

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        return SentReply(await self.provider.send(reply))


class Letter(_Speaking, Listens):
    """Webhooks in, calls out."""

    kind = "letter"
    kept_headers = ()

    def verify(self, request: Request) -> None:
        if request.headers.get("proof") != PROOF:
            raise Forbidden("the proof")

    def accepted(self) -> IngressResponse:
        return IngressResponse(200, b"ok")


class Pigeon(_Speaking, Polls):
    """A source that is asked, whose ids hold phones, and whose receipts bring our reference back."""

    kind = "pigeon"
    ids_hold_phones = True

    @property
    def poll_every(self) -> float:
        return 5.0

    @property
    def carries_reference(self) -> bool:
        return True

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        body, reached, more = await self.provider.news(int(cursor or 0))
        return PollResult((Request(body=body),) if body else (), str(reached), more)


class Radio(_Speaking, Connects):
    """A source that holds a session, sends through it, and marks when a reply can arrive."""

    kind = "radio"
    marks_start = True

    def connect(
        self, intake: Intake, cursor: str | None, renewed: RenewedSecret | None = None
    ) -> AbstractAsyncContextManager[Session]:
        return self._connected(intake)

    @asynccontextmanager
    async def _connected(self, intake: Intake) -> AsyncIterator[Session]:
        await self.provider.connect()
        yield _RadioSession(self.provider, intake)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        connected = outbound.session is not None
        return SentReply(await self.provider.send(reply, connected=connected, before_arrival=outbound.before_arrival))


class _RadioSession(Session):
    def __init__(self, provider: Provider, intake: Intake) -> None:
        self._provider, self._intake = provider, intake

    async def run(self) -> None:
        while True:
            position, body = await self._provider.packet()
            await self._intake([Request(body=body)], str(position))
            self._provider.acknowledge(position)


KINDS: Mapping[str, type[_Speaking]] = {channel.kind: channel for channel in (Letter, Pigeon, Radio)}
