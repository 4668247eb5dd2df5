"""What the channels say of our replies: it moves their states on, and never back.

A receipt finds its reply by our own reference, else by the channel's id of it. One may come before the sender has
stored that id: it waits in `early_receipts` and is applied then (`settle_early`, in the transaction that brings the
id).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import Receipt
from sink.batches import without_duplicates
from sink.bulk import (
    Row,
    execute_each,
    insert,
    insert_returning,
    instant_encoder,
    lock_names,
    lock_rows,
    query_in,
)
from sink.outbox_moves import ReplyPlanner, move_failed
from sink.outcomes import REPLACE_DEAD
from sink.record import Record
from sink.tables import early_receipts, outbox, outcomes
from sink.text import without_nul

NATIVE = 1
"""Purpose of the locks on channels' ids."""
RANK: Mapping[str, int] = {
    "suppressed": 0, "owed": 1, "claimed": 2, "unknown": 3, "sent": 4, "failed": 5, "moved": 5, "dismissed": 5,
    "delivered": 6, "read": 7,
}  # fmt: skip
"""A reply's state moves up only."""
_RANK_OF_PARTS = {**RANK, "failed": 8, "moved": 8, "dismissed": 8}
"""Of a reply that went in several parts: without one of them the others are not to be read."""
_REACHED = frozenset({"sent", "delivered", "read"})
_UPDATE = "UPDATE outbox SET state = :state, sent_at = :sent_at, code = :code, reason = :reason WHERE id = :id"


class _News(NamedTuple):
    """What a receipt says of one reply; `at` as the driver takes it."""

    state: str
    at: Any
    reason: str | None


def apply_receipts(
    record: Record, receipts: Sequence[Receipt], planner: ReplyPlanner | None = None, now: datetime | None = None
) -> None:
    """Store the outcomes of these receipts, and apply each once to its reply. With a planner, a reply that failed goes
    to another address (`outbox_moves`); `now` None: as the last receipt. Raises Retry."""
    if not receipts:
        return
    once = without_duplicates(receipts)
    at = instant_encoder(record.engine)
    ends = [_outcome(record, receipt, at(receipt.received_at)) for receipt in once]
    keys = {receipt.event_id: _key(record, receipt) for receipt in once}
    with record.write() as connection:
        new = insert_returning(connection, outcomes, ends, REPLACE_DEAD)
        fresh = [r for r in once if (r.raw, r.item_index) in new and r.state != "empty"]
        failed = _apply(connection, record, fresh, {receipt.event_id: keys[receipt.event_id] for receipt in fresh})
        if planner is not None:
            now = now or max(receipt.received_at for receipt in once)
            move_failed(connection, record.vault, planner, failed, now)


def settle_early(connection: Connection, keys: Mapping[bytes, str]) -> list[str]:
    """Apply the receipts that waited for these channel's ids (key to reply id); returns the replies that failed by
    that. The caller holds the locks: first `lock_names(connection, NATIVE, keys)`, then the replies' rows."""
    sql = "SELECT key, state, at, reason FROM early_receipts WHERE key IN (*) ORDER BY seq"
    news: dict[str, list[_News]] = defaultdict(list)
    for key, state, at, reason in query_in(connection, sql, keys):
        news[keys[bytes(key)]].append(_News(state, at, reason))
    if not news:
        return []
    failed = _move(connection, news)
    sql = "DELETE FROM early_receipts WHERE key = :key"
    execute_each(connection, early_receipts, sql, [{"key": key} for key in keys])
    return failed


def forget_early(record: Record, before: datetime) -> int:
    """Delete receipts that waited since before then: they are of replies that this hub never sent. Returns how many.
    Raises Retry."""
    with record.write() as connection:
        at = instant_encoder(connection)(before)
        sql = "DELETE FROM early_receipts WHERE at < ?"
        sql = sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")
        return connection.exec_driver_sql(sql, (at,)).rowcount


def _key(record: Record, receipt: Receipt) -> bytes | None:
    if not receipt.native_id:
        return None
    return record.message_key(receipt.channel, receipt.account, receipt.native_id)


def _outcome(record: Record, receipt: Receipt, at: Any) -> Row:
    return {
        "raw": receipt.raw, "item_index": receipt.item_index, "item_count": receipt.item_count,
        "owner": record.owner(receipt.account), "account": receipt.account,
        "outcome": "empty" if receipt.state == "empty" else "receipt",
        "complaint": None, "message": None, "reason": None, "at": at,
    }  # fmt: skip


def _apply(
    connection: Connection, record: Record, receipts: Sequence[Receipt], keys: Mapping[str, bytes | None]
) -> list[str]:
    """The replies that failed by them. `keys` are the hashes of the channel's ids, by event id."""
    at = instant_encoder(connection)
    named = {key for key in keys.values() if key is not None}
    lock_names(connection, NATIVE, named)
    sql = "SELECT key, reply FROM reply_ids WHERE key IN (*)"
    by_key = {bytes(key): reply for key, reply in query_in(connection, sql, named)}
    ours = {id for (id,) in query_in(connection, "SELECT id FROM outbox WHERE id IN (*)",
                                     {r.reply for r in receipts if r.reply})}  # fmt: skip
    news: dict[str, list[_News]] = defaultdict(list)
    early: list[Row] = []
    for receipt in receipts:
        key = keys[receipt.event_id]
        reply = receipt.reply if receipt.reply in ours else by_key.get(key or b"")
        reason = receipt.reason and without_nul(receipt.reason)
        if reply is not None:
            news[reply].append(_News(receipt.state, at(receipt.at), reason))
        elif key is not None:
            early.append({"key": key, "owner": record.owner(receipt.account), "account": receipt.account,
                          "state": receipt.state, "at": at(receipt.at), "reason": reason})  # fmt: skip
    insert(connection, early_receipts, early)
    lock_rows(connection, outbox, "id", news)
    return _move(connection, news)


def _move(connection: Connection, news: Mapping[str, Iterable[_News]]) -> list[str]:
    """Move each reply to the highest state that it was given; returns those that failed by that."""
    sql = "SELECT id, state, sent_at, code, reason, public_ids FROM outbox WHERE id IN (*)"
    rows = []
    for id, state, sent_at, code, reason, public_ids in query_in(connection, sql, news):
        moved = {"id": id, "state": state, "sent_at": sent_at, "code": code, "reason": reason}
        rank = _RANK_OF_PARTS if public_ids and len(msgspec.json.decode(public_ids)) > 1 else RANK
        for one in news[id]:
            if rank.get(one.state, 0) > rank.get(moved["state"], 0):
                moved |= {"state": one.state, "reason": one.reason, "code": _code(one.state)}
                if one.state in _REACHED:
                    moved["sent_at"] = moved["sent_at"] or one.at
        if moved["state"] != state:
            rows.append(moved)
    execute_each(connection, outbox, _UPDATE, rows)
    return [row["id"] for row in rows if row["state"] == "failed"]


def _code(state: str) -> str | None:
    return "channel_reports_failure" if state == "failed" else None
