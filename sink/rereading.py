"""Later readings of messages that are in the record, after the reader was mended (`replay`).

A rereading changes what was read of a message and of the complaint that it opened, and only until an officer or an
office has acted on that complaint. It never changes a number, a reply, a forward or an outcome. The reading that stood
before is stored beside the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from schemas import Message
from sink.bulk import execute_each, insert, instant_encoder, update_by_id
from sink.due import mark_stale
from sink.readings import OF_THE_COMPLAINT, Reading, RecordedReading, reading_of, reading_row, recorded_readings
from sink.record import Record
from sink.rows import Row, RowMaker, is_courtesy
from sink.tables import complaints, messages, readings


class Rereading(NamedTuple):
    """What a later reading would change, or has changed."""

    raw: str
    item_index: int
    number: str | None
    version: str
    """Of the reader."""
    changes: Mapping[str, tuple[Any, Any]]
    """By field: before and after; they may hold a citizen's words."""
    applied: bool
    reason: str | None
    """Why not: `touched` (an officer or an office has acted), `not_recorded`, `dry_run`."""


def apply_rereading(
    record: Record, rereadings: Sequence[Message], *, now: datetime, dry_run: bool = True
) -> list[Rereading]:
    """Compare new readings with the record; unless `dry_run`, apply those that may be applied. Only those with a change
    are returned. The place of each is settled already, as `match` does it. Raises Retry."""
    transaction = record.read if dry_run else record.write
    with transaction() as connection:
        recorded = recorded_readings(connection, record, {m.raw for m in rereadings}, lock=not dry_run)
        read = [_as_completed(m, recorded.get((m.raw, m.item_index))) for m in rereadings]
        compared = [(m, _compare(m, recorded.get((m.raw, m.item_index)), dry_run)) for m in read]
        changed = [(m, one) for m, one in compared if one is not None]
        if not dry_run:
            _store(connection, record, changed, recorded, now)
    return [one for _, one in changed]


def _as_completed(message: Message, recorded: RecordedReading | None) -> Message:
    """With what its reporter added to the complaint later (`completing.py`): that was not read of this message."""
    if recorded is None:
        return message
    return replace(message, **{name: getattr(recorded.reading, name) for name in recorded.completed})


def _compare(message: Message, recorded: RecordedReading | None, dry_run: bool) -> Rereading | None:
    if recorded is None:
        return Rereading(message.raw, message.item_index, None, message.reader, {}, False, "not_recorded")
    new = reading_of(message)
    names = [name for name in Reading.__struct_fields__ if recorded.opened or name not in OF_THE_COMPLAINT]
    pairs = {name: (getattr(recorded.reading, name), getattr(new, name)) for name in names}
    changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if not changes:
        return None
    reason = "touched" if recorded.touched else "dry_run" if dry_run else None
    return Rereading(message.raw, message.item_index, recorded.number, message.reader, changes, reason is None, reason)


def _store(
    connection: Connection,
    record: Record,
    changed: Sequence[tuple[Message, Rereading]],
    recorded: Mapping[tuple[str, int], RecordedReading],
    now: datetime,
) -> None:
    at = instant_encoder(connection)
    make = RowMaker(record.vault, record.ids, at, at(now), lambda message: message.conversation)
    known = [(m, one, recorded[m.raw, m.item_index]) for m, one in changed if one.reason != "not_recorded"]
    rows = [row for m, one, old in known for row in _reading_rows(make, m, one, old)]
    insert(connection, readings, rows, "ON CONFLICT DO NOTHING")
    applied = [(m, old) for m, one, old in known if one.applied]
    execute_each(connection, messages, _UPDATE_MESSAGE, [_message_row(m) for m, _ in applied])
    of_complaints = [_complaint_row(make, m, old) for m, old in applied if old.opened]
    update_by_id(connection, complaints, of_complaints)
    mark_stale(connection, {row["id"] for row in of_complaints})


_UPDATE_MESSAGE = (
    "UPDATE messages SET kind = :kind, kind_word = :kind_word, text = :text, cleaned = :cleaned, "
    "courtesy = :courtesy, reader = :reader "
    "WHERE raw = :raw AND item_index = :item_index"
)


def _message_row(message: Message) -> Row:
    reading = reading_of(message)
    return {
        "raw": message.raw, "item_index": message.item_index, "kind": reading.kind, "kind_word": message.kind_word,
        "text": reading.text, "cleaned": reading.cleaned, "courtesy": is_courtesy(message), "reader": message.reader,
    }  # fmt: skip


def _complaint_row(make: RowMaker, message: Message, recorded: RecordedReading) -> Row:
    return {"id": recorded.complaint, **make.read_columns(message), "reader": message.reader}


def _reading_rows(make: RowMaker, message: Message, one: Rereading, recorded: RecordedReading) -> Iterable[Row]:
    """The reading that stands in the record, and the new one."""
    both = ((recorded.reader, recorded.reading, True), (message.reader, reading_of(message), one.applied))
    for version, reading, applied in both:
        yield reading_row(make, message, version, reading, applied=applied)
