"""Paths into a request's fields: a parameter of a form or query, or in JSON names and positions with dots, as
`status.groupName` or `messages.0.messageId`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors._json import Json, without_surrogates

_FURTHEST = 100


def value_at(value: Any, path: str) -> Any:
    """What stands at the path; None: nothing. An empty path is the value itself."""
    for name in path.split(".") if path else ():
        value = _step(value, name)
    return value


def text_at(value: Any, path: str) -> str | None:
    """The text or number at the path. A name of a form may have dots."""
    found = value[path] if isinstance(value, dict) and path in value else value_at(value, path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    text: str = without_surrogates(found) if isinstance(found, str) else str(found)
    return text


def nested(given: Mapping[str, str]) -> Json:
    """The JSON of which these are the paths: a name of digits is a position of a list. Raises ValueError where two
    paths do not go together."""
    root: Json = {}
    for path, value in given.items():
        at: Any = root
        names = path.split(".")
        for name, following in zip(names, [*names[1:], ""], strict=True):
            inner: Any = value if not following else [] if following.isdecimal() else {}
            at = _setdefault(at, name, inner)
            if type(at) is not type(inner):
                raise ValueError(f"{path} does not go together with another name")
    return root


def _step(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return value[int(name)] if name.isdecimal() and int(name) < len(value) else None
    return value.get(name) if isinstance(value, dict) else None


def _setdefault(at: Any, name: str, inner: Any) -> Any:
    """What stands at that name, `inner` where nothing did. Of a list the positions before it are empty objects."""
    if isinstance(at, dict):
        return at.setdefault(name, inner)
    if not name.isdecimal() or int(name) > _FURTHEST:
        raise ValueError(f"{name} is no position of a list, as 0")
    at.extend({} for _ in range(int(name) - len(at)))
    at.extend([inner] * (int(name) >= len(at)))
    return at[int(name)]
