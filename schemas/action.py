"""What somebody responsible did."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from schemas.event import Event
from schemas.ids import native_of
from schemas.values import ActionKind, Actor, Attachment, Instant, Office, Status


class Action(Event, frozen=True, kw_only=True):
    """What somebody responsible did about a complaint: an officer, an office's system, a portal, LAPOR!."""

    topic: ClassVar[str] = "actions"

    id: str
    """`kind/account/native`, as a message's: an action that is reported twice has the same."""
    raw: str
    item_index: int = 0
    item_count: int = 1
    account: str
    channel: str
    owner: str
    received_at: Instant
    observed_at: Instant | None = None
    """When it was done, by the source's own clock."""
    actor: Actor = Actor()
    what: ActionKind
    what_word: str | None = None
    """The source's own word, where ours is `unknown`."""
    number: str | None = None
    """Our number of the complaint that it is about; else `of` says it."""
    of: dict[str, str] = msgspec.field(default_factory=dict)
    """Foreign ids of that complaint, by system: {"sp4n": "1234567"}."""
    beside_report: bool = False
    """The first item of its Raw is the report itself: a row of a recap."""
    text: str = ""
    status: Status | None = None
    status_said: str | None = None
    """The source's own word for the status."""
    reopens: bool = False
    """Stated: this moves a closed complaint back."""
    office: Office | None = None
    """To which office it is passed (disposition), or which one answers."""
    to: str | None = None
    """Number of the other complaint (join, link, undo)."""
    attachments: tuple[Attachment, ...] = ()
    refusal: str | None = None
    """Why it is understood and changes nothing: an echo of what we said ourselves."""
    extra: dict[str, str] = msgspec.field(default_factory=dict)
    reader: str = ""

    @property
    def native_id(self) -> str:
        """The source's own id."""
        return native_of(self.id)

    @property
    def key(self) -> str:
        """Actions on one complaint of one account keep their order."""
        about = self.number or ",".join(f"{system}:{id}" for system, id in sorted(self.of.items()))
        return f"{self.account}/{about or self.id}"

    @property
    def event_id(self) -> str:
        return f"{self.raw}.{self.item_index}"

    @property
    def trace(self) -> str | None:
        return self.raw
