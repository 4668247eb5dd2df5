"""The knowledge that ships: places by the gazetteer, and the words that name a place where no region is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from msgspec.structs import replace

from normalizer._port import PlaceQuestion
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.learned_places import NOTHING, LearnedPlaces
from normalizer.knowledge.places import LEAST, LIKELY, Unplaced, find_places
from normalizer.place_words import named_in
from schemas import Place

VERSION = "gazetteer-2025-10"


class ShippedKnowledge:
    """Loads the gazetteer when it is made: a message never waits for that."""

    def __init__(self, learned: Callable[[], LearnedPlaces] = lambda: NOTHING) -> None:
        """`learned` gives the places of the newest edition; it is asked for every batch."""
        self._gazetteer = gazetteer()
        self._learned = learned

    @property
    def version(self) -> str:
        """Of what ships, and of what was learned."""
        learned = self._learned().version
        return f"{VERSION}-{learned}" if learned else VERSION

    def places(self, questions: Sequence[PlaceQuestion]) -> list[Sequence[Place]]:
        """Candidates, likeliest first; each has a code, or words alone."""
        asked = [Unplaced.of(*question) for question in questions]
        found = find_places(self._gazetteer, asked, self._learned())
        return list(map(_with_words, found, map(_named, asked)))


def _named(asked: Unplaced) -> Sequence[Place]:
    text = "\n".join([part.text for part in asked.parts])
    as_written = all(words.as_written for words in asked.tokens)
    return named_in(text, chain.from_iterable(words.words for words in asked.tokens) if as_written else None)


def _with_words(found: Sequence[Place], named: Sequence[Place]) -> Sequence[Place]:
    """Regions that are likely enough, in the words that name a place; else these words alone."""
    likely = [place for place in found if (place.p or 0.0) >= LEAST]
    if not likely or (likely[0].p or 0.0) < LIKELY:
        return named
    return [replace(place, words=named[0].words) for place in likely] if named else likely
