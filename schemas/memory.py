"""What the matcher's memory holds, as plain values: `match` reads and extends them, the tables of the sink keep them.

They stand here because neither room may import the other. The port that speaks of them is in `normalizer/_port.py`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.events import Action, Message
from schemas.values import Match, Outcome, Place


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was decided about one message or action, whole: published again when the same Raw comes again."""

    raw: str
    item_index: int
    message: str
    """Message or action id."""
    content: str = ""
    """Digest of the words and files: the same id with other content is another message."""
    outcome: Outcome
    complaint: str | None = None
    """Of a refused notice that a citizen has another number: the complaint whose thread the new number has too."""
    number: str | None = None
    opens_complaint: bool = False
    reason: str | None = None
    matches: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    place: Place | None = None
    """The place that was settled on."""
    stranger: bool = False
    """The sender did not report it: neither the thread nor what refers to this message leads to that complaint."""
    switches_thread: bool = False
    """From here on the conversation is about this complaint (its thread). Never with `stranger`."""
    reader: str = ""
    matcher: str = ""
    received_at: datetime


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the memory for one message or action."""

    item: Message | Action
    report_keys: tuple[str, ...] = ()
    """Under which the same report may have been opened, looked up in `Known.same_words`. They hold personal values: the
    memory stores their keyed hashes only."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the memory is to keep of one message or action."""

    item: Message | Action
    """With the id as it was read; `Decision.message` may be that id and a suffix (`~2`)."""
    decision: Decision
    report_keys: tuple[str, ...] = ()
    """Under which the complaint that this message opened is found again (`Query.report_keys`); empty where it opened
    none. A key that is already stored leads to the newer complaint from now on."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The complaint that a conversation is about at the moment."""

    complaint: str
    number: str
    last_at: datetime
    """When the last message joined it."""
    closed: bool = False
    """Its status is done, archived or rejected."""
    region: str | None = None
    """Region code of its place, where the record knows one."""


class Referred(Thread, frozen=True, kw_only=True):
    """A complaint found by a message referred to, by its number or by a foreign id."""

    reporter: frozenset[str] = frozenset()
    """Those of the batch's identities and conversation keys that belong to its reporter."""


class Known(msgspec.Struct, kw_only=True):
    """All that the memory knows of a batch of items; `match` adds to it as it goes: one batch sees itself."""

    decided: dict[tuple[str, int], Decision]
    """By raw id and item index: the same Raw once more."""
    seen: dict[str, Decision]
    """By message id: the first decision about it."""
    fingerprints: dict[str, Decision]
    """By fingerprint: the latest decision about it, not older than 10 minutes before the message."""
    threads: dict[str, Thread]
    """By `Message.key` and by `account/alias`."""
    same_words: dict[str, Thread]
    """By `Query.report_keys`: the complaint that the same words opened."""
    by_number: dict[str, Referred]
    """By number, for the numbers that the batch names."""
    by_external_id: dict[tuple[str, str], Referred]
    """By system and id in that system."""
    by_message: dict[str, Referred]
    """By message id (kind/account/native) of the message referred to, a citizen's or one of our replies; not where a
    stranger wrote that message."""
    new_numbers: dict[str, str]
    """By complaint id, for each message of the batch that may open one: the number it would get."""
