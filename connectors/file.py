"""Rows of NDJSON and CSV, as `satupintu ingest` reads them (`_rows`): one Raw a row, its body one JSON object.

`Raw.headers` may carry `row-id`, the native id of a row that has no `id`; `row-line`, the row's line in its file, for
people; `row-fault`, what is wrong with it as a row; `row-files`, its attachments as they lie with the blobs. A reason
for a refusal names the line and what to mend. Values may all be text, as CSV gives them.
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
from connectors._rows import FAULTS, AmbiguousTime, Fields, decode_row, parse_json, parse_list, read_time, wrong_field
from connectors._settings import Settings
from schemas import Attachment, Category, Message, Office, Party, Place, Raw, Reject, message_id
from schemas.regions import is_region

_YES = frozenset({"true", "1", "ya", "y", "yes"})
_NO = frozenset({"", "false", "0", "tidak", "t", "n", "no"})
_LIKE_A_CODE = re.compile(r"[\d.,\s]+(?:e\+?\d+)?", re.IGNORECASE | re.ASCII)
_DIGITS = (2, 4, 6, 10)
"""How many digits a region code has."""
_files = msgspec.json.Decoder(tuple[Attachment, ...]).decode
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class FileSettings(Settings, frozen=True, kw_only=True):
    zone: str = "Asia/Jakarta"
    """Zone of a `sent_at` that has none."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError("zone takes the name of a zone, as Asia/Makassar") from None


class FileChannel(Channel):
    kind = "file"
    settings_type = FileSettings
    needs_contract = False
    counts_for_guard = False
    keeps_unknown_fields = True
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
            if fault := payload.headers.get("row-fault"):
                raise Reject(fault, FAULTS.get(fault, "the row cannot be read"))
            row = decode_row(payload.body)
        except Reject as reject:
            raise _at_line(payload, reject) from None
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
            raise wrong_field("text")
        native = _text(row, "id") or raw.headers.get("row-id")
        channel = _text(row, "channel")
        if channel and not _KIND.fullmatch(channel):
            raise wrong_field("channel")
        _text(row, "conversation")
        known = {
            "text": text,
            "sent_at": _time(row, self.settings.zone),
            "sender": _party(row),
            "place": _place(row),
            "attachments": _attachments(row, raw.headers.get("row-files")),
            **{name: read(row, name) for name, read in _READERS.items() if name in row},
        }
        extra = {name: _as_text(value) for name, value in row.items() if value is not None}
        message = self.message(raw, native, conversation or raw.id, opens_report=True, extra=extra, **known)
        if not channel:
            return message
        id = message_id(channel, self.account, native) if native else ""
        return msgspec.structs.replace(message, id=id, channel=channel)


def _at_line(payload: Payload, reject: Reject) -> Reject:
    line = payload.headers.get("row-line")
    return Reject(reject.code, f"line {line}: {reject.detail}") if line else reject


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
        raise wrong_field(name)
    return text


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _time(row: Fields, zone: str) -> datetime | None:
    text = _text(row, "sent_at")
    if text is None:
        return None
    try:
        time = read_time(text, ZoneInfo(zone))
    except AmbiguousTime:
        raise Reject("wrong_sent_at", '"sent_at" may be two dates: write the year first, as 2025-08-17') from None
    except ValueError:
        raise wrong_field("sent_at") from None
    if not 1990 <= time.year <= 2100:
        raise Reject("wrong_sent_at", '"sent_at" lies far from our time: write the year with four digits')
    return time


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
    (code, words), lat, lon = _region(row), _degrees(row, "latitude", 90), _degrees(row, "longitude", 180)
    if (lat is None) != (lon is None):
        raise Reject("half_a_place", '"latitude" and "longitude" come together: one of them is missing')
    if code is None and words is None and lat is None:
        return None
    return Place(code=code, words=words, lat=lat, lon=lon, source="said" if lat is None else "shared")


def _region(row: Fields) -> tuple[str | None, str | None]:
    """A code, or the words of one who wrote a name. `3273` and `32,73` can only be 32.73; `32.1` may be 32.10, with
    the zero that a spreadsheet takes away, and is none."""
    text = _text(row, "region")
    if text is None or not _LIKE_A_CODE.fullmatch(text):
        return None, text
    code = text.replace(",", ".")
    if code.isdigit() and len(code) in _DIGITS:
        code = ".".join(code[a:b] for a, b in ((0, 2), (2, 4), (4, 6), (6, 10)) if code[a:b])
    if not is_region(code):
        raise wrong_field("region")
    return code, None


def _degrees(row: Fields, name: str, most: float) -> float | None:
    text = _text(row, name)
    if text is None:
        return None
    try:
        degrees = float(text.replace(",", "."))
    except ValueError:
        raise wrong_field(name) from None
    if not -most <= degrees <= most:
        raise wrong_field(name)
    return degrees


def _title(row: Fields, name: str) -> str:
    return _text(row, name) or ""


def _flag(row: Fields, name: str) -> bool:
    value = row.pop(name, None)
    word = "" if value is None else str(value).strip().lower()
    if word not in _YES | _NO:
        raise wrong_field(name)
    return word in _YES


def _category(row: Fields, name: str) -> Category | None:
    id = _text(row, name)
    return Category(id=id) if id else None


def _office(row: Fields, name: str) -> Office | None:
    id = _text(row, name)
    return Office(id=id) if id else None


def _tags(row: Fields, name: str) -> tuple[str, ...]:
    return tuple(_as_text(tag) for tag in parse_list(name, row.pop(name, None)))


def _external_ids(row: Fields, name: str) -> dict[str, str]:
    value = row.pop(name, None)
    if isinstance(value, str) and value.strip():
        value = parse_json(name, value)
    if not value:
        return {}
    if not isinstance(value, Mapping):
        raise wrong_field(name)
    return {str(system): _as_text(number) for system, number in value.items()}


def _attachments(row: Fields, files: str | None) -> tuple[Attachment, ...]:
    paths = parse_list("attachments", row.pop("attachments", None))
    if not all(isinstance(path, str) for path in paths):
        raise wrong_field("attachments")
    if files is not None:
        return _files(files)
    return tuple(Attachment(native_id=path, name=PurePath(path).name) for path in paths)


_READERS: dict[str, Callable[[Fields, str], Any]] = {
    "title": _title,
    "category": _category,
    "office": _office,
    "anonymous": _flag,
    "secret": _flag,
    "external_ids": _external_ids,
    "tags": _tags,
}
