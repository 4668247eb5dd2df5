"""The API's own description: what generators of clients need of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.web.app import build_routes

DOCUMENT = build_routes().openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()}
INPUTS = ("ReportInput", "ReportForm", "PlaceInput", "ActionInput")


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in it."""
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(part)


def test_every_reference_and_every_key_is_there() -> None:
    references = {part["$ref"] for part in parts(DOCUMENT) if isinstance(part.get("$ref"), str)}
    assert references == {f"#/components/schemas/{name}" for name in SCHEMAS}
    named = {name for operation in OPERATIONS.values() for key in operation.get("security", ()) for name in key}
    assert named == set(DOCUMENT["components"]["securitySchemes"])


def test_the_names_that_clients_call_are_kept() -> None:
    assert set(OPERATIONS) == {
        "file_report", "own_reports", "read_report", "new_device", "act", "read_statistics",
        "upload_options", "create_upload", "read_upload", "append_to_upload", "end_upload",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_says_what_it_does_and_what_goes_wrong(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["description"]
    for status, answer in operation["responses"].items():
        described = answer.get("content", {}).get("application/problem+json", {})
        assert bool(described) == (int(status) >= 400)
        assert ("Retry-After" in answer.get("headers", {})) == (status in {"423", "429", "503"})


@pytest.mark.parametrize("name", INPUTS)
def test_a_field_that_is_sent_is_left_out_or_has_a_value(name: str) -> None:
    for field, schema in SCHEMAS[name]["properties"].items():
        assert schema.keys() & {"title", "default", "anyOf"} == set(), field
        assert "null" not in schema.get("type", ""), field
    assert SCHEMAS[name].get("required", []) == {"ActionInput": ["act"], "PlaceInput": []}.get(name, ["text"])


@pytest.mark.parametrize("name", sorted(SCHEMAS.keys() - set(INPUTS)))
def test_a_field_that_may_be_null_says_so_in_its_type(name: str) -> None:
    fields = SCHEMAS[name]["properties"].values()
    assert not [field for field in fields if field.get("anyOf") or field.get("title")]


def test_nullable_answers_and_plain_inputs_differ() -> None:
    assert SCHEMAS["ReportAccepted"]["properties"]["number"]["type"] == ["string", "null"]
    assert SCHEMAS["ReportInput"]["properties"]["phone"]["type"] == "string"
    assert SCHEMAS["ReportInput"]["properties"]["place"] == {"$ref": "#/components/schemas/PlaceInput"}
    assert SCHEMAS["ReportForm"]["properties"]["place"]["type"] == "string"
