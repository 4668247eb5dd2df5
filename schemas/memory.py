"""What the matcher's memory holds, as plain values: `match` reads and extends them, the tables of the sink keep them.

They stand here because neither room may import the other. The port that speaks of them is in `normalizer/_port.py`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.values import Match, Outcome


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
    """Who asks did not report it: neither the thread nor what refers to this message leads to that complaint."""
    moves: bool = False
    """From here on the conversation is about this complaint (its thread). Never with `stranger`."""
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


class Referred(Thread, frozen=True, kw_only=True):
    """The complaint of a message referred to, and which of the batch's identities and keys are its reporter's."""

    reporter: frozenset[str] = frozenset()


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint asked for by number, and which of the askers' identities are its reporter's."""

    complaint: str
    number: str
    closed: bool = False
    reporter: frozenset[str] = frozenset()
    """Those of the batch's identities and conversation keys that belong to who reported it."""


class Known(msgspec.Struct, kw_only=True):
    """All that the memory knows of a batch of messages; `match` adds to it as it goes: one batch sees itself."""

    decided: dict[tuple[str, int], Decision]
    """By raw id and index: the same Raw once more."""
    seen: dict[str, Decision]
    """By message id: the first decision about it."""
    fingerprints: dict[str, Decision]
    """By fingerprint: the latest decision about it, not older than 10 minutes before the message."""
    threads: dict[str, Thread]
    """By `Message.key` and by `account/alias`."""
    said: dict[tuple[str, str], Thread]
    """By identity and digest of the words that opened a complaint: the same report by the same person."""
    numbered: dict[str, Numbered]
    """By number, for the numbers that the batch names."""
    referred: dict[str, Referred]
    """By message id (kind/account/native) of the message referred to; not where a stranger wrote that message."""
    fresh: dict[str, str]
    """By complaint id, for each message of the batch that may open one: the number it would get."""
