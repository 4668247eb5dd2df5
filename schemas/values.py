"""Values inside the events. All frozen; instants are aware; what is personal stands in `Party` and `Message.text`.

Every enumeration holds the word `unknown`: a word of a later release is read as `unknown`, and the word itself is kept
(`wire.decode`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

MessageKind = Literal[
    "text", "image", "audio", "video", "document", "location", "contact",
    "sticker", "reaction", "interactive", "edit", "deletion", "system", "unknown",
]  # fmt: skip
ReportClass = Literal["complaint", "aspiration", "information_request", "unknown"]
Status = Literal["unverified", "verified", "in_progress", "done", "archived", "rejected", "unknown"]
Outcome = Literal["recorded", "added", "asked", "redelivered", "refused", "dead", "unknown"]
"""What became of an item, one each; `asked` is a question about a status."""
MatchKind = Literal["redelivery", "same_report", "same_incident", "same_external_id", "chain", "unknown"]
AttachmentState = Literal["referenced", "fetched", "refused", "expired", "unknown"]
ReceiptState = Literal["sent", "delivered", "read", "failed", "unknown", "empty"]
"""`empty`: a request that held no item at all."""
ReplyState = Literal[
    "owed", "claimed", "sent", "unknown", "failed", "moved", "dismissed", "delivered", "read", "suppressed"
]  # fmt: skip
Command = Literal["TL", "CEK", "BELUM", "NILAI", "BANTUAN", "STOP", "unknown"]
"""As citizens type them: an addition to a report, a question about its status, it is not solved (a finished one is
reopened), a rating of how it was dealt with, a request for help, a wish for no more messages."""
Sort = Literal[
    "report", "question", "answer", "thanks", "greeting", "publicity", "advertising", "fraud", "other", "unknown",
]  # fmt: skip
"""What kind of words a message holds; `answer` is an office's."""
Language = Literal["id", "jv", "su", "mad", "min", "ban", "bjn", "ace", "bug", "en", "mixed", "unknown"]
"""Indonesian, Javanese, Sundanese, Madurese, Minangkabau, Balinese, Banjarese, Acehnese, Buginese, English; by their
codes of ISO 639-1 or 639-3."""
PersonalKind = Literal["nik", "kk", "npwp", "bpjs", "phone", "email", "account", "plate", "name", "unknown"]
ActionKind = Literal[
    "answer", "question", "status", "disposition", "note", "join", "link", "undo", "unknown",
]  # fmt: skip
"""What somebody responsible did: words for the citizen; a question to the citizen; a status; passed to an office; an
internal note; two reports of one person joined; two reports of one incident linked; a join or link undone."""
ActorKind = Literal["officer", "office", "system", "citizen", "unknown"]
PlaceSource = Literal["said", "shared", "keyword", "owner", "text", "unknown"]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone: one without is refused by the next reader."""

REFERRING_KINDS: frozenset[MessageKind] = frozenset({"reaction", "edit", "deletion"})
"""Message kinds that say something about another message."""
NATION = "nasional"
"""The owner of accounts that belong to no region and to no office."""
COURTESIES: frozenset[Sort] = frozenset({"thanks", "greeting"})
"""Sorts of messages that report nothing."""
CLOSED_STATUSES: frozenset[str] = frozenset({"done", "archived", "rejected"})


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Ground of all values: unknown fields are ignored, so that a new writer may stand beside an old reader."""


class Party(Value, frozen=True, kw_only=True):
    """Who speaks. Every field is personal and is kept encrypted, with keyed hashes for look-up beside it."""

    name: str | None = None
    phone: str | None = None
    """E.164, "+628123456789"."""
    phone_written: str | None = None
    """The phone as it was written, where that differs."""
    email: str | None = None
    """Lower case."""
    nik: str | None = None
    """Nomor Induk Kependudukan, the 16 digits of the identity card."""
    address: str | None = None
    """Postal address, as written."""
    user: str | None = None
    """The channel's own id of the person, `kind:id` ("whatsapp:US.1349…")."""

    @property
    def identities(self) -> tuple[str, ...]:
        """The values that identify this person, strongest first; never a name."""
        return tuple(filter(None, (self.nik, self.phone, self.email, self.user)))


