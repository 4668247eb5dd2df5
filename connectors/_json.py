"""JSON of a provider's, in which no type is trusted: a value of another type than expected counts as missing."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from math import isfinite
from typing import Any

import msgspec

Json = dict[str, Any]
"""A JSON object."""


def decode_lenient(body: bytes) -> Any:
    """Any JSON value. Bad UTF-8, half an emoji in one string or a number that is none (NaN, as Python's own programs
    write) does not hide the rest. Raises ValueError."""
    body = body.removeprefix(BOM_UTF8)
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        found = json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None, parse_float=_finite)
        text = json.dumps(found, ensure_ascii=False)
        return msgspec.json.decode(without_surrogates(text))
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None


def _finite(written: str) -> float | None:
    number = float(written)
    return number if isfinite(number) else None


def without_surrogates(value: Any) -> Any:
    """A text with U+FFFD for each half of a character, as programs leave it that cut texts by UTF-16 units; any other
    value as it is."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def decode_object(body: bytes) -> Json | None:
    """A JSON object, read as leniently; None where the bytes are none."""
    try:
        value = decode_lenient(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def string_of(value: Json, name: str) -> str:
    """The string of that name, else empty."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def object_of(value: Json, name: str) -> Json:
    """The object of that name, else empty."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def objects_of(value: Json, name: str) -> list[Json]:
    """The objects in the list of that name."""
    found = value.get(name)
    if not isinstance(found, list):
        return []
    for one in found:
        if not isinstance(one, dict):
            return [one for one in found if isinstance(one, dict)]
    return found
