"""Results: what became of the replies that were claimed.

A result is applied to the claim that it belongs to, known by epoch and attempts, and only once: storing it again after
a lost answer changes nothing. `sent` is believed of any claim. A process that was taken over still settles its own
claims: nobody else has sent those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from schemas import ReplyState
from sink.account_faults import SPENT
from sink.account_states import touch_accounts_within
from sink.bulk import execute_each, insert, instant_encoder, lock_names, lock_rows, query_in
from sink.outbox_claims import OwedReply
from sink.outbox_moves import ReplyPlanner, move_failed
from sink.receipts import NATIVE, RANK, settle_early
from sink.record import Record
from sink.tables import outbox, reply_ids

MAX_ATTEMPTS = 8
"""Attempts to send one reply, over most of an hour; then it has failed."""
SHORTEST, LONGEST = 1.0, 3600.0
"""Seconds to the next attempt."""
SendState = Literal["sent", "unknown", "failed", "retry", "owed"]
"""`retry`: it surely did not arrive, and is tried again at `due_at`; `owed`: the account is at fault, so the attempt
does not count."""
_SELECT = "SELECT id, state, attempts, epoch, due_at, sent_at, code, reason FROM outbox WHERE id IN (*)"
_UPDATE = (
    "UPDATE outbox SET state = :state, attempts = :attempts, due_at = :due_at, sent_at = :sent_at, code = :code, "
    "reason = :reason, text = COALESCE(:text, text), public_ids = COALESCE(:public_ids, public_ids) WHERE id = :id"
)


class SendResult(NamedTuple):
    """What became of one claimed reply."""

    reply: OwedReply
    state: SendState
    at: datetime
    native_ids: tuple[str, ...] = ()
    """The channel's ids of what was sent."""
    text: str | None = None
    """What was sent."""
    due_at: datetime | None = None
    """When it is tried again; None: at once."""
    limit: int = MAX_ATTEMPTS
    """With `retry`: after so many attempts it has failed."""
    code: str | None = None
    reason: str | None = None
    """Nothing personal."""


def next_attempt(now: datetime, attempts: int, after: float | None = None) -> datetime:
    """When a reply that was tried `attempts` times before is tried again: `after` seconds, else a growing backoff."""
    seconds = after if after is not None else 3.0 ** min(attempts + 1, 10)
    return now + timedelta(seconds=min(max(seconds, SHORTEST), LONGEST))


def store_results(record: Record, results: Sequence[SendResult], planner: ReplyPlanner | None = None) -> None:
    """Store what became of the replies, with what receipts said of them earlier. With a planner, one that failed goes
    to another address (`outbox_moves`). Until it returns they count as in flight. Raises Retry."""
    if not results:
        return
    by_id = {result.reply.id: result for result in results}
    sent = [result for result in by_id.values() if result.state == "sent"]
    keys = dict(_native_keys(record, sent))
    with record.write() as connection:
        lock_names(connection, NATIVE, keys)
        lock_rows(connection, outbox, "id", by_id)
        encode = instant_encoder(connection)
        rows = [_changed(row, by_id[row.id], encode) for row in query_in(connection, _SELECT, by_id)]
        publics = {result.reply.id: _public_ids(record, result) for result in sent}
        changes = [row | {"public_ids": publics.get(row["id"])} for row in rows if row is not None]
        execute_each(connection, outbox, _UPDATE, changes)
        known = [{"key": key, "reply": reply} for key, reply in keys.items()]
        insert(connection, reply_ids, known, "ON CONFLICT (key) DO NOTHING")
        touch_accounts_within(
            connection, "last_out_at", {result.reply.account: result.at for result in sorted(sent, key=_at)}
        )
        spent = [result for result in results if result.state == "failed" and result.code in SPENT]
        touch_accounts_within(connection, "spent_at", {result.reply.account: result.at for result in spent})
        failed = [row["id"] for row in changes if row["state"] == "failed"] + settle_early(connection, keys)
        if planner is not None:
            move_failed(connection, record.vault, planner, failed, max(result.at for result in results))


def _at(result: SendResult) -> datetime:
    return result.at


def _native_keys(record: Record, sent: Iterable[SendResult]) -> Iterator[tuple[bytes, str]]:
    for result in sent:
        for native in result.native_ids:
            yield record.message_key(result.reply.channel, result.reply.account, native), result.reply.id


def _public_ids(record: Record, result: SendResult) -> str | None:
    public = [record.public_id(result.reply.channel, native) for native in result.native_ids]
    return msgspec.json.encode(public).decode() if public else None


def _changed(row: Any, result: SendResult, encode: Any) -> dict[str, Any] | None:
    """The row's new values; None: the result is not about its claim, or was stored before."""
    changed = {name: getattr(row, name) for name in ("id", "attempts", "due_at", "sent_at", "code", "reason")}
    changed |= {"state": row.state, "text": result.text}
    if result.state == "sent":
        changed["sent_at"] = row.sent_at or encode(result.at)
        if RANK[row.state] < RANK["sent"]:
            changed |= {"state": "sent", "code": None, "reason": None}
        return changed
    if row.state not in ("claimed", "unknown"):
        return None
    if (row.epoch, row.attempts) != (result.reply.epoch, result.reply.attempts):
        return None
    changed |= {"state": _next_state(result), "code": result.code, "reason": result.reason}
    changed["attempts"] += result.state == "retry"
    changed["due_at"] = encode(result.due_at or result.at)
    return changed


def _next_state(result: SendResult) -> ReplyState:
    if result.state == "retry":
        return "owed" if result.reply.attempts + 1 < result.limit else "failed"
    return result.state
