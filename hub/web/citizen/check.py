"""A report read field by field, so that everything wrong with it is told at once, by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec

from connectors.web import Report, ReportPlace
from hub.web.citizen.receive import Given
from hub.web.citizen.words import Said

_TYPES = {f.name: f.type for f in msgspec.structs.fields(Report) if f.name not in {"native", "files", "place"}}
_PLACE_TYPES = {f.name: f.type for f in msgspec.structs.fields(ReportPlace)}
_PLACES = {"latitude": "lat", "longitude": "lon", "region": "code"}
"""Names that the rows of `ingest` have for parts of the place."""
FIELDS = frozenset({*_TYPES, *_PLACES, "place", "sender"})
_PHONE = re.compile(r"\+?[\d ().\-/]{5,40}")
_MISTAKES = {
    "phone": "error_phone", "email": "error_email", "incident_date": "error_date", "nik": "error_nik",
    "latitude": "error_place", "longitude": "error_place",
}  # fmt: skip


def check(given: Given, today: date) -> tuple[dict[str, Any], dict[str, Said]]:
    """The fields of `Report` without `native` and `files`; and what is wrong, by the name that was sent."""
    values, errors = given.values, dict(given.errors)
    errors |= {name: Said("error_unknown_field") for name in values if name not in FIELDS}
    read = {name: _read(name, value, _TYPES[name]) for name, value in values.items() if name in _TYPES}
    read |= _sender(values) | _place(values)
    errors |= {name: said for name, said in read.items() if isinstance(said, Said)}
    fields = {name: value for name, value in read.items() if not isinstance(value, Said)}
    for name, judge in (("text", _text), ("phone", _phone), ("incident_date", _on_or_before(today))):
        said = judge(fields.get(name) or "")
        if said:
            errors.setdefault(name, said)
    return fields, errors


def _read(name: str, value: Any, kind: Any) -> Any:
    """The value, or what is wrong with it. A form has only words; of JSON no type is taken for another."""
    try:
        return msgspec.convert(value, kind, strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        too_long = re.search(r"length <= (\d+)", str(error))
        if too_long:
            return Said("error_too_long", {"limit": too_long[1]})
        return Said(_MISTAKES.get(name, "error_value"))


def _sender(values: Mapping[str, Any]) -> dict[str, Any]:
    """`sender`, as the rows of `ingest` have it: a phone or an e-mail address."""
    if "sender" not in values:
        return {}
    name = "email" if "@" in str(values["sender"]) else "phone"
    found = _read(name, values["sender"], _TYPES[name])
    return {"sender" if isinstance(found, Said) else name: found}


def _place(values: Mapping[str, Any]) -> dict[str, Any]:
    said = values.get("place", {})
    parts = {f"place.{k}": (k, v) for k, v in said.items()} if isinstance(said, dict) else {"place": ("words", said)}
    parts |= {name: (part, values[name]) for name, part in _PLACES.items() if name in values}
    wrong, place = {}, {}
    for name, (part, value) in parts.items():
        found = _read(name, value, _PLACE_TYPES[part]) if part in _PLACE_TYPES else Said("error_unknown_field")
        if isinstance(found, Said):
            wrong[name] = found
        elif found is not None and found != "":
            place[part] = found
    if not wrong and not _together(place.get("lat"), place.get("lon")):
        wrong["place"] = Said("error_place")
    return wrong or ({"place": ReportPlace(**place)} if place else {})


def _together(lat: float | None, lon: float | None) -> bool:
    return lat is lon is None or (lat is not None and lon is not None and math.isfinite(lat) and math.isfinite(lon))


def _text(text: str) -> Said | None:
    return None if text.strip() else Said("error_text_missing")


def _phone(phone: str) -> Said | None:
    right = not phone or (_PHONE.fullmatch(phone.strip()) and sum(c.isdigit() for c in phone) >= 5)
    return None if right else Said("error_phone")


def _on_or_before(today: date) -> Callable[[str], Said | None]:
    def judge(said: str) -> Said | None:
        try:
            return Said("error_date") if said and date.fromisoformat(said) > today else None
        except ValueError:
            return Said("error_date")

    return judge
