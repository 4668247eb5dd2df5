"""The sink stage: a batch stands in the record once, with the replies and jobs that are owed for it, or not at all.

Whether an item is recorded already is decided by the primary key of `outcomes`, in the same transaction: of the batch,
only items whose outcome was really written go on. Only the outcome `dead` gives way to another.

Events of one complaint may come in any order: an addition or an action may be recorded before the message that opened
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table

from schemas import Routed
from sink.actions import action_time, apply_actions, earlier_actions
from sink.batch_items import BatchItem, PersistOptions, batch_item
from sink.batches import without_duplicates
from sink.bulk import execute_each, insert_all, insert_returning, instant_encoder, query_in
from sink.bursts import without_bursts
from sink.completing import complete_reports
from sink.due import batch_complaints, mark_stale
from sink.forward_followups import RecordedBatch, queue_followups
from sink.forward_foreign_ids import learn_foreign_reports
from sink.forward_new_offices import given_complaints, queue_for_new_offices
from sink.forward_queue import Destination
from sink.jobs import NewJob, enqueue_jobs
from sink.outbox import enqueue_replies
from sink.outcomes import REPLACE_DEAD
from sink.owed import answers_to_reporters
from sink.record import Record
from sink.reopening import with_reopening
from sink.rows import Row, RowMaker
from sink.tables import (
    assignments,
    attachments,
    complaints,
    disclosures,
    forwarded,
    matches,
    messages,
    outcomes,
    parties,
    timeline,
)

_INSERTED: tuple[tuple[Table, str], ...] = (
    (complaints, "ON CONFLICT (id) DO NOTHING"),  # two with one number are a fault that must be seen
    *((table, "ON CONFLICT DO NOTHING") for table in (messages, parties, attachments, assignments)),
    (timeline, ""),
    (matches, ""),
    (disclosures, ""),
    (forwarded, "ON CONFLICT DO NOTHING"),
)


class Persisted(NamedTuple):
    """How many replies and jobs a batch brought."""

    replies: int
    jobs: int


RECORD_ONLY = PersistOptions()
"""Nothing can be sent, forwarded or handed over."""


def persist_batch(
    record: Record, routed: Sequence[Routed], now: datetime, options: PersistOptions = RECORD_ONLY
) -> Persisted:
    """Persist the batch in one transaction. Raises Retry."""
    if not routed:
        return Persisted(0, 0)
    at = instant_encoder(record.engine)
    make = RowMaker(record.vault, record.ids, at, at(now), options.reply_address)
    items = [batch_item(make, event, options) for event in without_duplicates(routed)]
    outcome_rows = [row for item in items for row in item.rows[outcomes]]
    with record.write() as connection:
        new = insert_returning(connection, outcomes, outcome_rows, REPLACE_DEAD)
        batch = [item for item in items if item.key in new]
        rows = {table: [row for item in batch for row in item.rows.get(table, ())] for table, _ in _INSERTED}
        waiting, added_before = _take_earlier(connection, rows[complaints])
        insert_all(connection, *((table, rows[table], on) for table, on in _INSERTED))
        _renew(connection, make, batch)
        events, opened = [item.routed for item in batch], [row["id"] for row in rows[complaints]]
        located = learn_foreign_reports(connection, record, events, options.destinations, now)
        applied = apply_actions(connection, make, [with_reopening(event) for event in events], options.hand_over)
        choose = options.choose_offices
        completed = complete_reports(connection, make, events, added_before, choose) if choose else {}
        mark_stale(connection, batch_complaints(applied, events))
        replies = without_bursts(connection, [(item.routed, item.reply) for item in batch if item.reply is not None])
        replies += answers_to_reporters(connection, make, applied, waiting, options.speaks)
        recorded = RecordedBatch(events, applied, opened, located, completed)
        # before the follow-ups, which go only where such a job is
        jobs = enqueue_jobs(connection, record.vault, [job for item in batch for job in item.jobs], now)
        followups = _later_jobs(connection, record, make, recorded, options.destinations)
        jobs += enqueue_jobs(connection, record.vault, followups, now)
        return Persisted(enqueue_replies(connection, replies, now, options.zone), jobs)


def _later_jobs(
    connection: Connection, record: Record, make: RowMaker, batch: RecordedBatch, destinations: Sequence[Destination]
) -> list[NewJob]:
    """For systems that are told what is said later, or are told of a complaint only now."""
    followups = queue_followups(connection, make, batch, destinations)
    given = dict.fromkeys({*given_complaints(batch.applied), *batch.opened}, False)
    given |= dict.fromkeys(batch.completed, True)
    return followups + queue_for_new_offices(connection, record, make, given, destinations)


def _take_earlier(connection: Connection, opened: list[Row]) -> tuple[list[Any], set[str]]:
    """Additions and actions may have been recorded before their complaint: it starts with what they made of it. Returns
    the actions for which an answer waits, and the complaints to which was added."""
    by_id = {row["id"]: row for row in opened}
    added: set[str] = set()
    if not by_id:
        return [], added
    sql = (
        "SELECT complaint, max(received_at) FROM messages m WHERE complaint IN (*) AND NOT EXISTS (SELECT 1 FROM "
        "outcomes o WHERE o.raw = m.raw AND o.item_index = m.item_index AND o.outcome = 'asked') GROUP BY complaint"
    )
    for complaint, newest in query_in(connection, sql, by_id):
        by_id[complaint]["updated_at"] = max(by_id[complaint]["updated_at"], newest)
        added.add(complaint)
    waiting = []
    for action in earlier_actions(connection, by_id):
        _start_with(by_id[action.complaint], action)
        if action.owed is not None:
            waiting.append(action)
    return waiting, added


def _start_with(complaint: Row, action: Any) -> None:
    complaint["touched_at"] = complaint["touched_at"] or action.received_at
    complaint["updated_at"] = max(complaint["updated_at"], action.received_at)
    if action.status is not None and action.reason is None:
        said = {"status": action.status, "status_said": action.status_said}
        complaint |= {**said, "status_at": action_time(action)}


def _renew(connection: Connection, make: RowMaker, batch: Iterable[BatchItem]) -> None:
    """A complaint is as new as its newest message; a question about its status, and a stranger's message, do not
    count."""
    newest: dict[str | None, Any] = {}
    for item in batch:
        matched = item.routed.matched
        if matched.message is not None and matched.outcome == "added" and not matched.stranger:
            at = make.at(matched.message.received_at)
            newest[matched.id] = max(at, newest.get(matched.id, at))
    sql = "UPDATE complaints SET updated_at = :updated_at WHERE id = :id AND updated_at < :updated_at"
    rows = [{"id": complaint, "updated_at": at} for complaint, at in newest.items()]
    execute_each(connection, complaints, sql, rows)
