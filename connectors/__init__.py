"""The doors. A channel is one file here; its name is the kind, and nobody lists it anywhere."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from connectors._http import Call, Heard, Http, Unanswered
from connectors._port import (
    Answer,
    Channel,
    Fetches,
    Forbidden,
    Listens,
    Request,
    Secret,
    Settings,
    Speaks,
    Spoken,
    secret_hook,
)

__all__ = [
    "Answer", "Call", "Channel", "Fetches", "Forbidden", "Heard", "Http", "Listens", "Request", "Secret", "Settings",
    "Speaks", "Spoken", "Unanswered", "channel_type", "kinds", "secret_hook",
]  # fmt: skip


@cache
def kinds() -> tuple[str, ...]:
    """Every kind that has a file, sorted."""
    return tuple(sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_")))


@cache
def channel_type(kind: str) -> type[Channel]:
    """The channel of that kind. Raises ValueError, with what there is, where there is none."""
    if kind not in kinds():
        raise ValueError(f"no channel of kind {kind!r}; there are {', '.join(kinds())}")
    for found in vars(import_module(f"connectors.{kind}")).values():
        if isinstance(found, type) and issubclass(found, Channel) and getattr(found, "kind", None) == kind:
            return found
    raise ValueError(f"connectors/{kind}.py has no Channel whose kind is {kind!r}")
