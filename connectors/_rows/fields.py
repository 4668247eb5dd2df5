"""The fields of a row, and the JSON object that a row is."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

from connectors._json import without_surrogates
from schemas import Reject

Fields = dict[str, Any]
"""A row's fields; those that were read are taken out."""

ROW_FIELDS = {
    "text": "the words of the report: every row has them, or an answer",
    "id": "text",
    "channel": "a kind of channel in lower case, as telegram",
    "sender": "a phone, an e-mail address or a handle",
    "name": "text",
    "sent_at": "a time as 2025-08-17T09:30:00+07:00",
    "conversation": "text",
    "address": "text",
    "region": "a region code, as 32.73",
    "latitude": "degrees from -90 to 90, as -6.914744",
    "longitude": "degrees from -180 to 180, as 107.60981",
    "title": "text",
    "category": "an id in LAPOR!'s tree",
    "office": "an office's id",
    "attachments": "a list of paths",
    "anonymous": "true or false",
    "secret": "true or false",
    "external_ids": 'an object, as {"sp4n": "1234567"}',
    "tags": "a list of words",
    "answer": "what an office answered",
    "answer_status": "the status of the report there",
    "answered_at": "a time as 2025-08-17T09:30:00+07:00",
    "answered_by": "the name of the office that answered",
    "of_number": "the number that we gave the report",
}
"""The fields of a row, and what each takes. Other fields are kept under `extra`."""
MOST = 100
"""Entries of a list."""
PLACE_FIELDS = {"latitude": "lat", "longitude": "lon", "region": "code"}
"""Those that are parts of a `Place`."""


def wrong_field(name: str) -> Reject:
    """The field has a value that it does not take."""
    return Reject(f"wrong_{name}", f'"{name}" takes {ROW_FIELDS[name]}')


def decode_row(body: bytes) -> Fields:
    """The object of a row. Half an emoji in a text stands as U+FFFD. Raises Reject."""
    return _plain(body) or _decoded(body)


def _plain(body: bytes) -> Fields | None:
    """The object, where nothing in it needs a second look: words, flags and gaps only, and no name twice, by the count
    of the quotes. None for all others, such as a row with a quote inside its words."""
    if b'\\"' in body:
        return None
    try:
        row = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    words = sum(isinstance(value, str) for value in row.values())
    plain = all(value is None or isinstance(value, str | bool) for value in row.values())
    return row if plain and body.count(b'"') == 2 * (len(row) + words) else None


def _decoded(body: bytes) -> Fields:
    try:
        text = body.decode("utf-8", "replace")
        row = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_no_number)
    except _Repeated as fault:
        raise Reject("field_twice", f'"{fault.name}" stands twice in the row: give one another name') from None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise Reject("not_an_object", "a row is one JSON object: this one is not")
    return row


def parse_list(name: str, value: Any) -> list[Any]:
    """A list; from CSV, JSON or words with commas or semicolons between. Raises Reject."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = parse_json(name, value)
        else:
            value = [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    if value is not None and not isinstance(value, list):
        raise wrong_field(name)
    if value and len(value) > MOST:
        raise Reject(f"wrong_{name}", f'"{name}" takes at most {MOST} of them')
    return value or []


def parse_json(name: str, text: str) -> Any:
    """The value that a text holds as JSON. Raises Reject."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise wrong_field(name) from None


class _Repeated(ValueError):  # noqa: N818 - it says what is wrong
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = "".join(c for c in name if c.isprintable())[:40]


def _object(pairs: list[tuple[str, Any]]) -> Fields:
    """Of two fields of one name, one would take the other's place in silence."""
    names = [without_surrogates(name) for name, _ in pairs]
    found = {name: without_surrogates(value) for name, (_, value) in zip(names, pairs, strict=True)}
    if len(found) < len(pairs):
        raise _Repeated(next(name for name in names if names.count(name) > 1))
    return found


_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?e\+?\d{1,2}", re.IGNORECASE | re.ASCII)


def _number(written: str) -> float | str:
    """A number of a spreadsheet as 6.28E+12, whose last digits are lost, stays a text."""
    lossy = "e" in written.lower() and _exponent(written) > 0
    return written if lossy else float(written)


def loses_digits(written: str) -> bool:
    """A number of a spreadsheet as 6.28E+12 or 6,28E+12: its last digits are lost."""
    return bool(_SCIENTIFIC.fullmatch(written.strip())) and _exponent(written.strip().replace(",", ".")) > 0


def _exponent(written: str) -> int:
    exponent = Decimal(written).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _no_number(written: str) -> Any:
    raise ValueError(written)  # NaN and Infinity are no JSON
