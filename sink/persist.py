"""The keeping stage: a batch stands in the record once, with the replies owed for it, or not at all.

What is kept already is told by the primary key of `outcomes`, in the same transaction: rows that were really written
are kept, the rest of the batch is skipped whole. Only `dead` gives way to another outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table

from schemas import Routed
from sink.bulk import Row, ask, put_all, put_returning, run, stamper
from sink.outbox import owe
from sink.record import Record
from sink.rows import Rows
from sink.tables import attachments, complaints, matches, messages, outcomes, parties, readings, timeline

JAKARTA = ZoneInfo("Asia/Jakarta")
AFTER_DEAD = (
    "ON CONFLICT (raw, idx) DO UPDATE SET of = excluded.of, owner = excluded.owner, account = excluded.account, "
    "outcome = excluded.outcome, complaint = excluded.complaint, message = excluded.message, "
    "reason = excluded.reason, at = excluded.at WHERE outcomes.outcome = 'dead'"
)
_KEPT: tuple[tuple[Table, str], ...] = (
    (complaints, "ON CONFLICT (id) DO NOTHING"),  # two of one number are a fault, to be seen
    *((table, "ON CONFLICT DO NOTHING") for table in (messages, readings, parties, attachments, timeline, matches)),
)


def keep(
    record: Record, routed: Sequence[Routed], *, speaks: Collection[str], now: datetime, zone: tzinfo = JAKARTA
) -> int:
    """Keep the batch in one transaction; returns how many replies it owes. `speaks` are the accounts that can answer,
    `zone` tells where a citizen's day begins. Raises Retry."""
    if not routed:
        return 0
    once: dict[tuple[str, int], Routed] = {}
    for event in routed:
        once.setdefault((event.complaint.message.raw, event.complaint.message.index), event)
    at = stamper(record.engine)
    claims = [_outcome(event, at(event.complaint.message.received_at)) for event in once.values()]
    rows = _rows(record, once.values(), at(now))  # made before the record's lock is taken
    with record.write() as connection:
        kept = put_returning(connection, outcomes, claims, AFTER_DEAD)
        fresh = [event for key, event in once.items() if key in kept]
        if len(fresh) < len(once):
            rows = _rows(record, fresh, at(now))
        _overtaken(connection, rows.by_table[complaints])
        put_all(connection, *((table, rows.by_table[table], on) for table, on in _KEPT))
        _touched(connection, [e for e in fresh if e.complaint.outcome == "added"])
        return owe(connection, record.vault, [e for e in fresh if e.complaint.message.account in speaks], now, zone)


def _rows(record: Record, events: Iterable[Routed], now: Any) -> Rows:
    rows = Rows(record.vault, stamper(record.engine), now)
    for event in events:
        rows.add(event)
    return rows


def _outcome(routed: Routed, at: Any) -> Row:
    complaint, message = routed.complaint, routed.complaint.message
    return {
        "raw": message.raw, "idx": message.index, "of": message.of, "owner": message.owner, "account": message.account,
        "outcome": complaint.outcome, "complaint": complaint.id, "message": message.id, "reason": complaint.reason,
        "at": at,
    }  # fmt: skip


def _overtaken(connection: Connection, opened: list[dict[str, Any]]) -> None:
    """A message may be kept before the one that opened its complaint: the complaint is then as new as that message."""
    sql = "SELECT complaint, max(received_at) FROM messages WHERE complaint IN (*) GROUP BY complaint"
    newest = dict(tuple(row) for row in ask(connection, sql, [row["id"] for row in opened]))
    for row in opened:
        row["updated_at"] = max(row["updated_at"], newest.get(row["id"], row["updated_at"]))


def _touched(connection: Connection, added: Sequence[Routed]) -> None:
    """A complaint is as new as its newest message; what a stranger asked is none of its own."""
    at = stamper(connection)
    newest: dict[str | None, Any] = {}
    for event in added:
        moment, complaint = at(event.complaint.message.received_at), event.complaint.id
        if not event.complaint.stranger:
            newest[complaint] = max(moment, newest.get(complaint, moment))
    sql = "UPDATE complaints SET updated_at = :updated_at WHERE id = :id AND updated_at < :updated_at"
    run(connection, complaints, sql, [{"id": complaint, "updated_at": moment} for complaint, moment in newest.items()])
