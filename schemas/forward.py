"""What another system is told of a complaint."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.values import Category, Instant, Office, Party, Place, ReportClass, Status, Value

ForwardKind = Literal["complaint", "supplement", "answer", "question", "disposition", "status", "notice"]
"""A complaint; the citizen's later words; an office's answer; its question to the citizen; passed to an office; a
status; what an office is told of a due date."""


class DueNotice(Value, frozen=True, kw_only=True):
    """What an office is told of a due date."""

    clock: str
    """verification, first_answer or completion."""
    what: str
    """warning, overdue or moved."""
    level: int = 0
    """How far up the hierarchy from the office that has the complaint."""
    due_day: str | None = None
    was_due_day: str | None = None


class Forward(Value, frozen=True, kw_only=True):
    """A complaint, or what was said about it later, on its way to another system. It holds what may leave for that
    destination, and nothing else."""

    what: ForwardKind
    number: str
    """Our number of the complaint."""
    reference: str
    """Ours, of this forward: it stands in its words, so that it is found there and recognised when it comes back. That
    of a complaint is its number."""
    at: Instant
    """When it was received, or said."""
    sent_at: Instant | None = None
    """When the citizen wrote it, where the door knows: rows of a file may be old."""
    owner: str = ""
    channel: str = ""
    """The kind of door that it came by."""
    native: str | None = None
    """The destination's own id of the complaint; None: it does not stand there yet."""
    report_class: ReportClass = "unknown"
    title: str = ""
    text: str = ""
    category: Category | None = None
    place: Place | None = None
    incident_date: str | None = None
    offices: tuple[Office, ...] = ()
    """That have the complaint; of an answer the one that answers, of a disposition the one that gets it."""
    institutions: dict[str, int] = msgspec.field(default_factory=dict)
    """LAPOR!'s ids of these offices, as far as the registry has them; filled in when the forward is done."""
    status: Status | None = None
    due: DueNotice | None = None
    reporter: Party | None = None
    anonymous: bool = False
    secret: bool = False
    attachments: tuple[str, ...] = ()
    """Ids of files in the record."""

    @property
    def region(self) -> str:
        """Of its place, else of its door."""
        return (self.place.code if self.place else None) or self.owner
