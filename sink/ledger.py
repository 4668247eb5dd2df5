"""The ledger: what came in, counted from the log by a group of its own, against the outcomes in the record.

An item is a message, an action, a receipt or an unreadable part of a Raw. A Raw without any outcome counts as one item,
else as many as its outcomes state (`item_count`). An outcome counts only while the row that it is about exists.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from sink.activity import mark_active
from sink.bulk import insert, instant_encoder, lock_names, query_in
from sink.database import allow_long_statements
from sink.record import Record
from sink.tables import received

COLUMNS = (
    "received", "recorded", "added", "asked", "redelivered", "refused", "dead", "in_flight", "lost", "receipts",
    "empty",
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
        o.outcome IN ('recorded', 'added', 'asked')
            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.raw = o.raw AND m.item_index = o.item_index)
            AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.raw = o.raw AND a.item_index = o.item_index)
        OR o.outcome = 'dead'
            AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.raw = o.raw AND d.item_index = o.item_index)
        OR o.outcome = 'recorded' AND NOT EXISTS (SELECT 1 FROM complaints c WHERE c.id = o.complaint))
    GROUP BY r.account, o.outcome
"""
_IN_FLIGHT = """
    SELECT r.account, count(r.raw) FROM received r
    WHERE r.raw IN (*) AND r.seq <= ? AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.raw = r.raw) GROUP BY r.account
"""
_IN_PART = """
    SELECT r.account, r.raw, max(o.item_count) - count(*) FROM outcomes o JOIN received r ON r.raw = o.raw
    WHERE o.item_count > 1 AND r.seq <= :last GROUP BY r.account, r.raw HAVING max(o.item_count) > count(*)
"""
_BACKED = """
    SELECT count(CASE WHEN outcome = 'recorded' THEN 1 END) = (SELECT count(*) FROM complaints)
       AND count(CASE WHEN outcome IN ('recorded', 'added', 'asked') THEN 1 END)
           = (SELECT count(*) FROM messages) + (SELECT count(*) FROM actions WHERE applied)
       AND count(CASE WHEN outcome = 'dead' THEN 1 END) <= (SELECT count(*) FROM dead) FROM outcomes
"""
"""Whether there are as many complaints, messages, actions and dead letters as outcomes: only if not, each is looked
for."""


def book_received(record: Record, raws: Sequence[tuple[str, str, datetime]]) -> None:
    """Book these Raws (id, account, received at) as received, each once, and mark the hours in which their accounts
    were active. Raises Retry."""
    with record.write() as connection:
        lock_names(connection, SEQ, [b""])  # `seq` becomes visible in its order: `read_balance` relies on it
        at = instant_encoder(connection)
        rows = [{"raw": raw, "owner": record.owner(account), "account": account, "at": at(when)}
                for raw, account, when in raws]  # fmt: skip
        insert(connection, received, rows, "ON CONFLICT (raw) DO NOTHING")
        mark_active(connection, raws)


def last_booked(record: Record) -> int:
    """Up to where Raws are booked: to be read before what is in flight. Raises Retry."""
    with record.read() as connection:
        last: int | None = connection.execute(text("SELECT max(seq) FROM received")).scalar()
    return last or 0


def unbooked(record: Record, raws: Collection[str]) -> set[str]:
    """Those of the raw ids that are not booked. Raises Retry."""
    with record.read() as connection:
        booked = {row.raw for row in query_in(connection, "SELECT raw FROM received WHERE raw IN (*)", raws)}
    return set(raws) - booked


def read_balance(record: Record, last: int, in_flight: Collection[str]) -> dict[str, dict[str, object]]:
    """`{"all": {…}, "accounts": {name: {…}}}` of what is booked up to `last`. Raises Retry.

    Read `last_booked` first, then the raw ids in flight, then this: an item that moves meanwhile is seen where it
    arrived, or in both places."""
    with record.read() as connection:
        allow_long_statements(connection)
        books = _books(connection, last, frozenset(in_flight))
    every: Counter[str] = sum(books.values(), Counter())
    return {"all": _line(every), "accounts": {account: dict(_line(books[account])) for account in sorted(books)}}


def _books(connection: Connection, last: int, in_flight: Collection[str]) -> dict[str, Counter[str]]:
    books: dict[str, Counter[str]] = defaultdict(Counter)
    for account, outcome, number in connection.execute(text(_OUTCOMES), {"last": last}):
        books[account][_COLUMN.get(outcome, outcome) if outcome else "lost"] += number
    for account, number in query_in(connection, _IN_FLIGHT, in_flight, last):
        _move(books[account], number, "lost", "in_flight")
    for account, raw, missing in connection.execute(text(_IN_PART), {"last": last}):
        books[account]["in_flight" if raw in in_flight else "lost"] += missing
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
