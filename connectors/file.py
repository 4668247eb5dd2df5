"""Rows of NDJSON and CSV, as `satupintu ingest` reads them: one Raw a row, its body one JSON object.

`Raw.headers` may carry `row-id`, the hash of the line and its occurrence, for a row that has no `id`, and `row-line`,
the row's line in its file, for people. What is wrong with a row is said with its line and what to mend.
Values may all be text, as CSV gives them. An attachment is a path, or an object once its bytes are with the blobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors._port import Channel, Settings
from schemas import Attachment, Category, Message, Office, Party, Place, Raw, Receipt, Reject

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_YES = frozenset({"true", "1", "ya", "y", "yes"})
_NO = frozenset({"", "false", "0", "tidak", "t", "n", "no"})
CHANNELS = ("web", "sms", "smpp", "email", "telegram", "x", "whatsapp", "messenger", "instagram", "facebook", "line",
            "app", "portal", "open311", "file")  # fmt: skip
"""What a row may call its channel: the kinds of the interface, whether or not they have a file here."""
_PHONE = frozenset("+0123456789-.() ")


class FileSettings(Settings, frozen=True, kw_only=True):
    zone: str = "Asia/Jakarta"
    """Zone of a `sent_at` that has none."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError("zone takes the name of a zone, as Asia/Makassar") from None


class File(Channel):
    kind = "file"
    settings_type = FileSettings

    def parse(self, raw: Raw) -> Iterable[Message | Receipt | Reject]:
        try:
            yield self._row(raw, _object(raw.body))
        except Reject as wrong:
            line = raw.headers.get("row-line")
            raise Reject(f"line {line}: {wrong.reason}" if line else wrong.reason) from None

    def _row(self, raw: Raw, row: dict[str, Any]) -> Message:
        if not isinstance(row.get("text"), str) or not row["text"].strip():
            raise Reject('"text" is missing or no text: every row says what was reported')
        channel = _channel(row)
        native = _string(row, "id") or raw.headers.get("row-id")
        said = _string(row, "conversation") or native or raw.id
        conversation = raw.conversation or said  # whoever ingests has looked already
        sent_at = _time(_string(row, "sent_at"), self.settings.zone)
        known = {name: read(row.pop(name, None)) for name, read in _FIELDS.items()}
        sender = _party(row)
        place = _place(row)
        extra = {name: _told(value) for name, value in row.items() if value is not None}
        message = self.message(
            raw, native, conversation, begins=True, sent_at=sent_at, sender=sender, place=place, extra=extra, **known
        )
        return msgspec.structs.replace(message, channel=channel or self.kind)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Reject("a row is one JSON object: this one is not") from None


def _channel(row: dict[str, Any]) -> str | None:
    """By which channel it was said, where the row tells."""
    said = _string(row, "channel")
    if said is not None and said not in CHANNELS:
        raise Reject(f'"channel" takes one of {", ".join(CHANNELS)}')
    return said


def _string(row: dict[str, Any], name: str) -> str | None:
    """Takes the field out of the row. A number counts as its digits."""
    value = row.pop(name, None)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Reject(f'"{name}" takes text')
    return str(value).strip()


def _told(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _time(said: str | None, zone: str) -> datetime | None:
    if said is None:
        return None
    try:
        time = datetime.fromisoformat(said)
    except ValueError:
        raise Reject('"sent_at" takes a time as 2025-08-17T09:30:00+07:00') from None
    if not 1990 <= time.year <= 2100:
        raise Reject('"sent_at" lies far from our time: write the year with four digits')
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))


def _party(row: dict[str, Any]) -> Party:
    said, name, address = _string(row, "sender"), _string(row, "name"), _string(row, "address")
    if said is None:
        return Party(name=name, address=address)
    if "@" in said[1:] and " " not in said:
        return Party(name=name, address=address, email=said.lower())
    if _PHONE.issuperset(said) and sum(c.isdigit() for c in said) >= 3:
        return Party(name=name, address=address, phone=said)
    return Party(name=name, address=address, user=f"file:{said}")


def _place(row: dict[str, Any]) -> Place | None:
    code, lat, lon = _string(row, "region"), _degrees(row, "latitude", 90), _degrees(row, "longitude", 180)
    if (lat is None) != (lon is None):
        raise Reject('"latitude" and "longitude" come together: one of them is missing')
    if code is None and lat is None:
        return None
    return Place(code=code, lat=lat, lon=lon, source="said" if lat is None else "shared")


def _degrees(row: dict[str, Any], name: str, most: float) -> float | None:
    said = _string(row, name)
    if said is None:
        return None
    try:
        degrees = float(said.replace(",", "."))
    except ValueError:
        degrees = most + 1
    if not -most <= degrees <= most:
        raise Reject(f'"{name}" takes degrees from -{most:g} to {most:g}, as -6.914744')
    return degrees


def _text(value: Any) -> str:
    return str(value)


def _title(value: Any) -> str:
    return _string({"title": value}, "title") or ""


def _flag(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        said = "" if value is None else str(value).strip().lower()
        if said not in _YES | _NO:
            raise Reject(f'"{name}" takes true or false')
        return said in _YES

    return read


def _category(value: Any) -> Category | None:
    id = _string({"category": value}, "category")
    return Category(id=id) if id else None


def _office(value: Any) -> Office | None:
    id = _string({"office": value}, "office")
    return Office(id=id) if id else None


def _listed(name: str, value: Any) -> list[Any]:
    """A list; from CSV, JSON or words with commas or semicolons between."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = _json(name, value)
        else:
            value = [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    if value is not None and not isinstance(value, list):
        raise Reject(f'"{name}" takes a list')
    return value or []


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise Reject(f'"{name}" begins like JSON and is none') from None


def _tags(value: Any) -> tuple[str, ...]:
    return tuple(_told(tag) for tag in _listed("tags", value))


def _external_ids(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value.strip():
        value = _json("external_ids", value)
    if not value:
        return {}
    if not isinstance(value, Mapping):
        raise Reject('"external_ids" takes an object, as {"sp4n": "1234567"}')
    return {str(system): _told(number) for system, number in value.items()}


def _attachments(value: Any) -> tuple[Attachment, ...]:
    return tuple(_attachment(one) for one in _listed("attachments", value))


def _attachment(one: Any) -> Attachment:
    if isinstance(one, str):
        return Attachment(native_id=one, name=PurePath(one).name)
    try:
        kept = msgspec.convert(one, Attachment)
    except msgspec.ValidationError:
        raise Reject('"attachments" takes paths') from None
    return msgspec.structs.replace(kept, state="fetched" if kept.sha256 else "referenced")


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "title": _title,
    "category": _category,
    "office": _office,
    "attachments": _attachments,
    "anonymous": _flag("anonymous"),
    "secret": _flag("secret"),
    "external_ids": _external_ids,
    "tags": _tags,
}
