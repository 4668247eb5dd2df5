"""What became of replies, as the speaker and the channels say: moves the outbox on, and never back.

A receipt finds its reply by our own reference, else by account and the channel's id. One may come before the speaker's
own word has brought that id: it waits in `receipts` without a reply, and is applied then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from schemas import Receipt
from sink.bulk import Row, ask, put_returning, run, stamper
from sink.keep import AFTER_DEAD
from sink.record import Record
from sink.tables import outcomes, receipts

ATTEMPTS = 8
"""Sends of one reply, over most of an hour; then it has failed."""
SOONEST, LATEST = 1.0, 3600.0
"""Seconds to the next attempt."""
_RANK = {
    "withheld": 0, "owed": 1, "published": 1, "claimed": 2, "unknown": 3, "sent": 4, "failed": 5, "delivered": 6,
    "read": 7,
}  # fmt: skip
_SELECT = "SELECT id, account, native_id, state, attempts, not_before, sent_at, reason FROM outbox WHERE"


@dataclass(slots=True)
class _Sent:
    """A row of the outbox, while receipts are applied to it."""

    id: str
    account: str
    native_id: str | None
    state: str
    attempts: int
    not_before: Any
    sent_at: Any
    reason: str | None


def note(record: Record, said: Sequence[Receipt]) -> None:
    """Keep the receipts, each once, and what they say about replies. Raises Retry."""
    if not said:
        return
    with record.write() as connection:
        at = stamper(connection)
        _ends(connection, [_outcome(record, r, at) for r in said if r.raw is not None])
        once = {_id(r): r for r in reversed(said) if r.state != "empty"}
        rows = [_row(record, name, r, at) for name, r in once.items()]
        fresh = {key for (key,) in put_returning(connection, receipts, rows, "ON CONFLICT DO NOTHING")}
        _apply(connection, [r for r in said if once.get(_id(r)) is r and _id(r) in fresh])


def _ends(connection: Connection, rows: Iterable[Row]) -> None:
    once = {(row["raw"], row["idx"]): row for row in rows}
    put_returning(connection, outcomes, list(once.values()), AFTER_DEAD)


def _outcome(record: Record, receipt: Receipt, at: Any) -> Row:
    return {
        "raw": receipt.raw, "idx": receipt.index, "of": receipt.of, "owner": record.owner(receipt.account),
        "account": receipt.account, "outcome": "empty" if receipt.state == "empty" else "receipt",
        "complaint": None, "message": None, "reason": receipt.reason, "at": at(receipt.received_at or receipt.at),
    }  # fmt: skip


def _id(receipt: Receipt) -> str:
    if receipt.raw is not None:
        return f"{receipt.raw}.{receipt.index}"
    return f"{receipt.reply or receipt.native_id}/{receipt.state}/{receipt.at.isoformat()}"


def _row(record: Record, name: str, receipt: Receipt, at: Any) -> Row:
    return {
        "id": name, "owner": record.owner(receipt.account), "account": receipt.account, "channel": receipt.channel,
        "reply": receipt.reply, "native_id": receipt.native_id, "state": receipt.state, "at": at(receipt.at),
        "reason": receipt.reason, "raw": receipt.raw, "idx": receipt.index,
    }  # fmt: skip


def _apply(connection: Connection, said: Sequence[Receipt]) -> None:
    at = stamper(connection)
    by_id = {row.id: row for row in _found(connection, "id", {r.reply for r in said if r.reply})}
    natives = {r.native_id for r in said if r.native_id and r.reply not in by_id}
    by_native = {(row.account, row.native_id): row for row in _found(connection, "native_id", natives)}
    touched: dict[str, _Sent] = {}
    for receipt in said:
        row = by_id.get(receipt.reply or "") or by_native.get((receipt.account, receipt.native_id))
        if row is not None:
            row = touched.setdefault(row.id, row)
            row.native_id = row.native_id or receipt.native_id
            _move(row, receipt.state, receipt.reason, at(receipt.at))
            if receipt.state == "retry":
                _again(row, receipt, at)
    _early(connection, touched)
    _write(connection, touched.values())


def _found(connection: Connection, column: str, values: Iterable[Any]) -> list[_Sent]:
    return [_Sent(*row) for row in ask(connection, f"{_SELECT} {column} IN (*)", values)]


def _move(row: _Sent, state: str, reason: str | None, at: Any) -> None:
    if _RANK.get(state, 0) <= _RANK[row.state]:
        return
    row.state = state
    row.reason = reason or row.reason
    if state in ("sent", "delivered", "read"):
        row.sent_at = row.sent_at or at


def _again(row: _Sent, receipt: Receipt, at: Any) -> None:
    """Only what was surely not sent is sent again."""
    if row.state not in ("claimed", "unknown"):
        return
    row.attempts += 1
    row.state = "owed" if row.attempts < ATTEMPTS else "failed"
    wait = receipt.after if receipt.after is not None else 3.0**row.attempts
    row.not_before = at(receipt.at + timedelta(seconds=min(max(wait, SOONEST), LATEST)))
    row.reason = receipt.reason


def _early(connection: Connection, touched: dict[str, _Sent]) -> None:
    """Receipts that came before anybody knew whose they are."""
    known = {(row.account, row.native_id): row for row in touched.values() if row.native_id}
    sql = "SELECT account, native_id, state, reason, at FROM receipts WHERE native_id IN (*) AND reply IS NULL"
    for account, native, state, reason, at in ask(connection, sql, {native for _, native in known}):
        if (account, native) in known:
            _move(known[account, native], state, reason, at)


def _write(connection: Connection, rows: Iterable[_Sent]) -> None:
    sql = (
        "UPDATE outbox SET native_id = ?, state = ?, attempts = ?, not_before = ?, sent_at = ?, reason = ? WHERE id = ?"
    )
    run(connection, sql, [(r.native_id, r.state, r.attempts, r.not_before, r.sent_at, r.reason, r.id) for r in rows])
