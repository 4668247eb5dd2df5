"""What became of the items of some Raws, for those who published them and wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sink.bulk import query_in
from sink.record import Record

REPLACE_DEAD = (
    "ON CONFLICT (raw, item_index) DO UPDATE SET item_count = excluded.item_count, owner = excluded.owner, "
    "account = excluded.account, outcome = excluded.outcome, complaint = excluded.complaint, "
    "message = excluded.message, reason = excluded.reason, at = excluded.at WHERE outcomes.outcome = 'dead'"
)
"""Only the outcome `dead` gives way to another."""


class ItemOutcome(NamedTuple):
    """The one outcome of an item."""

    raw: str
    item_index: int
    item_count: int
    """How many items its Raw holds."""
    outcome: str
    """recorded, added, asked, redelivered, refused, dead; receipt or empty."""
    reason: str | None
    """Why refused, joined by which rule; of a dead one what to mend."""
    number: str | None
    """Of the complaint that it opened or joined, once that is recorded."""


_OUTCOMES = """
    SELECT o.raw, o.item_index, o.item_count, o.outcome,
        coalesce((SELECT d.detail FROM dead d WHERE o.outcome = 'dead' AND d.raw = o.raw
                  AND d.item_index = o.item_index AND d.detail <> '' ORDER BY d.id LIMIT 1),
            o.reason, (SELECT t.why FROM timeline t WHERE t.complaint = o.complaint AND t.raw = o.raw
                            AND t.item_index = o.item_index ORDER BY t.seq LIMIT 1)),
        (SELECT number FROM complaints WHERE id = o.complaint)
    FROM outcomes o WHERE o.raw IN (*)
"""


def outcomes_of(record: Record, raws: Sequence[str]) -> list[ItemOutcome]:
    """The outcomes there are by now. Raises Retry."""
    with record.read() as connection:
        return [ItemOutcome(*row) for row in query_in(connection, _OUTCOMES, raws)]
