"""The knowledge that ships: places by the gazetteer, and the words that name a place where no region is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from normalizer._port import PlaceQuestion
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.learned_places import NOTHING, LearnedPlaces
from normalizer.knowledge.places import LEAST, LIKELY, Unplaced, find_places
from normalizer.place_words import PlaceWords
from schemas import Place

VERSION = "gazetteer-2025-4"


class ShippedKnowledge:
    """Loads the gazetteer when it is made: a message never waits for that."""

    def __init__(self, learned: Callable[[], LearnedPlaces] = lambda: NOTHING) -> None:
        """`learned` gives the places of the newest edition; it is asked for every batch."""
        self._gazetteer = gazetteer()
        self._learned = learned
        self._words = PlaceWords()

    @property
    def version(self) -> str:
        """Of what ships, and of what was learned."""
        learned = self._learned().version
        return f"{VERSION}-{learned}" if learned else VERSION

    def places(self, questions: Sequence[PlaceQuestion]) -> list[Sequence[Place]]:
        """Candidates, likeliest first; each has a code, or words alone."""
        named = self._words.places(questions)
        found = find_places(self._gazetteer, [Unplaced.of(*question) for question in questions], self._learned())
        return list(map(_with_words, found, named))


def _with_words(found: Sequence[Place], named: Sequence[Place]) -> Sequence[Place]:
    """Regions that are likely enough, in the words that name a place; else these words alone."""
    likely = [place for place in found if (place.p or 0.0) >= LEAST]
    if not likely or (likely[0].p or 0.0) < LIKELY:
        return named
    return [replace(place, words=named[0].words) for place in likely] if named else likely
