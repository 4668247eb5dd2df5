"""The channels. A channel is one file here; its name is the kind (`-` for `_`), and nothing lists the kinds."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from connectors._demo import DemoForm, DemoItem, DemoRequest
from connectors._forwards import ForwardCall, ForwardedFile, Forwards, NeedsPerson, StepResult
from connectors._http import ErrorMeaning, Http, HttpRequest, HttpResponse
from connectors._port import (
    Channel,
    CheckResult,
    Connects,
    FetchedFile,
    Fetches,
    Gap,
    Intake,
    Item,
    LeaseLost,
    Listens,
    PollResult,
    Polls,
    ProviderConnections,
    RenewedSecret,
    SentReply,
    Session,
    Speaks,
)
from connectors._request import Forbidden, IngressResponse, Part, PartGroup, Payload, Request, files_in, group_parts
from connectors._settings import Secret, Settings, choices_of, secret_hook, takes_one_of, wrong_choice

__all__ = [
    "Channel",
    "CheckResult",
    "Connects",
    "DemoForm",
    "DemoItem",
    "DemoRequest",
    "ErrorMeaning",
    "FetchedFile",
    "Fetches",
    "Forbidden",
    "ForwardCall",
    "ForwardedFile",
    "Forwards",
    "Gap",
    "Http",
    "HttpRequest",
    "HttpResponse",
    "IngressResponse",
    "Intake",
    "Item",
    "KindsWhere",
    "LeaseLost",
    "Listens",
    "NeedsPerson",
    "Part",
    "PartGroup",
    "Payload",
    "PollResult",
    "Polls",
    "ProviderConnections",
    "RenewedSecret",
    "Request",
    "Secret",
    "SentReply",
    "Session",
    "Settings",
    "Speaks",
    "StepResult",
    "channel_type",
    "choices_of",
    "files_in",
    "group_parts",
    "kinds",
    "register",
    "secret_hook",
    "takes_one_of",
    "wrong_choice",
]  # fmt: skip

_registered: dict[str, type[Channel]] = {}


@cache
def kinds() -> tuple[str, ...]:
    """Every kind that has a file here, sorted."""
    return tuple(sorted(m.name.replace("_", "-") for m in iter_modules(__path__) if not m.name.startswith("_")))


def channel_type(kind: str) -> type[Channel]:
    """The channel of that kind. Raises ValueError, with what there is, where there is none."""
    return _registered.get(kind) or _from_file(kind)


def register(*channels: type[Channel]) -> None:
    """Let `channel_type` find channels that have no file here, as those of tests have none. `kinds` leaves them out."""
    _registered.update({channel.kind: channel for channel in channels})


class KindsWhere(Container[object]):
    """The kinds for whose channels that holds. A channel is loaded when it is asked about: all of them took a third of
    a command's start."""

    def __init__(self, holds: Callable[[type[Channel]], bool]) -> None:
        self._holds = holds

    def __contains__(self, kind: object) -> bool:
        return kind in kinds() and self._holds(channel_type(str(kind)))


@cache
def _from_file(kind: str) -> type[Channel]:
    if kind not in kinds():
        raise ValueError(f"no channel of kind {kind!r}; there are {', '.join(kinds())}")
    for found in vars(import_module(f"connectors.{kind.replace('-', '_')}")).values():
        if isinstance(found, type) and issubclass(found, Channel) and getattr(found, "kind", None) == kind:
            return found
    raise ValueError(f"connectors/{kind.replace('-', '_')}.py has no Channel whose kind is {kind!r}")
