"""A report as `POST /api/v1/reports` takes it, as the hub stores it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from pydantic import ValidationError

from connectors._json import decode_lenient
from connectors._report import Report
from hub.commands import PayloadRefused
from hub.web.api.report_input import field_errors, validate_report
from schemas import Body, Raw


def as_stored(raw: Raw) -> Raw:
    """A report without the id that the hub gives: with it, as it is stored. Anything else as it is. Raises
    PayloadRefused, which names the field."""
    try:
        values = decode_lenient(bytes(raw.body))
    except ValueError:
        return raw
    if not isinstance(values, dict) or "native" in values:
        return raw
    native = raw.headers.get("idempotency-key") or raw.id
    report = Report(native=native, **_fields(values, raw))
    return replace(raw, conversation=native, body=Body(msgspec.json.encode(report)))


def _fields(values: dict[str, Any], raw: Raw) -> dict[str, Any]:
    try:
        fields = validate_report(values, raw.received_at.date(), strict=True).report_fields()
    except ValidationError as error:
        wrong = (f"{name}: {text.to('en')}" for name, text in field_errors(error, values).items())
        raise PayloadRefused("; ".join(wrong)) from None
    fields.pop("uploads", None)  # the bytes are not here
    return fields
