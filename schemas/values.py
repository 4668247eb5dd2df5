"""Values inside the events. All frozen; instants are aware; what is personal stands in `Party` and `Message.text`."""

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
Outcome = Literal["recorded", "added", "redelivered", "refused", "dead"]
MatchKind = Literal["redelivery", "same_report", "same_incident", "same_external_id"]
AttachmentState = Literal["referenced", "fetched", "refused", "expired"]
ReceiptState = Literal["sent", "delivered", "read", "failed", "unknown", "retry", "empty"]
Command = Literal["TL", "CEK"]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone: one without is refused by the next reader."""

REFERRING: frozenset[MessageKind] = frozenset({"reaction", "edit", "deletion"})
"""Message kinds that say something about another message."""
CLOSED: frozenset[str] = frozenset({"done", "archived", "rejected"})


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Ground of all values: unknown fields are ignored, so that a new writer may stand beside an old reader."""


class Party(Value, frozen=True, kw_only=True):
    """Who speaks. Every field is personal and is kept encrypted, with keyed hashes for look-up beside it."""

    name: str | None = None
    phone: str | None = None
    """E.164, "+628123456789"."""
    phone_said: str | None = None
    """The phone as it was written, where that differs."""
    email: str | None = None
    """Lower case."""
    nik: str | None = None
    """Nomor Induk Kependudukan, the 16 digits of the identity card."""
    address: str | None = None
    """Postal address, as said."""
    user: str | None = None
    """The channel's own id of the person, `kind:id` ("whatsapp:US.1349…")."""

    @property
    def identities(self) -> tuple[str, ...]:
        """What tells this person from another, strongest first; never a name."""
        return tuple(v for v in (self.nik, self.phone, self.email, self.user) if v)


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
    """Where it happened. `code` is the Kemendagri region code ("32.73"), `words` what the citizen said."""

    code: str | None = None
    level: str | None = None
    name: str | None = None
    lat: float | None = None
    """Degrees north, WGS 84."""
    lon: float | None = None
    """Degrees east, WGS 84."""
    words: str | None = None
    source: Literal["said", "shared", "keyword", "owner"] = "said"
    """Owner: nothing better was known than whose door it is."""


class Category(Value, frozen=True, kw_only=True):
    """A category of LAPOR!'s tree. Names repeat there: the id is the identity."""

    id: str
    name: str | None = None


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
