"""What the matcher's memory holds, as plain values: `match` reads and extends them, the tables of the sink keep them.

They stand here because neither room may import the other. The port that speaks of them is in `normalizer/_port.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from schemas.events import Action, Message
from schemas.values import Match, Outcome, Place

BUCKET = 28 * 24 * 3600
"""Seconds of a bucket of the index of reports."""
TEXT_BUCKET = 3 * BUCKET
"""Seconds of a bucket of whole texts: one text may be passed on for a long time, and is one key only."""
TEXT_BUCKETS = 4
"""Buckets of whole texts that are asked: the next one too, as reports do not come in the order of their times."""
NEWEST = 20
"""Reports of one bucket that are found under one key: a key that more have tells too little."""
SCORED = 10
"""Reports that one is compared with: those that share most keys with it, of equal ones the newest."""

REPORT_BITS = 63
"""Of a complaint's id, as the memory keeps it."""


def report_reference(at: int, complaint: str) -> int:
    """A report as one number: its second, then `REPORT_BITS` of its complaint's id. Numbers of one second are in the
    order of these ids."""
    return at << REPORT_BITS | report_bits(complaint)


def report_bits(complaint: str) -> int:
    """The first `REPORT_BITS` of a complaint's id, which is a UUID."""
    return int(complaint.replace("-", "")[:16], 16) >> 64 - REPORT_BITS


def sharing_most(shared: Mapping[int, int]) -> Collection[int]:
    """Of references, each with the number of keys that its report shares with another: the `SCORED` that share most, of
    equal ones the newest."""
    if len(shared) <= SCORED:
        return shared.keys()
    least = sorted(shared.values())[-SCORED]
    more = [reference for reference, n in shared.items() if n > least]
    return more + sorted([reference for reference, n in shared.items() if n == least])[len(more) - SCORED :]


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


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is compared with others by. It follows from the report alone."""

    at: int
    """When it was written, in seconds since 1970; never before."""
    keys: tuple[int, ...] = ()
    """63 bits each: alike reports share some. The memory finds reports by them."""
    text_keys: tuple[int, ...] = ()
    """Of the whole text; of a short one also with its village, as few words are the same by chance."""
    words: bytes
    """Hashes of its words, four bytes each, as the matcher packs them."""
    place: str | None = None
    """Region code, where one was stated or read."""
    lat: float | None = None
    lon: float | None = None
    category: str | None = None

    @property
    def bucket(self) -> int:
        """The four weeks that it belongs to: the index is stored and asked by them."""
        return self.at // BUCKET

    @property
    def stored_under(self) -> list[tuple[int, int]]:
        """Buckets and keys. Buckets of whole texts are negative."""
        bucket, text = self.bucket, self._text_bucket
        return [(bucket, key) for key in self.keys] + [(text, key) for key in self.text_keys]

    @property
    def asked_under(self) -> list[tuple[int, int]]:
        """The same, and earlier buckets."""
        bucket, text = self.bucket, self._text_bucket
        texts = [(text + n, key) for key in self.text_keys for n in range(-1, TEXT_BUCKETS - 1)]
        return [(b, key) for b in (bucket, bucket - 1) for key in self.keys] + texts

    @property
    def _text_bucket(self) -> int:
        return -1 - self.at // TEXT_BUCKET


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the memory for one message or action."""

    item: Message | Action
    report_keys: tuple[str, ...] = ()
    """Under which the same report may have been opened, looked up in `Known.same_words`. They hold personal values: the
    memory stores their keyed hashes only."""
    profile: Profile | None = None
    """Of a message that is compared with others: the reports under `Profile.asked_under` are in
    `Known.alike`."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the memory is to keep of one message or action."""

    item: Message | Action
    """With the id as it was read; `Decision.message` may be that id and a suffix (`~2`)."""
    decision: Decision
    report_keys: tuple[str, ...] = ()
    """Under which the complaint that this message opened is found again (`Query.report_keys`); empty where it opened
    none. A key that is already stored leads to the newer complaint from now on."""
    profile: Profile | None = None
    """Under which the complaint that this message opened is found by alike reports; None where it opened none."""
    first_words: bool = False
    """The complaint that this message joined was wordless, and is no longer."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The complaint that a conversation is about at the moment."""

    complaint: str
    number: str
    last_at: datetime
    """When the last message joined it."""
    closed: bool = False
    """Its status is done, archived or rejected."""
    reopen_until: datetime | None = None
    """Until when its reporter may reopen it; None: it is not closed, or the day is not known yet."""
    region: str | None = None
    """Region code of its place, where the record knows one."""
    profile: Profile | None = None
    """What its opening message is compared by, without its keys."""
    wordless: bool = False
    """Nothing was said in it so far: a photo, a place or LAPOR alone opened it."""


class Referred(Thread, frozen=True, kw_only=True):
    """A complaint found by a message referred to, by its number or by a foreign id."""

    reporter: frozenset[str] = frozenset()
    """Those of the batch's identities and conversation keys that belong to its reporter."""


class Candidate(Referred, frozen=True, kw_only=True):
    """A report that shares keys with one of the batch. `last_at` is when it was written."""

    profile: Profile
    incident: str
    """The complaint that is the first of its incident; its own id where it is linked to none."""
    sender: str
    """Tells senders apart, and nothing more."""

    @property
    def reference(self) -> int:
        """The higher, the newer; of one second, an order that all agree on."""
        return report_reference(self.profile.at, self.complaint)


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
    deletions: dict[str, Decision] = msgspec.field(default_factory=dict)
    """By id of the message that was taken back: the first decision about that."""
    new_numbers: dict[str, str]
    """By complaint id, for each message of the batch that may open one: the number it would get."""
    alike: dict[tuple[int, int], list[int]] = msgspec.field(default_factory=dict)
    """By bucket and key: references of the newest `NEWEST` reports that have the key, the newest last."""
    reports: dict[int, Candidate] = msgspec.field(default_factory=dict)
    """By reference: of those in `alike`, all that may be among the `SCORED` of an item of the batch."""
