"""The values of a row's fields: a party, a place, a time, flags and lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors._rows import AmbiguousTime, Dates, Fields, parse_json, parse_list, read_time, wrong_field
from schemas import Attachment, Category, Office, Party, Place, Reject
from schemas.regions import read_region

_YES = frozenset({"true", "1", "ya", "y", "yes"})
_NO = frozenset({"", "false", "0", "tidak", "t", "n", "no"})
_LIKE_A_CODE = re.compile(r"[\d.,\s]+(?:e\+?\d+)?", re.IGNORECASE | re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d{1,12})?", re.ASCII)
"""A date as a spreadsheet counts it, where a cell shows no date: 45874,5."""
_files = msgspec.json.Decoder(tuple[Attachment, ...]).decode


def plain_text(value: Any) -> str:
    """A number counts as its digits, without the point that a table gives to whole ones."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, int | float) and not isinstance(value, bool) else ""


def text_of(row: Fields, name: str) -> str | None:
    """Taken out of the row. Raises Reject."""
    value = row.pop(name, None)
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if not (text := plain_text(value)):
        raise wrong_field(name)
    return text


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def time_of(row: Fields, zone: str, dates: Dates, name: str = "sent_at") -> datetime | None:
    """When it was sent, or another time; a date that a spreadsheet counts in days is one. Raises Reject."""
    text = text_of(row, name)
    if text is None:
        return None
    try:
        time = _counted(text, ZoneInfo(zone)) or read_time(text, ZoneInfo(zone), dates)
    except AmbiguousTime:
        detail = f'"{name}" may be two dates: write the year first, as 2025-08-17, or set dates = "day-first"'
        raise Reject(f"wrong_{name}", detail) from None
    except ValueError:
        raise wrong_field(name) from None
    if not 1990 <= time.year <= 2100:
        raise Reject(f"wrong_{name}", f'"{name}" lies far from our time: write the year with four digits')
    return time


def _counted(text: str, zone: ZoneInfo) -> datetime | None:
    if not _SERIAL.fullmatch(text):
        return None
    seconds = round(float(text.replace(",", ".")) * 86400)
    time = datetime(1899, 12, 30, tzinfo=zone) + timedelta(seconds=seconds)
    return time.replace(tzinfo=zone)


def party_of(row: Fields) -> Party:
    """Who reports. Raises Reject."""
    sender, name, address = text_of(row, "sender"), text_of(row, "name"), text_of(row, "address")
    if sender is None:
        return Party(name=name, address=address)
    if "@" in sender[1:] and " " not in sender:
        return Party(name=name, address=address, email=sender.lower())
    if sender.startswith("@"):
        return Party(name=name, address=address, user=f"file:{sender}")
    return Party(name=name, address=address, phone=sender)  # the reader knows what is a phone


def place_of(row: Fields) -> Place | None:
    """Where it is. Raises Reject."""
    (code, words), lat, lon = _region(row), _degrees(row, "latitude", 90), _degrees(row, "longitude", 180)
    if (lat is None) != (lon is None):
        raise Reject("half_a_place", '"latitude" and "longitude" come together: one of them is missing')
    if code is None and words is None and lat is None:
        return None
    return Place(code=code, words=words, lat=lat, lon=lon, source="said" if lat is None else "shared")


def _region(row: Fields) -> tuple[str | None, str | None]:
    """A code, or the words of one who wrote a name."""
    text = text_of(row, "region")
    if text is None or not _LIKE_A_CODE.fullmatch(text):
        return None, text
    code = read_region(text)
    if code is None:
        raise wrong_field("region")
    return code, None


def _degrees(row: Fields, name: str, most: float) -> float | None:
    text = text_of(row, name)
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
    return text_of(row, name) or ""


def _flag(row: Fields, name: str) -> bool:
    value = row.pop(name, None)
    word = "" if value is None else str(value).strip().lower()
    if word not in _YES | _NO:
        raise wrong_field(name)
    return word in _YES


def _category(row: Fields, name: str) -> Category | None:
    id = text_of(row, name)
    return Category(id=id) if id else None


def _office(row: Fields, name: str) -> Office | None:
    id = text_of(row, name)
    return Office(id=id) if id else None


def _tags(row: Fields, name: str) -> tuple[str, ...]:
    return tuple(as_text(tag) for tag in parse_list(name, row.pop(name, None)))


def _external_ids(row: Fields, name: str) -> dict[str, str]:
    value = row.pop(name, None)
    if isinstance(value, str) and value.strip():
        value = parse_json(name, value)
    if not value:
        return {}
    if not isinstance(value, Mapping):
        raise wrong_field(name)
    return {str(system): as_text(number) for system, number in value.items()}


def attachments_of(row: Fields, files: str | None) -> tuple[Attachment, ...]:
    """`files`: as they lie with the blobs. Raises Reject."""
    paths = parse_list("attachments", row.pop("attachments", None))
    if not all(isinstance(path, str) for path in paths):
        raise wrong_field("attachments")
    if files is not None:
        return _files(files)
    return tuple(Attachment(native_id=path, name=PurePath(path).name) for path in paths)


READERS: dict[str, Callable[[Fields, str], Any]] = {
    "title": _title,
    "category": _category,
    "office": _office,
    "anonymous": _flag,
    "secret": _flag,
    "external_ids": _external_ids,
    "tags": _tags,
}
"""The other fields."""
