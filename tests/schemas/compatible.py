"""Can a new wire format stand beside the released one? Both ways, on one log that keeps 90 days:

* the released reader must read what a new writer writes: no required field gone, renamed or left out; no other type; no
  word that an enumeration lacks, unless that enumeration has `unknown` (a new word is then read as `unknown`); no other
  default (a default is not written, so each reader fills in its own)
* the new reader must read what stands in the log: no field newly required, no type or word taken away
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaks(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """The faults of the change, a line each, by topic and field; nothing when it is safe."""
    found = [f"{topic}: gone" for topic in old if topic not in new]
    for topic in old.keys() & new.keys():
        found += sorted(set(_Change(old[topic], new[topic]).at(topic, old[topic], new[topic])))
    return found


class _Change:
    def __init__(self, old: Schema, new: Schema) -> None:
        self.old_parts, self.new_parts = old.get("$defs", {}), new.get("$defs", {})

    def at(self, path: str, old: Any, new: Any) -> Iterator[str]:
        """The breaks at and below that path."""
        old, new = _resolved(old, self.old_parts), _resolved(new, self.new_parts)
        if not isinstance(old, dict) or not isinstance(new, dict):
            if old != new:
                yield f"{path}: was {old}, is {new}"
            return
        before, after = _shape(old), _shape(new)
        if before != after:
            yield f"{path}: was {before}, is {after}"
            return
        yield from self._words(path, old, new)
        yield from self._choices(path, old, new)
        yield from self._fields(path, old, new)
        for part in ("items", "additionalProperties"):
            yield from self.at(f"{path}[]", old.get(part), new.get(part))

    def _words(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("enum", []), new.get("enum", [])
        for word in before:
            if word not in after:
                yield f"{path}: the log holds the word {word!r}"
        for word in after:
            if word not in before and "unknown" not in before:
                yield f"{path}: the released reader does not know the word {word!r}"

    def _choices(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("anyOf", []), new.get("anyOf", [])
        for one, other in zip(before, after, strict=False):  # their shapes are equal, in order
            yield from self.at(path, one, other)

    def _fields(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in old.get("required", []):
            if name not in new.get("required", []):
                yield f"{path}.{name}: the released reader requires it"
        for name in new.get("required", []):
            if name not in old.get("required", []):
                yield f"{path}.{name}: the log may lack it"
        for name in before.keys() & after.keys():
            one, other = before[name], after[name]
            yield from self.at(f"{path}.{name}", one, other)
            if one.get("default") != other.get("default"):
                yield f"{path}.{name}: another default"


def _resolved(schema: Any, parts: dict[str, Schema]) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = parts[schema["$ref"].rpartition("/")[2]]
    return schema


def _shape(schema: Schema) -> Any:
    """The type without its fields, which may not change at all."""
    if "anyOf" in schema:
        return [_shape(choice) for choice in schema["anyOf"]]
    if "$ref" in schema:
        return "object"
    return (
        "word"
        if "enum" in schema
        else " ".join(schema.get(k, "") for k in ("type", "format", "contentEncoding")).strip()
    )
