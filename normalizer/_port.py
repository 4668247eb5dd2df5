"""What `match` asks of its memory. The tables are in `sink/`; `hub/` joins them.

Memory speaks in plain values (conversations, phone numbers); it stores only keyed hashes of the personal ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from schemas import Match, Message, Outcome


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about one message, whole: published again as it stands when the same Raw comes again."""

    raw: str
    index: int
    message: str
    """Message id."""
    outcome: Outcome
    complaint: str | None = None
    number: str | None = None
    opens: bool = False
    """This message opened the complaint."""
    reason: str | None = None
    matches: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    stranger: bool = False
    matcher: str = ""
    received_at: datetime


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The complaint that a conversation is about at the moment."""

    complaint: str
    number: str
    last_at: datetime
    """When the last message joined it."""
    closed: bool = False
    """Its status is done, archived or rejected."""


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint asked for by number, and which of the askers' identities are its reporter's."""

    complaint: str
    number: str
    closed: bool = False
    reporter: frozenset[str] = frozenset()
    """Those of the batch's identities and conversation keys that belong to who reported it."""


class Known(msgspec.Struct, kw_only=True):
    """All that the memory knows of a batch of messages; `match` adds to it as it goes, so that one batch sees itself."""

    decided: dict[tuple[str, int], Decision]
    """By raw id and index: the same Raw once more."""
    seen: dict[str, Decision]
    """By message id: the first decision about it."""
    fingerprints: dict[str, Decision]
    """By fingerprint: the latest decision about it, not older than 10 minutes before the message."""
    threads: dict[str, Thread]
    """By `Message.key` and by `account/alias`."""
    said: dict[tuple[str, str], Thread]
    """By identity and digest of what was said (`digest`): the same report by the same person."""
    numbered: dict[str, Numbered]
    """By number, for the numbers that the batch names."""
    referred: dict[str, Thread]
    """By message id (kind/account/native) of the message referred to."""
    fresh: dict[str, str]
    """By complaint id, for each message of the batch that may open one: the number it would get."""


class Memory(Protocol):
    """One bulk read before, one transaction after. Implementations are synchronous; `match` is told everything first."""

    def recall(self, messages: Sequence[Message], digests: Sequence[str | None]) -> Known:
        """What is known of these messages. `digests` has one entry a message: None is not looked up."""
        ...

    def remember(self, messages: Sequence[Message], digests: Sequence[str | None], decisions: Sequence[Decision]) -> None:
        """Keep the decisions of a batch, all or none, before they are published.

        Decisions already kept are left out by the caller. Raises Retry when another process was first with one of
        these message ids or numbers: the batch is then matched again and sees it.
        """
        ...
