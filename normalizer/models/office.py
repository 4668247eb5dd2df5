"""Which office a report is for: a role that is learned, and the place that the reader found.

Most reports that go to a ward's or a district's office go to that of their own place, so these are one role each, and
hundreds of small offices need no examples of their own. The role of any other office is its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from normalizer.models.classifier import extras_of
from normalizer.models.hashed import Extras
from normalizer.models.linear import Linear, Ranked, StoredLinear
from schemas import Message, Place

T = TypeVar("T")
DISTRICT_ROLE, VILLAGE_ROLE = "kecamatan", "kelurahan"
_DISTRICT, _VILLAGE = 8, 13
"""Characters of their codes."""
_ROLES = (
    (re.compile(r"\s*(?:kantor )?(?:kecamatan|distrik|camat)\b", re.IGNORECASE), DISTRICT_ROLE),
    (re.compile(r"\s*(?:kantor )?(?:kelurahan|desa|lurah|nagari|gampong|kampung)\b", re.IGNORECASE), VILLAGE_ROLE),
)
_NOT_LETTERS = re.compile(r"[\W_]+")


class HasWords(Protocol):
    """A decided report."""

    @property
    def text(self) -> str: ...
    @property
    def place(self) -> Place | None: ...


class StoredOffices(msgspec.Struct, frozen=True, kw_only=True):
    """An edition `models/office`."""

    version: str
    roles: StoredLinear


class LearnedOffices(Generic[T]):
    """The router's `OfficeModel`, learned from what officers decided. `candidate` makes one of a role, a region code
    and a probability."""

    def __init__(self, stored: StoredOffices, candidate: Callable[[str, str | None, float], T]) -> None:
        self.version = stored.version
        self._roles = Linear(stored.roles)
        self._candidate = candidate

    @property
    def threshold(self) -> float:
        """From which probability on the first office was right in 95 of 100 of the newest rows; above 1: none."""
        return self._roles.stored.threshold

    def roles_of(self, rows: Sequence[HasWords]) -> list[str | None]:
        """The role that would be chosen for each."""
        ranked = self._roles.ranked([r.text for r in rows], [office_extras(r.text, r.place) for r in rows], 5)
        return [
            next((role for role, _, _ in candidates_of(found, row.place)), None)
            for found, row in zip(ranked, rows, strict=True)
        ]

    def offices(self, messages: Sequence[Message]) -> list[list[T]]:
        """The likeliest three for each message."""
        texts = [text_of(message) for message in messages]
        extras = [office_extras(text, m.place) for text, m in zip(texts, messages, strict=True)]
        ranked = self._roles.ranked(texts, extras, 5)
        return [
            [self._candidate(*one) for one in list(candidates_of(found, m.place))[:3]]
            for found, m in zip(ranked, messages, strict=True)
        ]


def load_office_model(body: str, candidate: Callable[[str, str | None, float], T]) -> LearnedOffices[T]:
    """Of an edition. Raises msgspec.DecodeError."""
    return LearnedOffices(msgspec.json.decode(body, type=StoredOffices), candidate)


def text_of(message: Message) -> str:
    """Title, words and place in words: what the role is learned from."""
    place = message.place.words if message.place and message.place.words else message.sender.address or ""
    return f"{message.title}\n{message.clean_text}\n{place}"


def office_extras(text: str, place: Place | None) -> Extras:
    """What the word lists say, and how exactly the place is known."""
    size = len(place.code) if place and place.code else 0
    return {
        **extras_of(text),
        f"place:{'village' if size >= _VILLAGE else 'district' if size >= _DISTRICT else '-'}": 0.3,
    }


def role_of(office: str, name: str | None) -> str:
    """The role of an office, by its name; else its id."""
    return next((role for pattern, role in _ROLES if name and pattern.match(name)), office)


def slug(name: str) -> str:
    """A name as a role: "Dinas Perhubungan" is "dinas-perhubungan"."""
    return _NOT_LETTERS.sub("-", name.lower()).strip("-")


def candidates_of(ranked: Sequence[Ranked], place: Place | None) -> Iterator[tuple[str, str | None, float]]:
    """Role, region code and probability. A district's or a ward's office only where the place says which."""
    code = place.code if place and place.code else ""
    for label, p in ranked:
        size = {DISTRICT_ROLE: _DISTRICT, VILLAGE_ROLE: _VILLAGE}.get(label)
        if size is None:
            yield label, None, round(p, 4)
        elif len(code) >= size:
            yield label, code[:size], round(p, 4)
