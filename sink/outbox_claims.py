"""Claims: which replies the holder of the accounts' leases sends next.

A claim names the lease's epoch. A reply claimed under our epoch that is not in flight was claimed by a call whose
answer was lost: it was never sent, and is handed out again. A reply claimed under an older epoch may have been sent: it
becomes `unknown`, and is never sent again by itself, unless the provider takes it only once (`Speaks.takes_once`), or
its sending had not started (`Speaks.marks_start`, `outbox_starts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from sink.bulk import execute_each, instant_encoder, lock_rows, query_in
from sink.instant import parse_instant
from sink.leases import lock_epochs
from sink.open_questions import answered_meanwhile
from sink.outbox import ReplyAddress
from sink.record import Record
from sink.tables import outbox

SENDER_LOST = "sender_lost"
TAKEN_ONCE = "the process that was sending it ended; the provider takes it once, so it is sent again"
SETTLED_BY_RECEIPT = "the process that was sending it ended; a receipt of the channel settles it"
SETTLED_BY_NOBODY = "the process that was sending it ended; only the provider can tell whether it was sent"
LEASE_ENDED = "lease_ended"
MISSING = "missing"
"""Of `params`: what the report lacks."""
_CLAIMED = "SELECT id, account, epoch FROM outbox WHERE account IN (*) AND state = 'claimed'"
_FIRST = """
    SELECT {columns} FROM outbox AS reply
    WHERE account = lease.account AND state = 'owed' AND due_at <= ? AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier
        WHERE earlier.conversation = reply.conversation AND earlier.state IN ('owed', 'claimed')
        AND (earlier.state = 'claimed' OR (earlier.created_at, earlier.id) < (reply.created_at, reply.id))
    )
    {untried} ORDER BY due_at, created_at LIMIT ?
"""
"""Due replies of an account before which none of their conversation waits or is being sent."""
_UNTRIED = "AND code IS NULL"
_DUE = {
    "sqlite": f"""
        WITH lease AS (SELECT account FROM leases WHERE account IN (*))
        SELECT due.id, due.account FROM lease CROSS JOIN outbox AS due
        ON due.id IN ({_FIRST.replace("{columns}", "id")}) ORDER BY due.due_at, due.created_at
    """,  # noqa: S608 - our own words
    "postgresql": f"""
        WITH lease AS (SELECT account FROM leases WHERE account IN (*))
        SELECT due.id, lease.account FROM lease
        CROSS JOIN LATERAL ({_FIRST.replace("{columns}", "id, due_at, created_at")}) AS due
        ORDER BY due.due_at, due.created_at
    """,  # noqa: S608 - our own words
}
_ROWS = """
    SELECT o.id, o.account, o.channel, o.complaint, o.number, o.template, o.params, o.address, o.created_at, o.attempts,
    o.epoch, o.code, c.status
    FROM outbox AS o LEFT JOIN complaints AS c ON o.template = 'status' AND c.number = o.number
    WHERE o.id IN (*) AND o.state = 'claimed'
