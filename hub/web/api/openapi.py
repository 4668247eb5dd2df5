"""What `/api/v1/openapi.json` says: the reports API takes its input apart by itself, so it is described here."""

from __future__ import annotations

from typing import Any

import msgspec

from connectors.web import Report, ReportPlace
from hub.web.api.problems import MEDIA_TYPE

_TEXT: dict[str, Any] = {"type": "string"}


def _properties(kind: type[msgspec.Struct]) -> dict[str, Any]:
    _, known = msgspec.json.schema_components([kind])
    found: dict[str, Any] = known[kind.__name__]["properties"]
    return found


def _input() -> dict[str, Any]:
    of_place = _properties(ReportPlace)
    place = {"anyOf": [of_place["words"], {"type": "object", "properties": of_place, "additionalProperties": False}]}
    own = {name: schema for name, schema in _properties(Report).items() if name not in {"native", "files"}}
    also = {"latitude": of_place["lat"], "longitude": of_place["lon"], "region": of_place["code"]}
    sender = {"type": "string", "description": "Phone or e-mail of the reporter, as in the rows of `ingest`."}
    return {
        "type": "object",
        "properties": {**own, **also, "place": place, "sender": sender},
        "required": ["text"],
        "additionalProperties": False,
    }


def _with_files(schema: dict[str, Any]) -> dict[str, Any]:
    files = {
        "type": "array",
        "maxItems": 5,
        "items": {"type": "string", "format": "binary"},
        "description": "Pictures, PDF or video of at most 5 MB each.",
    }
    return {**schema, "properties": {**schema["properties"], "place": _TEXT, "files": files}}


def _problem(what: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "errors": {"type": "array", "items": {"type": "object", "properties": {"field": _TEXT, "detail": _TEXT}}},
        },
    }
    return {"description": what, "content": {MEDIA_TYPE: {"schema": schema}}}


def _answer(what: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _header(name: str, what: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": _TEXT, "description": what}


def _query(name: str, what: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": _TEXT, "description": what}


_MAYBE = {"anyOf": [_TEXT, {"type": "null"}]}
_FILED = {"id": _TEXT, "status_url": _TEXT, "token": _TEXT}
_FAULTS = {
    429: _problem("Too many: see Retry-After."),
    500: _problem("A fault of ours."),
    503: _problem("It cannot be stored now and is not: see Retry-After."),
}

FILE_REPORT: dict[str, Any] = {
    "openapi": {
        "security": [{}, {"bearer": []}, {"key": []}],
        "parameters": [
            _header("Idempotency-Key", "Same key and body, same answer; at most 200 ASCII characters."),
            _header("Prefer", "wait=N: wait up to N seconds, 30 at most, for the number."),
            _header("Accept-Language", "id or en: the language of what goes wrong."),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _input()},
                "multipart/form-data": {"schema": _with_files(_input())},
            },
        },
    },
    "responses": {
        202: _answer("Stored; the number follows.", **_FILED),
        201: _answer("Stored and on the record.", number=_TEXT, **_FILED),
        400: _problem("Not readable."),
        401: _problem("The API key is not known."),
        408: _problem("It did not arrive whole in time."),
        413: _problem("Too large."),
        415: _problem("Neither JSON nor multipart."),
        422: _problem("A field is unknown or wrong, or the Idempotency-Key was used with another body."),
        **_FAULTS,
    },
}
READ_REPORT: dict[str, Any] = {
    "openapi": {
        "parameters": [
            _query("token", "The token given at filing."),
            _query("phone", "The last four digits of the reporter's phone."),
            _query("lang", "id or en: the language of what goes wrong, before Accept-Language."),
            _header("X-Report-Token", "The token, where it should not stand in a URL."),
            _header("Accept-Language", "id or en: the language of what goes wrong."),
        ]
    },
    "responses": {
        200: _answer("The status; when proven also words, answers and timeline.", number=_MAYBE, status=_TEXT),
        404: _problem("There is no such report."),
        422: _problem("A query parameter is not known."),
        **_FAULTS,
    },
}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
