"""A dead letter."""

from __future__ import annotations

from typing import ClassVar

from schemas.event import Event
from schemas.values import Instant


class Dead(Event, frozen=True, kw_only=True):
    """An event that a stage refused, whole, so that it can be repaired and sent again."""

    topic: ClassVar[str] = "dead"

    id: str
    stage: str
    of_topic: str
    """The topic the event stood on, where a replay puts it again."""
    event_key: str
    event: bytes
    """The event as it stood on the bus."""
    code: str
    """The cause as a short name; dead letters are grouped by it."""
    detail: str = ""
    """What to mend; nothing personal."""
    at: Instant
    attempts: int = 1
    account: str | None = None
    channel: str | None = None
    raw: str | None = None
    """None where not even that could be read."""
    item_index: int = 0
    item_count: int = 1
    message: str | None = None
    received_at: Instant | None = None

    @property
    def key(self) -> str:
        """What was refused of one Raw stands together."""
        return self.raw or self.id

    @property
    def event_id(self) -> str:
        return self.id

    @property
    def trace(self) -> str | None:
        return self.raw
