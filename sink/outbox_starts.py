"""The start of a send: from here on a claimed reply may arrive.

Only kinds whose `send` does much before that moment mark it (`Speaks.marks_start`). A reply that was claimed and not
started is owed again when another process takes its account over. Whoever changes the row first wins: a holder that
was asleep starts nothing that the next one has taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

from sink.bulk import execute_each, lock_rows, query_in
from sink.outbox_claims import OwedReply
from sink.record import Record
from sink.tables import outbox

_CLAIMS = "SELECT id, epoch, attempts FROM outbox WHERE id IN (*) AND state = 'claimed'"
_START = "UPDATE outbox SET started = :started WHERE id = :id"


def start_replies(record: Record, replies: Sequence[OwedReply]) -> set[str]:
    """Mark those that are still ours by this claim; only these may be sent. Durable when it returns; to mark one again
    changes nothing. Raises Retry."""
    by_id = {owed.id: (owed.epoch, owed.attempts) for owed in replies}
    with record.write() as connection:
        lock_rows(connection, outbox, "id", by_id)
        rows = query_in(connection, _CLAIMS, by_id)
        ours = {row.id for row in rows if (row.epoch, row.attempts) == by_id[row.id]}
        execute_each(connection, outbox, _START, [{"id": id, "started": True} for id in ours])
    return ours
