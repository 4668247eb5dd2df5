"""What reporters add to their reports: as far as it may complete them (`completing.py`), and all their words together.

An addition may be recorded before its report: the report came by another process, or died and was replayed. Then its
reading is stored, and completes the report once that is recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from schemas import REFERRING_KINDS, Routed
from sink.bulk import insert, query_in
from sink.instant import parse_instant
from sink.readings import Reading, open_reading, reading_of, reading_row
from sink.rows import RowMaker, is_courtesy
from sink.tables import readings

MOST_SAID, LONGEST_SAID = 100, 20_000
_EARLIER = (
    "SELECT m.complaint, m.raw, m.item_index, m.owner, m.received_at, r.version, r.reading FROM messages m "
    "JOIN readings r ON r.raw = m.raw AND r.item_index = m.item_index WHERE m.complaint IN (*) AND NOT m.stranger"
)
_SAID = (
    "SELECT m.complaint, m.raw, m.item_index, m.received_at, m.kind, m.text, m.cleaned FROM messages m "
    "JOIN outcomes o ON o.raw = m.raw AND o.item_index = m.item_index "
    "WHERE m.complaint IN (*) AND NOT m.stranger "
    "AND (o.outcome = 'recorded' OR (o.outcome = 'added' AND NOT m.courtesy))"
)


class Addition(NamedTuple):
    """What a reporter added."""

    raw: str
    item_index: int
    owner: str
    at: datetime
    version: str
    """Of its reader."""
    reading: Reading

    @property
    def item(self) -> str:
        return f"{self.raw}.{self.item_index}"

    @property
    def words(self) -> str:
        """Without a command."""
        said = self.reading
        return (said.text if said.cleaned is None else said.cleaned).strip()


Additions = Mapping[str, Sequence[Addition]]
"""By complaint."""


def additions_of(events: Iterable[Routed]) -> Additions:
    """What reporters added in this batch, in order. Thanks add nothing."""
    found: dict[str, list[Addition]] = defaultdict(list)
    for event in events:
        matched, message = event.matched, event.matched.message
        if message is None or matched.id is None or matched.outcome != "added" or matched.stranger:
            continue
        if message.kind in REFERRING_KINDS or message.command not in {None, "TL"} or is_courtesy(message):
            continue
        m, reading = message, reading_of(message)
        found[matched.id].append(Addition(m.raw, m.item_index, m.owner, m.received_at, m.reader, reading))
    return found


def store_early(connection: Connection, make: RowMaker, added: Iterable[Addition]) -> None:
    """Store additions to reports that are not recorded yet."""
    rows = [reading_row(make, one, one.version, one.reading, applied=True) for one in added]
    insert(connection, readings, rows, "ON CONFLICT DO NOTHING")


def earlier_additions(connection: Connection, make: RowMaker, opened: Collection[str]) -> Additions:
    """What was added to these reports before they were recorded."""
    found: dict[str, list[Addition]] = defaultdict(list)
    for row in query_in(connection, _EARLIER, opened):
        at, reading = parse_instant(row.received_at), open_reading(make.vault, bytes(row.reading))
        found[row.complaint].append(Addition(row.raw, row.item_index, row.owner, at, row.version, reading))
    return {id: sorted(some, key=lambda one: (one.at, one.raw, one.item_index)) for id, some in found.items()}


class Said(NamedTuple):
    """What reporters have said of a report so far, each text once and without thanks: of somebody who adds without end
    the first `MOST_SAID` messages and `LONGEST_SAID` characters."""

    text: str
    cleaned: str
    first: str
    """The first text that says more than a command."""
    items: Sequence[tuple[str, int]]
    """Raw ids and item indexes of their messages, in order."""


def said_so_far(connection: Connection, complaints: Collection[str]) -> dict[str, Said]:
    """By complaint."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in query_in(connection, _SAID, complaints):
        if row.kind not in REFERRING_KINDS:
            rows[row.complaint].append(row)
    return {id: _said(sorted(rows[id], key=lambda m: (m.received_at, m.raw, m.item_index))) for id in complaints}


def _said(rows: Sequence[Any]) -> Said:
    first = rows[:MOST_SAID]
    texts = [row.text.strip() for row in first]
    cleaned = [(row.text if row.cleaned is None else row.cleaned).strip() for row in first]
    longest = max(LONGEST_SAID, *map(len, texts[:1]), 0)  # a single message is given whole
    text, clean = ("\n".join(dict.fromkeys(filter(None, some)))[:longest] for some in (texts, cleaned))
    first_text = next((text for text, words in zip(texts, cleaned, strict=True) if words), "")
    return Said(text, clean, first_text, [(row.raw, row.item_index) for row in first])
