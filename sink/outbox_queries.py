"""Replies as people see them: which are owed, failed or unknown and why, and the wish to send some of them again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, text, true, update

from schemas import ReplyState
from sink.account_faults import sending_faults
from sink.bulk import insert, instant_encoder
from sink.record import Record
from sink.tables import outbox, timeline

RESENDABLE: frozenset[str] = frozenset({"failed", "unknown"})
RESTORED = "restored"
"""Code of a reply that a restored record owed."""
DISMISSED = "reply_dismissed"
"""The step of a timeline."""
_PENDING = text("state IN ('owed', 'claimed')")
_UNSENT = text("state IN ('failed', 'unknown')")
"""As the partial indexes have them."""


class ReplyRow(NamedTuple):
    """A reply, without anything personal."""

    id: str
    account: str
    channel: str
    number: str | None
    template: str
    state: ReplyState
    created_at: datetime
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    code: str | None
    reason: str | None


class ReplyCount(NamedTuple):
    """How many replies of an account are in one state."""

    account: str
    state: ReplyState
    replies: int
    oldest: datetime
    """When the oldest of them was enqueued."""


def list_replies(
    record: Record, state: ReplyState | None = None, account: str | None = None, *, limit: int = 1000
) -> list[ReplyRow]:
    """The newest replies first. Without a state: those that were not sent (owed, claimed, failed, unknown). One that is
    owed says what its account lacks, since that is why it waits. Raises Retry."""
    where = [_in_state(state) if state else or_(_PENDING, _UNSENT)]
    where += [outbox.c.account == account] if account else []
    query = select(*(outbox.c[name] for name in ReplyRow._fields)).where(*where)
    with record.read() as connection:
        rows = connection.execute(query.order_by(outbox.c.created_at.desc(), outbox.c.id).limit(limit))
        listed = [ReplyRow(*row) for row in rows]
    faults = sending_faults(record)
    return [
        row._replace(code=fault.code, reason=fault.detail)
        if row.state == "owed" and (fault := faults.get(row.account))
        else row
        for row in listed
    ]


def count_unsent(record: Record) -> list[ReplyCount]:
    """Owed, claimed, failed and unknown replies by account and state. Raises Retry."""
    columns = outbox.c.account, outbox.c.state, func.count(), func.min(outbox.c.created_at)
    grouped = [
        select(*columns).where(where).group_by(outbox.c.account, outbox.c.state) for where in (_PENDING, _UNSENT)
    ]
    with record.read() as connection:
        return sorted(ReplyCount(*row) for query in grouped for row in connection.execute(query))


def resend_replies(
    record: Record,
    *,
    now: datetime,
    ids: Collection[str] = (),
    state: ReplyState | None = None,
    account: str | None = None,
) -> list[str]:
    """Owe replies again that failed or are unknown: those of these ids, or all in that state; returns their ids. The
    recipient may get an `unknown` one twice. Raises Retry."""
    if state is not None and state not in RESENDABLE:
        return []
    wanted = _in_state(state) if state else outbox.c.id.in_(ids)
    again = update(outbox).where(wanted, _UNSENT).returning(outbox.c.id)
    if account:
        again = again.where(outbox.c.account == account)
    values = {"state": "owed", "due_at": now, "attempts": 0, "epoch": None, "code": None, "reason": None}
    with record.write() as connection:
        return sorted(connection.execute(again.values(values)).scalars())


def dismiss_replies(record: Record, ids: Collection[str], *, now: datetime, dry_run: bool = False) -> list[str]:
    """Take failed and unknown replies off the list: somebody reached the citizen by another way, and the timeline says
    so. Returns their ids. Raises Retry."""
    wanted = and_(outbox.c.id.in_(ids), _UNSENT)
    with record.write() as connection:
        if dry_run:
            return sorted(connection.execute(select(outbox.c.id).where(wanted)).scalars())
        columns = outbox.c.id, outbox.c.complaint, outbox.c.owner, outbox.c.template
        rows = connection.execute(update(outbox).where(wanted).values(state="dismissed").returning(*columns)).all()
        at = instant_encoder(connection)(now)
        steps = [
            {"complaint": row.complaint, "owner": row.owner, "at": at, "what": DISMISSED, "actor_kind": "officer",
             "actor": None, "why": row.template, "raw": None, "item_index": None}
            for row in rows if row.complaint is not None
        ]  # fmt: skip
        insert(connection, timeline, steps)
    return sorted(row.id for row in rows)


def mark_unknown(record: Record, *, account: str | None = None, dry_run: bool = False) -> list[str]:
    """Make owed replies `unknown`, of one account or of all; returns their ids. For a record that was restored from an
    older backup: what it owes may have been sent since. Raises Retry."""
    owed = [_in_state("owed")] + ([outbox.c.account == account] if account else [])
    with record.write() as connection:
        if dry_run:
            return sorted(connection.execute(select(outbox.c.id).where(*owed)).scalars())
        values = {"state": "unknown", "code": RESTORED, "reason": "the record was restored: it may have been sent"}
        return sorted(connection.execute(update(outbox).where(*owed).values(values).returning(outbox.c.id)).scalars())


def _in_state(state: str) -> ColumnElement[bool]:
    covered = {"owed": _PENDING, "claimed": _PENDING, "failed": _UNSENT, "unknown": _UNSENT}.get(state, true())
    return and_(covered, outbox.c.state == state)
