"""Where a message says that it happened: as the citizen stated it, and candidates by the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from normalizer._port import Knowledge, PlaceQuestion
from normalizer.clean import clean
from normalizer.keywords import WORDED_COMMANDS, ParsedText
from normalizer.knowledge.points import located
from schemas import Message, Place

WITHOUT_COMMANDS = frozenset({"reaction", "edit", "deletion", "system"})
"""Kinds of messages in which no command and no place is looked for."""
_REGION = re.compile(r"\d{2}(?:\.\d{2}(?:\.\d{2}(?:\.\d{4})?)?)?")


def stated_place(stated: Place | None, keyword: str | None, owner: str) -> Place | None:
    """The place that the citizen stated or shared; what that leaves open by the keyword; else the account's region."""
    if stated is not None and stated.code is not None:
        return stated
    if keyword is not None:
        return replace(stated, code=keyword) if stated else Place(code=keyword, source="keyword")
    if not _REGION.fullmatch(owner) or (stated is not None and stated.lat is not None):
        return stated
    return replace(stated, code=owner, source="owner") if stated else Place(code=owner, source="owner")


class UnplacedMessage(NamedTuple):
    """A message whose place is looked for."""

    item: Message
    owner: str
    """A region's code, or an office."""
    words: ParsedText
    place: Place | None
    """As it was stated."""

    @property
    def stated(self) -> str | None:
        """The region that the citizen stated."""
        return self.place.code if self.place is not None and self.place.source != "owner" else None

    def is_open(self) -> bool:
        says = self.words.command in WORDED_COMMANDS and self.item.kind not in WITHOUT_COMMANDS
        return says and not self.item.places

    def question(self) -> PlaceQuestion:
        item, words, place = self.item, self.words, self.place
        text = f"{item.title}\n{words.text}" if item.title else words.text
        address = "\n".join(part for part in (item.sender.address, place and place.words) if part)
        return PlaceQuestion(text, self.stated or self.owner, clean(address))

    def candidates(self, found: Sequence[Place]) -> tuple[Place, ...]:
        """Of what was found: where a region was stated, only what lies inside it."""
        place, stated = self.place, self.stated
        if stated is not None:
            return tuple(one for one in found if one.code and one.code.startswith(f"{stated}."))
        if place is not None and place.lat is not None and place.lon is not None:
            return _around_point(located(place.lat, place.lon, self.owner), found)
        return tuple(found)


def place_candidates(messages: Sequence[UnplacedMessage], knowledge: Knowledge) -> list[tuple[Place, ...]]:
    """For each, likeliest first; those that came with an item stay."""
    places = [one.item.places for one in messages]
    asked = [n for n, one in enumerate(messages) if one.is_open()]
    found = knowledge.places([messages[n].question() for n in asked])
    for n, candidates in zip(asked, found, strict=True):
        places[n] = messages[n].candidates(candidates)
    return places


def _around_point(here: Place | None, found: Sequence[Place]) -> tuple[Place, ...]:
    """What the words name inside the regency of a point that was shared; else that regency."""
    if here is None:
        return tuple(found)
    inside = tuple(one for one in found if one.code and one.code.startswith(f"{here.code}."))
    words = found[0].words if found else None
    return inside or (replace(here, words=words),)