class Attachment(Value, frozen=True, kw_only=True):
    """A file of the citizen. Bytes lie with the blobs under their SHA-256, never on the bus."""

    native_id: str | None = None
    media_type: str | None = None
    name: str | None = None
    url: str | None = None
    size: int | None = None
    """Bytes."""
    sha256: str | None = None
    """Hex. Set once the bytes are in the blobs."""
    state: AttachmentState = "referenced"
    expires_at: Instant | None = None


class Place(Value, frozen=True, kw_only=True):
    """Where it happened, or a candidate for it.

    `code` is the Kemendagri region code ("32.73"), `words` what the citizen wrote.
    """

    code: str | None = None
    level: str | None = None
    name: str | None = None
    lat: float | None = None
    """Degrees north, WGS 84."""
    lon: float | None = None
    """Degrees east, WGS 84."""
    words: str | None = None
    source: PlaceSource = "said"
    """owner: nothing better was known than whose door it is; text: found in the words by the reader."""
    p: float | None = None
    """Probability that this is the place, 0 to 1; None: not judged."""
    evidence: str | None = None
    """The rule or list that found it and the words it rests on, where the reader found it."""


class PersonalSpan(Value, frozen=True, kw_only=True):
    """Where personal data stand in a text: characters from `start`, before `end`."""

    kind: PersonalKind
    start: int
    end: int


class Category(Value, frozen=True, kw_only=True):
    """A category of LAPOR!'s tree. Names repeat there: the id is the identity."""

    id: str
    name: str | None = None
    top: str | None = None
    """Name of the top category that it stands under."""
    p: float | None = None
    """Probability, 0 to 1, where a classifier chose it; None: stated."""


class Office(Value, frozen=True, kw_only=True):
    """An office that can act (instansi)."""

    id: str
    name: str | None = None


class Match(Value, frozen=True, kw_only=True):
    """Evidence for a join or a link. An officer may undo what it caused."""

    kind: MatchKind
    of: str
    """Complaint id, or message id for a redelivery."""
    score: float
    """0 to 1; 1 is identity."""
    evidence: str
    """The rule and what it saw, without a citizen's words."""


class Actor(Value, frozen=True, kw_only=True):
    """Who did an action."""

    kind: ActorKind = "unknown"
    id: str | None = None
    """An officer's or an office's id, or the name of a system ("lapor", a portal's account)."""
    name: str | None = None
    person: str | None = None
    """Who acted for the office. Citizens and other systems are never told."""


class Assignment(Value, frozen=True, kw_only=True):
    """An office that has the complaint, and why."""

    office: Office
    rule: str | None = None
    """Name of the rule that chose it."""
    why: str | None = None
    """The explanation for people, Indonesian."""


class Owed(Value, frozen=True, kw_only=True):
    """An answer that is owed: what to say. The words are made of it when it is sent."""

    template: str
    """Name of a template of the router."""
    params: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)


class Reply(Value, frozen=True, kw_only=True):
    """An answer owed to a person, as it is handed to the channel that sends it."""

    id: str
    """Our own reference: the channel carries it where it can."""
    account: str
    channel: str
    conversation: str
    to: str
    """The channel's own address of the person."""
    text: str
    template: str
    complaint: str | None = None
    number: str | None = None
    in_reply_to: str | None = None
    """Native id of the person's message."""
    created_at: Instant
    repeated: bool = False
    """It was being sent when its process ended, and may have arrived."""

    @property
    def key(self) -> str:
        """Replies of one conversation are sent in order."""
        return f"{self.account}/{self.conversation}"
