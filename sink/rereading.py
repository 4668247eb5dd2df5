"""Later readings of messages that are in the record, after the reader was mended (`replay`).

A rereading changes what was read of a message and of the complaint that it opened, and only until an officer or an
office has acted on that complaint. It never changes a number, a reply, a forward or an outcome. The reading that stood
before is stored beside the new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import Category, Message, Office, Place, encode
from sink.bulk import execute_each, insert, instant_encoder, lock_rows, query_in
from sink.record import Record
from sink.rows import RowMaker
from sink.tables import complaints, messages, readings
from sink.text import without_nul


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a version of the reader made of a message, as far as the record holds it."""

    kind: str
    text: str
    cleaned: str | None = None
    title: str = ""
    report_class: str = "unknown"
    needs_investigation: bool | None = None
    incident_date: str | None = None
    place: Place | None = None
    category: Category | None = None
    office: Office | None = None
    external_ids: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    extra: dict[str, str] = {}


OF_THE_COMPLAINT = frozenset(Reading.__struct_fields__) - {"kind", "text", "cleaned"}
"""Fields that the record holds of a message that opened a complaint only."""


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


class _Recorded(NamedTuple):
    """A message in the record."""

    complaint: str
    number: str | None
    opened: bool
    touched: bool
    reader: str
    reading: Reading


def apply_rereading(
    record: Record, rereadings: Sequence[Message], *, now: datetime, dry_run: bool = True
) -> list[Rereading]:
    """Compare new readings with the record; unless `dry_run`, apply those that may be applied. Only those with a change
    are returned. The place of each is settled already, as `match` does it. Raises Retry."""
    transaction = record.read if dry_run else record.write
    with transaction() as connection:
        recorded = _recorded(connection, record, {m.raw for m in rereadings}, lock=not dry_run)
        compared = [(m, _compare(m, recorded.get((m.raw, m.item_index)), dry_run)) for m in rereadings]
        changed = [(m, one) for m, one in compared if one is not None]
        if not dry_run:
            _store(connection, record, changed, recorded, now)
    return [one for _, one in changed]


def reading_of(message: Message) -> Reading:
    """What the record would hold of this message."""
    return Reading(
        kind=message.kind, text=without_nul(message.text),
        cleaned=None if message.cleaned in (None, message.text) else without_nul(str(message.cleaned)),
        title=without_nul(message.title), report_class=message.report_class,
        needs_investigation=message.needs_investigation, incident_date=message.incident_date,
        place=_bare_place(message.place), category=message.category, office=message.office,
        external_ids=message.external_ids, tags=message.tags, extra=message.extra,
    )  # fmt: skip


def _compare(message: Message, recorded: _Recorded | None, dry_run: bool) -> Rereading | None:
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


_RECORDED = """
    SELECT m.raw, m.item_index, m.complaint, m.kind, m.text, m.cleaned, m.reader, c.number, c.touched_at, c.title,
        c.report_class, c.needs_investigation, c.incident_date, c.place_code, c.place_level, c.place_name,
        c.place_words, c.place_source, c.lat, c.lon, c.category_id, c.category_name, c.named_office_id,
        c.named_office_name, c.external_ids, c.tags, c.extra, c.raw = m.raw AND c.item_index = m.item_index AS opened
    FROM messages m LEFT JOIN complaints c ON c.id = m.complaint WHERE m.raw IN (*) AND NOT m.stranger
"""


def _recorded(
    connection: Connection, record: Record, raws: Iterable[str], *, lock: bool
) -> dict[tuple[str, int], _Recorded]:
    wanted = set(raws)
    if lock:
        ids = {id for (id,) in query_in(connection, "SELECT complaint FROM messages WHERE raw IN (*)", wanted)}
        lock_rows(connection, complaints, "id", ids)
    return {(row.raw, row.item_index): _row(record, row) for row in query_in(connection, _RECORDED, wanted)}


def _row(record: Record, row: Any) -> _Recorded:
    opened = bool(row.opened)
    return _Recorded(
        row.complaint, row.number, opened, row.touched_at is not None, row.reader,
        Reading(kind=row.kind, text=row.text, cleaned=row.cleaned, **(_of_complaint(record, row) if opened else {})),
    )  # fmt: skip


def _of_complaint(record: Record, row: Any) -> dict[str, Any]:
    extra = None if row.extra is None else record.vault.open(bytes(row.extra), "complaints.extra")
    investigated = row.needs_investigation
    return {
        "title": row.title or "", "report_class": row.report_class,
        "needs_investigation": None if investigated is None else bool(investigated),
        "incident_date": row.incident_date, "place": _place(row),
        "category": None if row.category_id is None else Category(id=row.category_id, name=row.category_name),
        "office": None if row.named_office_id is None else Office(id=row.named_office_id, name=row.named_office_name),
        "external_ids": _json(row.external_ids, dict[str, str]) or {}, "tags": _json(row.tags, tuple[str, ...]) or (),
        "extra": _json(extra, dict[str, str]) or {},
    }  # fmt: skip


def _place(row: Any) -> Place | None:
    if row.place_source is None:
        return None
    return Place(
        code=row.place_code, level=row.place_level, name=row.place_name, words=row.place_words,
        source=row.place_source, lat=row.lat, lon=row.lon,
    )  # fmt: skip


def _bare_place(place: Place | None) -> Place | None:
    """As the record holds it: without probability and evidence."""
    return None if place is None else msgspec.structs.replace(place, p=None, evidence=None)


def _json(text: str | None, kind: Any) -> Any:
    return None if text is None else msgspec.json.decode(text, type=kind)


def _store(
    connection: Connection,
    record: Record,
    changed: Sequence[tuple[Message, Rereading]],
    recorded: Mapping[tuple[str, int], _Recorded],
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
    if of_complaints:
        execute_each(connection, complaints, _update_complaint(of_complaints[0]), of_complaints)


_UPDATE_MESSAGE = (
    "UPDATE messages SET kind = :kind, kind_word = :kind_word, text = :text, cleaned = :cleaned, reader = :reader "
    "WHERE raw = :raw AND item_index = :item_index"
)


def _message_row(message: Message) -> dict[str, Any]:
    reading = reading_of(message)
    return {
        "raw": message.raw, "item_index": message.item_index, "kind": reading.kind, "kind_word": message.kind_word,
        "text": reading.text, "cleaned": reading.cleaned, "reader": message.reader,
    }  # fmt: skip


def _complaint_row(make: RowMaker, message: Message, recorded: _Recorded) -> dict[str, Any]:
    return {"id": recorded.complaint, **make.read_columns(message), "reader": message.reader}


def _update_complaint(row: Mapping[str, Any]) -> str:
    columns = ", ".join(f"{name} = :{name}" for name in row if name != "id")
    return f"UPDATE complaints SET {columns} WHERE id = :id"  # noqa: S608 - our own names


def _reading_rows(make: RowMaker, message: Message, one: Rereading, recorded: _Recorded) -> Iterable[dict[str, Any]]:
    """The reading that stands in the record, and the new one."""
    both = ((recorded.reader, recorded.reading, True), (message.reader, reading_of(message), one.applied))
    for version, reading, applied in both:
        yield {
            "raw": message.raw, "item_index": message.item_index, "version": version, "owner": message.owner,
            "made_at": make.now, "reading": make.vault.seal(encode(reading).decode(), "readings.reading"),
            "applied": applied,
        }  # fmt: skip
