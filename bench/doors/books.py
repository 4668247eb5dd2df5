"""The books at the end: what citizens wrote and heard, against the record and the ledger. Pure functions; each gives
what is wrong, in words with the complaint's number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bench.doors.citizens import Complaint

OUTCOMES = ("recorded", "added", "asked", "redelivered", "refused", "dead")
IN_DOUBT = "unknown"
_NUMBERED = re.compile(r"tiang nomor (\d+)")


class Stored(NamedTuple):
    """A complaint of the record."""

    number: str
    door: str
    texts: Sequence[str]
    """Of the citizen's messages."""
    replies: Sequence[str]
    """The state of each reply that it is owed."""


class Books(NamedTuple):
    written: Mapping[int, Complaint]
    waiting: Mapping[str, int]
    """By door: what the peer was not told to be durable."""
    stored: Sequence[Stored]
    heard: Mapping[int, Sequence[str]]
    """By complaint: the answers that its citizen got."""
    ledger: Mapping[str, Any]
    """`ledger --json`."""


def numbers_in(stored: Stored) -> set[int]:
    return {int(n) for text in stored.texts for n in _NUMBERED.findall(text)}


def not_taken(books: Books) -> Iterator[str]:
    for door, count in books.waiting.items():
        if count:
            yield f"{door}: {count} still wait at the peer"


def lost(books: Books) -> Iterator[str]:
    """The peer was told that it is durable, and it stands nowhere as it was written."""
    found = _count_texts(books)
    for n, complaint in books.written.items():
        if not found[n]:
            yield f"{complaint.door} {n}: not in the record"


def twice(books: Books) -> Iterator[str]:
    """Two complaints of one, or one message twice in a complaint."""
    complaints = Counter(n for stored in books.stored for n in numbers_in(stored))
    found = _count_texts(books)
    for n, complaint in books.written.items():
        if complaints[n] > 1:
            yield f"{complaint.door} {n}: {complaints[n]} complaints"
        elif found[n] > 1:
            yield f"{complaint.door} {n}: stands {found[n]} times in its complaint"


def foreign(books: Books) -> Iterator[str]:
    """A complaint that nobody wrote, or two in one."""
    for stored in books.stored:
        found = numbers_in(stored)
        if len(found) != 1 or not found <= books.written.keys():
            yield f"{stored.door} {stored.number}: holds {sorted(found)}"


def answered_twice(books: Books) -> Iterator[str]:
    for n, door, stored in _alone(books):
        heard = len(books.heard.get(n, ()))
        if heard > len(stored.replies):
            yield f"{door} {n}: {heard} answers of {len(stored.replies)}"


def unanswered(books: Books) -> Iterator[str]:
    """Owed, and neither sent nor in doubt; or said to be sent, and never heard; or another's number."""
    for n, door, stored in _alone(books):
        heard, states = books.heard.get(n, ()), Counter(stored.replies)
        sure = sum(count for state, count in states.items() if state in {"sent", "delivered", "read"})
        if len(stored.replies) != 1:
            yield f"{door} {n}: {len(stored.replies)} replies are owed"
        if sure + states[IN_DOUBT] != len(stored.replies):
            yield f"{door} {n}: {dict(states)}"
        if len(heard) < sure:
            yield f"{door} {n}: {sure} sent, {len(heard)} heard"
        if any(stored.number not in words for words in heard) and not states[IN_DOUBT]:
            yield f"{door} {n}: an answer without its number"


def unbalanced(books: Books) -> Iterator[str]:
    for account, row in (("all", books.ledger["all"]), *books.ledger["accounts"].items()):
        if row["received"] != sum(row[outcome] for outcome in OUTCOMES):
            yield f"{account}: received is not the sum of the outcomes: {row}"
        if wrong := {name: row[name] for name in ("lost", "in_flight", "dead", "refused", "asked") if row[name]}:
            yield f"{account}: {wrong}"
        stored = sum(account in {"all", one.door} for one in books.stored)
        if row["recorded"] != stored:
            yield f"{account}: {row['recorded']} recorded, {stored} complaints stand there"


def in_doubt(books: Books, door: str) -> tuple[int, int]:
    """Replies of which nobody here knows whether they were sent, and how many of these no citizen heard."""
    doubtful = [n for n, of, stored in _alone(books) if of == door and IN_DOUBT in stored.replies]
    return len(doubtful), sum(not books.heard.get(n) for n in doubtful)


def _count_texts(books: Books) -> Counter[int]:
    """How often each text stands in the record, whole and under its account."""
    return Counter(
        n
        for stored in books.stored
        for text in stored.texts
        for n in map(int, _NUMBERED.findall(text))
        if n in books.written and books.written[n].door == stored.door and books.written[n].text in text
    )


def _alone(books: Books) -> Iterator[tuple[int, str, Stored]]:
    """The complaints that stand once."""
    by_number: dict[int, list[Stored]] = {}
    for stored in books.stored:
        for n in numbers_in(stored):
            by_number.setdefault(n, []).append(stored)
    for n, complaint in books.written.items():
        if len(found := by_number.get(n, [])) == 1:
            yield n, complaint.door, found[0]


CHECKS: Mapping[str, Callable[[Books], Iterator[str]]] = {
    "not taken": not_taken, "lost": lost, "twice": twice, "foreign": foreign, "answered twice": answered_twice,
    "unanswered": unanswered, "unbalanced": unbalanced,
}  # fmt: skip
"""Each must find nothing."""
