"""The events of the road. An event's class is its topic; its `key` is what must stay in order.

    Raw -> Message -> Complaint -> Routed -> (record) -> Reply -> (channel) -> Receipt        Dead: any of them, refused
    Raw -> Slow -> Message, where a conversation is over its budget

Each room adds what it found out and hands on the rest as it came: a Complaint holds its Message, a Routed its
Complaint.
The wire format is JSON (`wire.py`); its schemas are golden files in `tests/schemas/golden`.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from schemas.values import (
    Attachment,
    Category,
    Command,
    Instant,
    Match,
    MessageKind,
    Office,
    Outcome,
    Party,
    Place,
    ReceiptState,
    ReportClass,
)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What travels. Subclasses name their `topic`. Events hold no cycles, so the garbage collector need not look."""

    topic: ClassVar[str]

    @property
    def key(self) -> str:
        """Events of one key keep their order."""
        raise NotImplementedError

    @property
    def event_id(self) -> str:
        """One for each event of its topic; the same event published again has the same."""
        raise NotImplementedError

    @property
    def trace(self) -> str | None:
        """What events of one way through the house have in common: the raw id, where it is known."""
        raise NotImplementedError


class Raw(Event, frozen=True, kw_only=True):
    """The bytes a door took, before anybody understood them. One for each conversation inside a request."""

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
    rest: bool = False
    """Other Raws hold the listed conversations of the same request; this one holds what belongs to none of them."""
    method: str = "POST"
    query: str = ""
    """The query string as it came, without the question mark and without secrets."""
    headers: dict[str, str] = {}
    """Lower-case names; only what `parse` needs."""
    body: bytes = b""
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


class Message(Event, frozen=True, kw_only=True):
    """One message of one person, read: what was said, and what the reader made of it."""

    topic: ClassVar[str] = "messages"

    id: str
    """`kind/account/native`, see `ids.message_id`."""
    native_id: str
    raw: str
    index: int = 0
    """Position among the items (messages, receipts, unreadable parts) of its Raw."""
    of: int = 1
    """How many items that Raw holds."""
    account: str
    channel: str
    owner: str
    conversation: str
    aliases: tuple[str, ...] = ()
    """Other conversations of the same person on this account (a user id that got its phone later)."""
    fingerprint: str | None = None
    """For channels without ids: equal sender, text and gateway time within 10 minutes is a redelivery."""
    received_at: Instant
    sent_at: Instant | None = None
    sender: Party = Party()
    kind: MessageKind = "text"
    kind_said: str | None = None
    """The channel's own word for the kind, where ours is `unknown`."""

    text: str = ""
    """As said."""
    read: str = ""
    """As read: cleaned, without keyword and command."""
    title: str = ""
    report_class: ReportClass = "unknown"
    needs_investigation: bool | None = None
    """Berkadar pengawasan: the complaint calls for an investigation. None: not judged."""
    incident_date: str | None = None
    """YYYY-MM-DD, as said by the citizen."""
    place: Place | None = None
    category: Category | None = None
    office: Office | None = None
    """The office that the citizen named."""
    attachments: tuple[Attachment, ...] = ()
    anonymous: bool = False
    """Anonim: the identity is hidden from the office."""
    secret: bool = False
    """Rahasia: the report is not public."""
    external_ids: dict[str, str] = {}
    """Numbers in other systems: "sp4n", or the name of a portal."""
    tags: tuple[str, ...] = ()
    extra: dict[str, str] = {}
    """Fields that we do not know, kept."""

    begins: bool = False
    """The citizen said that this opens a report: a form, LAPOR, a region keyword."""
    command: Command | None = None
    number: str | None = None
    """The number that TL or CEK names, as said."""
    refers_to: str | None = None
    """Native id of the message this one answers, edits, deletes or reacts to."""
    refusal: str | None = None
    """Why this is understood and no report (an echo of ours, an automatic reply, a notice)."""
    reader: str = ""
    """Version of the reader."""

    @property
    def key(self) -> str:
        """What is said in one conversation keeps its order."""
        return f"{self.account}/{self.conversation}"

    @property
    def event_id(self) -> str:
        return f"{self.raw}.{self.index}"

    @property
    def trace(self) -> str | None:
        return self.raw


