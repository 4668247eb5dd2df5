"""The books: what came in, counted from the log by a group of its own, against the outcomes on record.

An item is a message, a receipt or an unreadable part of a Raw. A Raw without any outcome counts as one item, else as
many as it said it holds. An outcome counts only where what it says was kept is really there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from sink.bulk import ask, hold, put, stamper
from sink.database import patient
from sink.record import Record
from sink.tables import received

COLUMNS = (
    "received", "recorded", "added", "redelivered", "refused", "dead", "on_the_road", "lost", "receipts", "empty",
)  # fmt: skip
_COLUMN = {"receipt": "receipts"}
SEQ = 3
"""Purpose of the lock on `received.seq`."""

_OUTCOMES = """
    SELECT r.account, o.outcome, count(*) FROM received r LEFT JOIN outcomes o ON o.raw = r.raw
    WHERE r.seq <= :last GROUP BY r.account, o.outcome
"""
_UNBACKED = """
    SELECT r.account, o.outcome, count(*) FROM received r JOIN outcomes o ON o.raw = r.raw
    WHERE r.seq <= :last AND (
        o.outcome IN ('recorded', 'added') AND NOT EXISTS (
            SELECT 1 FROM messages m WHERE m.raw = o.raw AND m.idx = o.idx)
        OR o.outcome = 'dead' AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.raw = o.raw AND d.idx = o.idx)
        OR o.outcome = 'recorded' AND NOT EXISTS (SELECT 1 FROM complaints c WHERE c.id = o.complaint))
    GROUP BY r.account, o.outcome
"""
_ON_THE_ROAD = """
    SELECT r.account, count(r.raw) FROM received r
    WHERE r.raw IN (*) AND r.seq <= ? AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.raw = r.raw) GROUP BY r.account
"""
_IN_PART = """
    SELECT r.account, r.raw, max(o.of) - count(*) FROM outcomes o JOIN received r ON r.raw = o.raw
    WHERE o.of > 1 AND r.seq <= :last GROUP BY r.account, r.raw HAVING max(o.of) > count(*)
"""
_BACKED = """
    SELECT count(CASE WHEN outcome = 'recorded' THEN 1 END) = (SELECT count(*) FROM complaints)
       AND count(CASE WHEN outcome IN ('recorded', 'added') THEN 1 END) = (SELECT count(*) FROM messages)
       AND count(CASE WHEN outcome = 'dead' THEN 1 END) <= (SELECT count(*) FROM dead) FROM outcomes
"""
"""Whether there are as many complaints, messages and dead letters as outcomes say: only else each is looked for."""


def count(record: Record, raws: Sequence[tuple[str, str, datetime]]) -> None:
    """Book these Raws (id, account, received at) as received, each once. Raises Retry."""
    with record.write() as connection:
        hold(connection, SEQ, [b""])  # `seq` becomes visible in its order: a look at the books relies on it
        at = stamper(connection)
        rows = [{"raw": raw, "owner": record.owner(account), "account": account, "at": at(when)}
                for raw, account, when in raws]  # fmt: skip
        put(connection, received, rows, "ON CONFLICT (raw) DO NOTHING")


def booked(record: Record) -> int:
    """Up to where Raws are booked: to be asked before the road is looked at. Raises Retry."""
    with record.read() as connection:
        last: int | None = connection.execute(text("SELECT max(seq) FROM received")).scalar()
    return last or 0


def balance(record: Record, last: int, road: Collection[str]) -> dict[str, dict[str, object]]:
    """`{"all": {…}, "accounts": {name: {…}}}` of what is booked up to `last`. The road (raw ids) is looked at after
    that was asked, outcomes last: what moves meanwhile is seen at its new place, or at both. Raises Retry."""
    with record.read() as connection:
        patient(connection)
        books = _books(connection, last, frozenset(road))
    every: Counter[str] = sum(books.values(), Counter())
    return {"all": _line(every), "accounts": {account: dict(_line(books[account])) for account in sorted(books)}}


def _books(connection: Connection, last: int, road: Collection[str]) -> dict[str, Counter[str]]:
    books: dict[str, Counter[str]] = defaultdict(Counter)
    for account, outcome, number in connection.execute(text(_OUTCOMES), {"last": last}):
        books[account][_COLUMN.get(outcome, outcome) if outcome else "lost"] += number
    for account, number in ask(connection, _ON_THE_ROAD, road, last):
        _move(books[account], number, "lost", "on_the_road")
    for account, raw, missing in connection.execute(text(_IN_PART), {"last": last}):
        books[account]["on_the_road" if raw in road else "lost"] += missing
    if not connection.execute(text(_BACKED)).scalar_one():
        for account, outcome, number in connection.execute(text(_UNBACKED), {"last": last}):
            _move(books[account], number, outcome, "lost")
    for line in books.values():
        line["received"] = line.total() - line["receipts"] - line["empty"]
    return books


def _move(line: Counter[str], number: int, here: str, there: str) -> None:
    line[here] -= number
    line[there] += number


def _line(counted: Counter[str]) -> dict[str, object]:
    return {column: counted[column] for column in COLUMNS}
