"""JSON Schemas as generators of clients read them well: optional fields without `null`, and no titles, of which some
generators make classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEFT_OUT = frozenset({"title", "default", "anyOf"})
_NULL = {"type": "null"}

Schema = Mapping[str, Any]


def plain_answer(schema: Schema) -> dict[str, Any]:
    """Of what the hub sends: a field that may be null says so."""
    return _plain(schema, nullable=True)


def plain_input(schema: Schema) -> dict[str, Any]:
    """Of what is sent to the hub: a field without a value is left out. Null does the same, and nobody need know."""
    return _plain(schema, nullable=False)


def plain_parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter; its default stands in the description, where there is one."""
    schema = parameter["schema"]
    default = {"default": schema["default"]} if schema.get("default") not in (None, "") else {}
    return {**parameter, "schema": plain_input(schema) | default}


def _plain(schema: Schema, *, nullable: bool) -> dict[str, Any]:
    plain = {key: _part(key, part, nullable) for key, part in schema.items() if key not in _LEFT_OUT}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != _NULL]
    if not choices:
        return plain
    may_be_null = nullable and _NULL in schema["anyOf"]
    if len(choices) > 1 or (may_be_null and "type" not in choices[0]):
        return plain | {"anyOf": [_plain(choice, nullable=nullable) for choice in schema["anyOf"]]}
    only = _plain(choices[0], nullable=nullable)
    return only | plain | ({"type": [only["type"], "null"]} if may_be_null else {})


def _part(key: str, part: Any, nullable: bool) -> Any:
    if key == "properties":
        return {name: _plain(schema, nullable=nullable) for name, schema in part.items()}
    if key in {"items", "additionalProperties"} and isinstance(part, Mapping):
        return _plain(part, nullable=nullable)
    return part
