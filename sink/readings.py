"""Readings as the record holds them: what a version of the reader made of a message and of the complaint it opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import Category, Message, Office, Place, encode
from sink.bulk import lock_rows, query_in
from sink.record import Record
from sink.rows import Row, RowMaker
from sink.tables import complaints
from sink.text import without_nul
from sink.vault import Vault


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


_SEALED = "readings.reading"
_decode = msgspec.json.Decoder(Reading).decode
OF_THE_COMPLAINT = frozenset(Reading.__struct_fields__) - {"kind", "text", "cleaned"}
"""Fields that the record holds of a message that opened a complaint only."""


class RecordedReading(NamedTuple):
    """A message in the record, with its complaint."""

    complaint: str
    number: str | None
    opened: bool
    touched: bool
    reader: str
    reading: Reading
    completed: Sequence[str]
    """Fields of the reading that the complaint got from what was added later."""


def reading_row(make: RowMaker, item: Any, version: str, reading: Reading, *, applied: bool) -> Row:
    """What that version of the reader made of this item, sealed, as the table of readings holds it."""
    return {
        "raw": item.raw, "item_index": item.item_index, "version": version, "owner": item.owner,
        "made_at": make.now, "reading": make.vault.seal(encode(reading).decode(), _SEALED), "applied": applied,
    }  # fmt: skip


def open_reading(vault: Vault, sealed: bytes) -> Reading:
    """The reading in such a row."""
    return _decode(vault.open(sealed, _SEALED))


def reading_of(message: Message) -> Reading:
    """What the record would hold of this message."""
    return Reading(
        kind=message.kind, text=without_nul(message.text),
        cleaned=None if message.cleaned in (None, message.text) else without_nul(str(message.cleaned)),
        title=without_nul(message.title), report_class=message.report_class,
        needs_investigation=message.needs_investigation, incident_date=message.incident_date,
        place=_bare_place(message.place), category=_bare_category(message.category), office=message.office,
        external_ids=message.external_ids, tags=message.tags, extra=message.extra,
    )  # fmt: skip


def _bare_category(category: Category | None) -> Category | None:
    """Without what a complaint's row does not hold."""
    return None if category is None else Category(id=category.id, name=category.name)


_MESSAGES = """
    SELECT m.raw, m.item_index, m.complaint, m.kind, m.text, m.cleaned, m.reader, c.number, c.touched_at, c.title,
        c.report_class, c.needs_investigation, c.incident_date, c.place_code, c.place_level, c.place_name,
        c.place_words, c.place_source, c.lat, c.lon, c.category_id, c.category_name, c.named_office_id,
        c.named_office_name, c.external_ids, c.tags, c.extra, c.completed,
        c.raw = m.raw AND c.item_index = m.item_index AS opened
    FROM messages m LEFT JOIN complaints c ON c.id = m.complaint WHERE m.raw IN (*) AND NOT m.stranger
"""


def recorded_readings(
    connection: Connection, record: Record, raws: Iterable[str], *, lock: bool
) -> dict[tuple[str, int], RecordedReading]:
    """By raw id and item index; strangers' messages are left out. `lock` locks the complaints."""
    wanted = set(raws)
    if lock:
        ids = {id for (id,) in query_in(connection, "SELECT complaint FROM messages WHERE raw IN (*)", wanted)}
        lock_rows(connection, complaints, "id", ids)
    return {(row.raw, row.item_index): _row(record, row) for row in query_in(connection, _MESSAGES, wanted)}


def _row(record: Record, row: Any) -> RecordedReading:
    opened = bool(row.opened)
    return RecordedReading(
        row.complaint, row.number, opened, row.touched_at is not None, row.reader,
        Reading(kind=row.kind, text=row.text, cleaned=row.cleaned, **(_of_complaint(record, row) if opened else {})),
        [name for name in _json(row.completed, list[str]) or () if name in OF_THE_COMPLAINT] if opened else (),
    )  # fmt: skip


def _of_complaint(record: Record, row: Any) -> dict[str, Any]:
    extra = None if row.extra is None else record.vault.open(bytes(row.extra), "complaints.extra")
    investigated = row.needs_investigation
    return {
        "title": row.title or "", "report_class": row.report_class,
        "needs_investigation": None if investigated is None else bool(investigated),
        "incident_date": row.incident_date, "place": place_of(row),
        "category": None if row.category_id is None else Category(id=row.category_id, name=row.category_name),
        "office": None if row.named_office_id is None else Office(id=row.named_office_id, name=row.named_office_name),
        "external_ids": _json(row.external_ids, dict[str, str]) or {}, "tags": _json(row.tags, tuple[str, ...]) or (),
        "extra": _json(extra, dict[str, str]) or {},
    }  # fmt: skip


def place_of(row: Any) -> Place | None:
    """The place of a complaint's row."""
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
