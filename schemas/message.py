"""What a person wrote, as the reader understood it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from schemas.event import Event
from schemas.ids import message_id, native_of
from schemas.values import (
    Attachment,
    Category,
    Command,
    Instant,
    Language,
    MessageKind,
    Office,
    Party,
    PersonalSpan,
    Place,
    ReportClass,
    Sort,
)


class Message(Event, frozen=True, kw_only=True):
    """One message of one person, as the reader understood it."""

    topic: ClassVar[str] = "messages"

    id: str
    """`kind/account/native`, see `ids.message_id`."""
    raw: str
    item_index: int = 0
    """Position among the items (messages, actions, receipts, unreadable parts) of its Raw."""
    item_count: int = 1
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
    proven: bool = False
    """The channel itself vouches for the sender; else the sender is only claimed, as in a form or a row of a file."""
    kind: MessageKind = "text"
    kind_word: str | None = None
    """The channel's own word for the kind, where ours is `unknown`."""

    text: str = ""
    """As the person wrote it."""
    cleaned: str | None = None
    """The text cleaned, without keyword and command; None: the same as `text` without the blanks around it."""
    text_read: str | None = None
    """The cleaned text with short forms and chat spellings written out; None: the same as `clean_text`, or not asked
    for: no stage looks at it, so the bus does not carry it."""
    language: Language = "unknown"
    personal: tuple[PersonalSpan, ...] = ()
    """Where personal data stand in the text as it is read (`words_read`). Like that text it is not on the bus."""
    emergency: bool = False
    """Somebody is in danger now: the answer names 112."""
    title: str = ""
    report_class: ReportClass = "unknown"
    sort: Sort = "unknown"
    needs_investigation: bool | None = None
    """Berkadar pengawasan: the complaint calls for an investigation. None: not judged."""
    incident_date: str | None = None
    """YYYY-MM-DD, as the citizen gave it."""
    place: Place | None = None
    """From the channel, the keyword or the account's owner; after the matcher: the place that was settled on."""
    places: tuple[Place, ...] = ()
    """Candidates that the reader found in the words, likeliest first. The matcher settles and empties them."""
    category: Category | None = None
    office: Office | None = None
    """The office that the citizen named."""
    attachments: tuple[Attachment, ...] = ()
    anonymous: bool = False
    """Anonim: the identity is hidden from the office."""
    secret: bool = False
    """Rahasia: the report is not public."""
    external_ids: dict[str, str] = msgspec.field(default_factory=dict)
    """Numbers in other systems: "sp4n", or the name of a portal."""
    ids_proven: bool = False
    """An office's own system or list says so of `external_ids`; else the sender claims them."""
    ids_restart: bool = False
    """The account's own ids may begin anew, as each month's list does: one with other words is another report."""
    tags: tuple[str, ...] = ()
    extra: dict[str, str] = msgspec.field(default_factory=dict)
    """Fields that we do not know, kept."""

    opens_report: bool = False
    """The citizen states that this opens a report: a form, LAPOR, a region keyword."""
    command: Command | None = None
    number: str | None = None
    """The number that TL, CEK, BELUM or NILAI names, as written."""
    rating: int | None = None
    """1 to 5, of NILAI."""
    refers_to: str | None = None
    """Native id of the message this one answers, edits, deletes or reacts to."""
    answerable: bool = True
    """False: the channel lets us read this and not answer it: another app has the conversation, or the author did not
    address us."""
    refusal: str | None = None
    """Why this is understood and no report (an echo of ours, an automatic reply, a notice)."""
    reader: str = ""
    """Version of the reader: its code and its knowledge."""

    @property
    def native_id(self) -> str:
        """The channel's own id."""
        return native_of(self.id)

    @property
    def clean_text(self) -> str:
        """The text as it is worked with."""
        return self.text.strip() if self.cleaned is None else self.cleaned

    @property
    def words_read(self) -> str:
        """The text as it is read."""
        return self.clean_text if self.text_read is None else self.text_read

    @property
    def has_words(self) -> bool:
        """Somebody says something in it, as in a voice note."""
        return bool(self.title or self.clean_text) or self.kind == "audio"

    @property
    def deletes(self) -> str | None:
        """The id of the message that it takes back."""
        deletion = self.kind == "deletion" and self.refers_to
        return message_id(self.channel, self.account, self.refers_to or "") if deletion else None

    @property
    def told_apart_by(self) -> str:
        """What tells senders apart."""
        identities = self.sender.identities
        return identities[0] if identities else self.key

    @property
    def key(self) -> str:
        """Messages of one conversation keep their order."""
        return f"{self.account}/{self.conversation}"

    @property
    def event_id(self) -> str:
        return f"{self.raw}.{self.item_index}"

    @property
    def trace(self) -> str | None:
        return self.raw
