"""Settings of an account, and the secrets and addresses in them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any, ClassVar, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

_CHOICE = re.compile(r"Invalid enum value '(.*)'$")


class Secret:
    """A value that never shows itself: not in a log, a traceback, a repr or a dump."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that sends or compares it."""
        return self._value

    def matches(self, given: str) -> bool:
        """Compared in constant time. An empty secret matches nothing."""
        ours, theirs = (word.encode("utf-8", "surrogatepass") for word in (self._value, given))
        return bool(ours) and hmac.compare_digest(ours, theirs)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def secret_hook(wanted: type, value: Any) -> Any:
    """`dec_hook` of msgspec for settings: plain text becomes a Secret."""
    if wanted is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("takes env:NAME, file:PATH or the value in quotes")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account's own keys in `channels.toml`. Fields of type `Secret` are its secrets."""

    file_settings: ClassVar[tuple[str, ...]] = ()
    """Settings that name a file which is read when the account is made: where it changes, the account is made anew."""


def is_address(url: str) -> bool:
    """Has it a scheme and a host?"""
    try:
        parts = urlsplit(url)
        return bool(parts.scheme and parts.hostname) and parts.port != 0
    except ValueError:
        return False


def require_zone(name: str) -> None:
    """Raises ValueError where there is no such zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # OSError: "Asia" is a folder of the zones
        raise ValueError("zone takes the name of a zone, as Asia/Makassar") from None


def choices_of(kind: object) -> list[str]:
    """The words that a setting of this type takes; empty where it takes any."""
    if get_origin(kind) is Literal:
        return [str(word) for word in get_args(kind)]
    return [word for inner in get_args(kind) for word in choices_of(inner)]


def wrong_choice(fault: str) -> str | None:
    """The word that was not among the choices, where msgspec says so."""
    found = _CHOICE.match(fault)
    return found[1] if found else None


def takes_one_of(wrong: str, *choices: Sequence[str]) -> str:
    """For people: what is taken in the place of the wrong word, one of these choices or one of those."""
    near = get_close_matches(wrong.lower(), chain(*choices), 1)
    listed = " or ".join(", ".join(words) for words in choices)
    return f"takes one of {listed}, not '{wrong}'{f' (did you mean {near[0]}?)' if near else ''}"
