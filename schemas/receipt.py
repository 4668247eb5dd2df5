"""What became of a reply, as its channel says."""

from __future__ import annotations

from typing import ClassVar

from schemas.event import Event
from schemas.values import Instant, ReceiptState


class Receipt(Event, frozen=True, kw_only=True):
    """What the channel says of a reply; or that a request held nothing (`empty`)."""

    topic: ClassVar[str] = "receipts"

    account: str
    channel: str
    state: ReceiptState
    at: Instant
    conversation: str | None = None
    reply: str | None = None
    """Our own reference, where the channel brings it back."""
    native_id: str | None = None
    """The channel's id of our reply, where known."""
    reason: str | None = None
    raw: str
    """The Raw that it came in."""
    item_index: int = 0
    item_count: int = 1
    received_at: Instant

    @property
    def key(self) -> str:
        """Receipts of one reply keep their order."""
        return f"{self.account}/{self.reply or self.native_id or self.raw}"

    @property
    def event_id(self) -> str:
        return f"{self.raw}.{self.item_index}"

    @property
    def trace(self) -> str | None:
        return self.raw
