"""An event of an account that a stage has put aside."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from schemas.body import Body
from schemas.event import Event
from schemas.values import Instant


class Aside(Event, frozen=True, kw_only=True):
    """An event, whole, that waits until its account is released: nearly all that the account brought died."""

    topic: ClassVar[str] = "aside"

    lane: str
    """`STAGE@ACCOUNT@SINCE`: the events of one lane keep their order, and a consumer group of that name works on it."""
    stage: str
    account: str
    of_topic: str
    """The topic the event stood on, and where on it:"""
    of_partition: int
    of_offset: int
    of_at: Instant
    event_key: str
    event: Body = msgspec.field(default_factory=Body)
    """The event as it stood on the bus."""

    @property
    def key(self) -> str:
        """As the lane."""
        return self.lane

    @property
    def event_id(self) -> str:
        return f"{self.lane}/{self.of_topic}/{self.of_partition}/{self.of_offset}"

    @property
    def trace(self) -> str | None:
        return None