"""
_decode_params = msgspec.json.Decoder(dict[str, Any]).decode


class OwedReply(NamedTuple):
    """A claimed reply, to be put into words and sent."""

    id: str
    account: str
    channel: str
    conversation: str
    to: str
    in_reply_to: str | None
    complaint: str | None
    number: str | None
    template: str
    params: dict[str, Any]
    """With `status` of the complaint where the template is `status`; in `missing`, what it lacks by now."""
    created_at: datetime
    attempts: int
    """How often it was tried before."""
    epoch: int
    repeated: bool = False
    """An earlier holder was sending it when its process ended."""


class SenderFacts(NamedTuple):
    """Accounts by the facts of their kinds that tell what a lost sender left behind."""

    carries_reference: Collection[str] = frozenset()
    """Their receipts bring back our reference."""
    takes_once: Collection[str] = frozenset()
    """Their provider takes a reply only once."""
    marks_start: Collection[str] = frozenset()
    """The caller calls `start_replies` before a reply can arrive."""
    probed: Collection[str] = frozenset()
    """One reply at a time is tried after a fault: first those that were never tried, as the fault may be that of the
    others alone."""


def claim_replies(
    record: Record, epochs: Mapping[str, int], room: Mapping[str, int], *, in_flight: Collection[str], now: datetime,
    facts: SenderFacts = SenderFacts(),  # noqa: B008 - it never changes
) -> list[OwedReply]:  # fmt: skip
    """Claim due replies, oldest first within a conversation and one at a time of each, up to `room` for each account.

    `epochs` are those of our leases; an account that was taken over gives nothing. `in_flight` are the ids that were
    handed to the caller and have no stored result yet. Calls of one process must not overlap. Raises Retry; the next
    call then returns the replies that this one claimed."""
    with record.write() as connection:
        held = lock_epochs(connection, epochs)
        claimed = list(query_in(connection, _CLAIMED, held))
        stale = {row.id: row.account for row in claimed if row.epoch != held[row.account]}
        lost = {row.id: row.account for row in claimed if row.epoch == held[row.account] and row.id not in in_flight}
        due = {id: account for id, account in _due(connection, held, room, facts, now) if id not in in_flight}
        chosen = _fitting(lost | due, room)
        lock_rows(connection, outbox, "id", stale.keys() | chosen.keys())
        again = {reply: account for reply, account in stale.items() if account in facts.takes_once}
        _owe_again(connection, again)
        rest = {reply: account for reply, account in stale.items() if account not in facts.takes_once}
        _owe_unstarted(connection, rest)
        _give_up(connection, rest, facts.carries_reference)
        claims = {id: account for id, account in chosen.items() if id in due}
        _claim(connection, [
            {"id": id, "epoch": held[account], "started": account not in facts.marks_start}
            for id, account in claims.items()
        ])  # fmt: skip
        return _with_open_questions(connection, [_reply(record, row) for row in query_in(connection, _ROWS, chosen)])


def _due(
    connection: Connection, held: Mapping[str, int], room: Mapping[str, int], facts: SenderFacts, now: datetime
) -> Iterator[Any]:
    at, sql = instant_encoder(connection)(now), _DUE[connection.dialect.name]
    rooms = {account: room[account] for account in held if room.get(account, 0) > 0}
    if probed := sorted(rooms.keys() & facts.probed):
        for row in query_in(connection, sql.replace("{untried}", _UNTRIED), probed, at, 1):
            del rooms[row.account]
            yield row
    most = max(rooms.values(), default=0)
    yield from query_in(connection, sql.replace("{untried}", ""), rooms, at, most)


def _fitting(replies: Mapping[str, str], room: Mapping[str, int]) -> dict[str, str]:
    """The first replies of each account, as many as it has room for."""
    taken: Counter[str] = Counter()
    chosen = {}
    for reply, account in replies.items():
        if taken[account] < room.get(account, 0):
            taken[account] += 1
            chosen[reply] = account
    return chosen


def _owe_again(connection: Connection, replies: Iterable[str]) -> None:
    sql = "UPDATE outbox SET state = 'owed', code = :code, reason = :reason WHERE id = :id AND state = 'claimed'"
    rows = [{"id": reply, "code": SENDER_LOST, "reason": TAKEN_ONCE} for reply in replies]
    execute_each(connection, outbox, sql, rows)


def _owe_unstarted(connection: Connection, stale: Iterable[str]) -> None:
    """The rows are locked: a holder that was asleep cannot start them any more."""
    sql = "UPDATE outbox SET state = 'owed', code = :code, reason = NULL WHERE id = :id AND state = 'claimed' "
    execute_each(connection, outbox, f"{sql} AND NOT started", [{"id": id, "code": LEASE_ENDED} for id in stale])


def _give_up(connection: Connection, stale: Mapping[str, str], carries_reference: Collection[str]) -> None:
    sql = "UPDATE outbox SET state = 'unknown', code = :code, reason = :reason WHERE id = :id AND state = 'claimed'"
    reasons = dict.fromkeys(carries_reference, SETTLED_BY_RECEIPT)
    rows = [
        {"id": reply, "code": SENDER_LOST, "reason": reasons.get(account, SETTLED_BY_NOBODY)}
        for reply, account in stale.items()
    ]
    execute_each(connection, outbox, sql, rows)


def _claim(connection: Connection, claims: Sequence[Mapping[str, Any]]) -> None:
    sql = "UPDATE outbox SET state = 'claimed', epoch = :epoch, started = :started WHERE id = :id AND state = 'owed'"
    execute_each(connection, outbox, sql, claims)


def _reply(record: Record, row: Any) -> OwedReply:
    address = ReplyAddress.open(record.vault, row.address)
    params = _decode_params(row.params) if row.params else {}
    if row.template == "status":
        params["status"] = row.status or "unknown"
    return OwedReply(
        row.id, row.account, row.channel, address.conversation, address.to, address.in_reply_to, row.complaint,
        row.number, row.template, params, parse_instant(row.created_at), row.attempts, row.epoch,
        row.code == SENDER_LOST,
    )  # fmt: skip


def _with_open_questions(connection: Connection, replies: list[OwedReply]) -> list[OwedReply]:
    """Without questions that were answered while the reply waited."""
    asking = {one.complaint for one in replies if one.complaint and one.params.get(MISSING)}
    answered = answered_meanwhile(connection, asking) if asking else {}
    for one in replies:
        if missing := one.params.get(MISSING):
            one.params[MISSING] = [name for name in missing if name not in answered.get(one.complaint or "", ())]
    return replies
