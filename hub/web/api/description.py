"""What `/api/v1/openapi.json` says beside the words of the routes: the bodies that are read by hand, the problems, the
keys. Clients are generated from it (`python -m deploy.clients`), so every name in it is short and stays.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from connectors._report import Report, ReportPlace
from connectors._rows import PLACE_FIELDS
from hub.web.api.plain_schemas import plain_answer, plain_input, plain_parameter
from hub.web.api.problems import ProblemDetails
from hub.web.api.report_input import PlaceInput, ReportInput
from hub.web.submissions import FILE_LIMIT, MOST_FILES

TAGS = [
    {"name": "reports", "description": "File a report, and follow it."},
    {"name": "devices", "description": "Devices of an app: a key without signing up, and the reports of its own."},
    {"name": "uploads", "description": "Large files by tus 1.0; any tus client speaks it."},
    {"name": "actions", "description": "What officers do with a report."},
    {"name": "statistics", "description": "Open data."},
]
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key of an account or of a device."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same, in another header."},
}
_FILES = {
    "type": "array",
    "maxItems": MOST_FILES,
    "items": {"type": "string", "format": "binary"},
    "description": f"Pictures, PDF or video of at most {FILE_LIMIT // 2**20} MB each.",
}
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")
"""Schemas of answers that the hub never gives."""


class DescribedApi(FastAPI):
    """An application whose description is whole."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _complete(super().openapi())
        return self.openapi_schema


def operation_id(route: APIRoute) -> str:
    """The name of its function, which is what a generated client calls."""
    return route.name


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    found = {name: schema for name, schema in components["schemas"].items() if name not in _OF_FASTAPI}
    schemas = {name: _plain(name, schema) for name, schema in (found | _own_schemas()).items()}
    components["schemas"] = dict(sorted((schemas | {"ReportForm": _form(schemas["ReportInput"])}).items()))
    components["securitySchemes"] = _KEYS
    for path in document["paths"].values():
        for operation in path.values():
            operation["parameters"] = [plain_parameter(p) for p in operation.get("parameters", ())]
            if any(name in str(operation["responses"].get("422")) for name in _OF_FASTAPI):
                del operation["responses"]["422"]
    return document


def _own_schemas() -> dict[str, Any]:
    _, found = models_json_schema(
        [(ReportInput, "validation"), (PlaceInput, "validation"), (ProblemDetails, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = found["$defs"]
    _describe(schemas["ReportInput"], Report)
    _describe(schemas["PlaceInput"], ReportPlace)
    report = schemas["ReportInput"]["properties"]
    for name, part in PLACE_FIELDS.items():
        report[name]["description"] = f"The same as `place.{part}`."
    report["sender"]["description"] = "A phone number or an e-mail address, where the caller has one of the two."
    report["place"] = {"$ref": "#/components/schemas/PlaceInput"}
    return schemas


def _form(report: dict[str, Any]) -> dict[str, Any]:
    """A form has the fields of a report, the place in words, and files."""
    words = {"type": "string", "description": "The place in words."}
    return {**report, "properties": {**report["properties"], "place": words, "files": _FILES}}


def _plain(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return plain_input(schema) if name.endswith("Input") else plain_answer(schema)


def _describe(schema: Mapping[str, Any], struct: type) -> None:
    """Each property by the docstring behind its field of that struct."""
    for name, words in _docstrings(struct):
        if name in schema["properties"]:
            schema["properties"][name].setdefault("description", words)


def _docstrings(struct: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, doc in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            yield ast.unparse(field.target), inspect.cleandoc(str(doc.value.value))