class Complaint(Event, frozen=True, kw_only=True):
    """The canonical complaint as one message tells it: which complaint, and what the message does to it."""

    topic: ClassVar[str] = "complaints"

    id: str | None = None
    """Complaint id, derived from the message that opened it. None: refused, belongs to none."""
    number: str | None = None
    """What the citizen is told: 10 digits."""
    outcome: Outcome
    reason: str | None = None
    """Why refused, or by which rule joined."""
    matches: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    """What to ask the citizen for: `text`, `place`."""
    stranger: bool = False
    """The sender is not the one who reported: tell the status, never the words."""
    message: Message
    matcher: str = ""
    """Version of the matcher."""

    @property
    def key(self) -> str:
        """What one complaint meets keeps its order; what belongs to none, as its conversation."""
        return self.id or self.message.key

    @property
    def event_id(self) -> str:
        return self.message.event_id

    @property
    def trace(self) -> str | None:
        return self.message.trace


class Routed(Event, frozen=True, kw_only=True):
    """A complaint with the office that shall act, and why that one."""

    topic: ClassVar[str] = "routed"

    complaint: Complaint
    office: Office | None = None
    """None where there is nothing to route: an addition, a redelivery, a refusal."""
    rule: str | None = None
    why: str | None = None
    """The explanation for people, Indonesian."""
    rules: str = ""
    """Version of the rules."""

    @property
    def key(self) -> str:
        """As its Complaint's."""
        return self.complaint.key

    @property
    def event_id(self) -> str:
        return self.complaint.event_id

    @property
    def trace(self) -> str | None:
        return self.complaint.trace


class Reply(Event, frozen=True, kw_only=True):
    """An answer owed to a citizen, on the channel that the citizen used."""

    topic: ClassVar[str] = "replies"

    id: str
    """Our own reference: the channel carries it where it can."""
    account: str
    channel: str
    conversation: str
    to: str
    """The channel's own address of the citizen: what `Speaks.send` needs."""
    text: str
    template: str
    complaint: str | None = None
    number: str | None = None
    in_reply_to: str | None = None
    """Native id of the citizen's message."""
    created_at: Instant

    @property
    def key(self) -> str:
        """What one conversation is told keeps its order."""
        return f"{self.account}/{self.conversation}"

    @property
    def event_id(self) -> str:
        return self.id

    @property
    def trace(self) -> str | None:
        """Its own id: the raw id went into it and cannot be read back."""
        return self.id


class Receipt(Event, frozen=True, kw_only=True):
    """What became of a reply, as the speaker or the channel says; or that a request held nothing (`empty`)."""

    topic: ClassVar[str] = "receipts"

    account: str
    channel: str
    state: ReceiptState
    at: Instant
    conversation: str | None = None
    reply: str | None = None
    """Our own reference, where known."""
    native_id: str | None = None
    """The channel's id of our reply, where known."""
    reason: str | None = None
    after: float | None = None
    """Seconds to wait before the next try; only with `retry`."""
    raw: str | None = None
    """The Raw it came in; None where our own speaker says it."""
    index: int = 0
    of: int = 1
    received_at: Instant | None = None

    @property
    def key(self) -> str:
        """What is said of one reply keeps its order."""
        return f"{self.account}/{self.reply or self.native_id or self.raw}"

    @property
    def event_id(self) -> str:
        if self.raw is not None:
            return f"{self.raw}.{self.index}"
        return f"{self.reply or self.native_id}/{self.state}/{self.at.isoformat()}"

    @property
    def trace(self) -> str | None:
        return self.raw or self.reply


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
    reason: str
    """What to mend; nothing personal."""
    at: Instant
    attempts: int = 1
    account: str | None = None
    channel: str | None = None
    raw: str | None = None
    """None where not even that could be read."""
    index: int = 0
    of: int = 1
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


EVENTS: dict[str, type[Event]] = {e.topic: e for e in (Raw, Slow, Message, Complaint, Routed, Reply, Receipt, Dead)}
"""Every topic and what stands on it."""
