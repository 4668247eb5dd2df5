"""What became of replies, as the speaker and the channels say: moves the outbox on, and never back.

A receipt finds its reply by our own reference, else by account and the channel's id. One may come before the speaker's
own word has brought that id: it waits in `receipts` without a reply, and is applied then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from schemas import Receipt
from sink.bulk import Row, ask, hold, lock, put_returning, run, stamper
from sink.persist import AFTER_DEAD
from sink.record import Record
from sink.rows import clean
from sink.tables import outbox, outcomes, receipts

ATTEMPTS = 8
"""Sends of one reply, over most of an hour; then it has failed."""
NATIVE = 1
"""Purpose of the locks on native ids."""
SOONEST, LATEST = 1.0, 3600.0
"""Seconds to the next attempt."""
_RANK = {
    "withheld": 0, "owed": 1, "published": 1, "claimed": 2, "unknown": 3, "sent": 4, "failed": 5, "delivered": 6,
    "read": 7,
}  # fmt: skip
_SELECT = "SELECT id, account, native_id, state, attempts, not_before, sent_at, reason FROM outbox WHERE id IN (*)"

_CHANGED = ("id", "native_id", "state", "attempts", "not_before", "sent_at", "reason")


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
    said = [_kept(receipt) for receipt in said]
    with record.write() as connection:
        at = stamper(connection)
        _ends(connection, [_outcome(record, r, at) for r in said if r.raw is not None])
        once = {_id(r): r for r in reversed(said) if r.state != "empty"}
        rows = [_row(record, name, r, at) for name, r in once.items()]
        fresh = {key for (key,) in put_returning(connection, receipts, rows, "ON CONFLICT DO NOTHING")}
        _apply(connection, [r for r in said if once.get(_id(r)) is r and _id(r) in fresh])


def _kept(receipt: Receipt) -> Receipt:
    """With the channel's id as the tables hold it: it is compared with what they give back."""
    if receipt.native_id is None or "\x00" not in receipt.native_id:
        return receipt
    return replace(receipt, native_id=clean(receipt.native_id))


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
    said = f"{receipt.account}/{receipt.reply or receipt.native_id}/{receipt.state}/{receipt.at.isoformat()}"
    return blake2b(said.encode(), digest_size=16).hexdigest()  # a channel's id may be of any length


def _row(record: Record, name: str, receipt: Receipt, at: Any) -> Row:
    return {
        "id": name, "owner": record.owner(receipt.account), "account": receipt.account, "channel": receipt.channel,
        "reply": receipt.reply, "native_id": receipt.native_id, "state": receipt.state, "at": at(receipt.at),
        "reason": receipt.reason, "raw": receipt.raw, "idx": receipt.index,
    }  # fmt: skip


def _apply(connection: Connection, said: Sequence[Receipt]) -> None:
    at = stamper(connection)
    by_id = {row.id: row for row in _found(connection, said)}
    by_native = {(row.account, row.native_id): row for row in by_id.values()}
    touched: dict[str, _Sent] = {}
    for receipt in said:
        row = by_id.get(receipt.reply or "") or _named(by_native, receipt)
        if row is not None:
            row = touched.setdefault(row.id, row)
            row.native_id = row.native_id or receipt.native_id
            _move(row, receipt.state, receipt.reason, at(receipt.at))
            if receipt.state == "retry":
                _again(row, receipt, at)
    _early(connection, touched)
    _write(connection, touched.values())


def _found(connection: Connection, said: Sequence[Receipt]) -> list[_Sent]:
    """The replies that are spoken of, ours to change. Of one native id, who brings it to a reply and who has word of it
    wait for one another: the second sees what the first did."""
    natives = {r.native_id for r in said if r.native_id}
    hold(connection, NATIVE, (native.encode() for native in natives))
    ids = {r.reply for r in said if r.reply}
    ids.update(id for (id,) in ask(connection, "SELECT id FROM outbox WHERE native_id IN (*)", natives))
    lock(connection, outbox, "id", ids)
    return [_Sent(*row) for row in ask(connection, _SELECT, ids)]


def _named(replies: Mapping[tuple[str, str | None], _Sent], receipt: Receipt) -> _Sent | None:
    return replies.get((receipt.account, receipt.native_id)) if receipt.native_id else None


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
        "UPDATE outbox SET native_id = :native_id, state = :state, attempts = :attempts, not_before = :not_before, "
        "sent_at = :sent_at, reason = :reason WHERE id = :id"
    )
    run(connection, outbox, sql, [{name: getattr(row, name) for name in _CHANGED} for row in rows])
