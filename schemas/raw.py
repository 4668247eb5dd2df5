"""The bytes as they came in."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from schemas.body import Body
from schemas.event import Event
from schemas.values import Instant


class Raw(Event, frozen=True, kw_only=True):
    """The bytes that an account took in, before anybody read them. One for each conversation inside a request."""

    topic: ClassVar[str] = "raw"

    id: str
    """UUID version 7, drawn once at the door."""
    account: str
    channel: str
    """The account's kind."""
    owner: str
    """Region code or office whose door it is."""
    received_at: Instant
    conversation: str | None = None
    """None: the door could not tell; order is then kept for the whole account."""
    parts: tuple[int, ...] | None = None
    """Which parts of the request belong to this Raw, by position (`Channel.parts`); None: all of them. Other Raws of
    the same request hold the others."""
    method: str = "POST"
    path: str = ""
    """What follows `/in/ACCOUNT` in the request's path."""
    query: str = ""
    """The query string as it came, without the question mark and without secrets."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Lower-case names; only what reading needs (`Listens.kept_headers`)."""
    body: Body = msgspec.field(default_factory=Body)
    """Bytes are taken too."""
    blob: str | None = None
    """SHA-256 of the body when it is over 256 KiB and lies with the blobs."""

    @property
    def key(self) -> str:
        """What one conversation brings keeps its order; where the door could not tell it, what the account brings."""
        return self.account if self.conversation is None else f"{self.account}/{self.conversation}"

    @property
    def event_id(self) -> str:
        return self.id

    @property
    def trace(self) -> str | None:
        return self.id


class Slow(Raw, frozen=True, kw_only=True):
    """A Raw of a conversation over its budget, sent by the slow lane: read there, after what others write."""

    topic: ClassVar[str] = "slow"
