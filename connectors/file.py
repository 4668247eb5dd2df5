"""Rows of NDJSON and CSV, as `satupintu ingest` reads them (`_rows.py`): one Raw a row, its body one JSON object.

`Raw.headers` may carry `row-id`, the native id of a row that has no `id`, and `row-line`, the row's line in its file,
for people. A reason for a refusal names the line and what to mend. Values may all be text, as CSV gives them. An
attachment is a path, or an object once its bytes are with the blobs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors._demo import DemoItem, DemoRequest
from connectors._port import Channel
from connectors._request import Part, Payload
from connectors._rows import ROW_FIELDS
from connectors._settings import Settings
from schemas import Attachment, Category, Message, Office, Party, Place, Raw, Reject

Fields = dict[str, Any]
"""A row's fields; those that were read are taken out."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_YES = frozenset({"true", "1", "ya", "y", "yes"})
_NO = frozenset({"", "false", "0", "tidak", "t", "n", "no"})
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")


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
    needs_contract = False
    counts_for_guard = False
    template = """\
# Files of reports: satupintu ingest FILE
# zone = "Asia/Jakarta"     # zone of times that come without one
"""

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        row = {
            "id": item.id,
            "text": item.text,
            "sender": f"+{item.phone}",
            "name": item.name,
            "sent_at": item.at.isoformat(),
            "region": item.region or None,
            "latitude": item.lat,
            "longitude": item.lon,
        }
        return DemoRequest(body=json.dumps(row, ensure_ascii=False).encode()) if item.form == "text" else None

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            row = _decode(payload.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise _at_line(payload, Reject("not_an_object", "a row is one JSON object: this one is not")) from None
        own = (row.get("conversation"), row.get("id"), payload.headers.get("row-id"))
        yield Part(row, next((text for text in map(_text_or_empty, own) if text), None))

    def read(self, part: Part, raw: Raw) -> Message:
        try:
            return self._message(raw, dict(part.payload), part.conversation)
        except Reject as reject:
            raise _at_line(raw, reject) from None

    def _message(self, raw: Raw, row: Fields, conversation: str | None) -> Message:
        text = row.pop("text", None)
        if not isinstance(text, str) or not text.strip():
            raise _wrong("text")
        native = _text(row, "id") or raw.headers.get("row-id")
        channel = _text(row, "channel")
        if channel and not _KIND.fullmatch(channel):
            raise _wrong("channel")
        _text(row, "conversation")
        known = {
            "text": text,
            "sent_at": _time(row, self.settings.zone),
            "sender": _party(row),
            "place": _place(row),
            **{name: read(row, name) for name, read in _READERS.items()},
        }
        extra = {name: _as_text(value) for name, value in row.items() if value is not None}
        message = self.message(raw, native, conversation or raw.id, opens_report=True, extra=extra, **known)
        return msgspec.structs.replace(message, channel=channel or self.kind)


def _at_line(payload: Payload, reject: Reject) -> Reject:
    line = payload.headers.get("row-line")
    return Reject(reject.code, f"line {line}: {reject.detail}") if line else reject


def _wrong(name: str) -> Reject:
    return Reject(f"wrong_{name}", f'"{name}" takes {ROW_FIELDS[name]}')


def _text_or_empty(value: Any) -> str:
    """A number counts as its digits, without the point that a table gives to whole ones."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _text(row: Fields, name: str) -> str | None:
    value = row.pop(name, None)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not (text := _text_or_empty(value)):
        raise _wrong(name)
    return text


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _time(row: Fields, zone: str) -> datetime | None:
    text = _text(row, "sent_at")
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong("sent_at") from None
    if not 1990 <= time.year <= 2100:
        raise Reject("wrong_sent_at", '"sent_at" lies far from our time: write the year with four digits')
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))


def _party(row: Fields) -> Party:
    sender, name, address = _text(row, "sender"), _text(row, "name"), _text(row, "address")
    if sender is None:
        return Party(name=name, address=address)
    if "@" in sender[1:] and " " not in sender:
        return Party(name=name, address=address, email=sender.lower())
    if sender.startswith("@"):
        return Party(name=name, address=address, user=f"file:{sender}")
    return Party(name=name, address=address, phone=sender)  # the reader knows what is a phone


def _place(row: Fields) -> Place | None:
    code, lat, lon = _text(row, "region"), _degrees(row, "latitude", 90), _degrees(row, "longitude", 180)
    if (lat is None) != (lon is None):
        raise Reject("half_a_place", '"latitude" and "longitude" come together: one of them is missing')
    if code is None and lat is None:
        return None
    return Place(code=code, lat=lat, lon=lon, source="said" if lat is None else "shared")


def _degrees(row: Fields, name: str, most: float) -> float | None:
    text = _text(row, name)
    if text is None:
        return None
    try:
        degrees = float(text.replace(",", "."))
    except ValueError:
        raise _wrong(name) from None
    if not -most <= degrees <= most:
        raise _wrong(name)
    return degrees


def _title(row: Fields, name: str) -> str:
    return _text(row, name) or ""


def _flag(row: Fields, name: str) -> bool:
    value = row.pop(name, None)
    word = "" if value is None else str(value).strip().lower()
    if word not in _YES | _NO:
        raise _wrong(name)
    return word in _YES


def _category(row: Fields, name: str) -> Category | None:
    id = _text(row, name)
    return Category(id=id) if id else None


def _office(row: Fields, name: str) -> Office | None:
    id = _text(row, name)
    return Office(id=id) if id else None


def _list(row: Fields, name: str) -> list[Any]:
    """A list; from CSV, JSON or words with commas or semicolons between."""
    value = row.pop(name, None)
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = _json(name, value)
        else:
            value = [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    if value is not None and not isinstance(value, list):
        raise _wrong(name)
    return value or []


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise _wrong(name) from None


def _tags(row: Fields, name: str) -> tuple[str, ...]:
    return tuple(_as_text(tag) for tag in _list(row, name))


def _external_ids(row: Fields, name: str) -> dict[str, str]:
    value = row.pop(name, None)
    if isinstance(value, str) and value.strip():
        value = _json(name, value)
    if not value:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(name)
    return {str(system): _as_text(number) for system, number in value.items()}


def _attachments(row: Fields, name: str) -> tuple[Attachment, ...]:
    return tuple(_attachment(name, one) for one in _list(row, name))


def _attachment(name: str, value: Any) -> Attachment:
    if isinstance(value, str):
        return Attachment(native_id=value, name=PurePath(value).name)
    try:
        stored = msgspec.convert(value, Attachment)
    except msgspec.ValidationError:
        raise _wrong(name) from None
    return msgspec.structs.replace(stored, state="fetched" if stored.sha256 else "referenced")


_READERS: dict[str, Callable[[Fields, str], Any]] = {
    "title": _title,
    "category": _category,
    "office": _office,
    "attachments": _attachments,
    "anonymous": _flag,
    "secret": _flag,
    "external_ids": _external_ids,
    "tags": _tags,
}
