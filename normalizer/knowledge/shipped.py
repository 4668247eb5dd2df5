"""The knowledge that ships: places by the gazetteer, and the words that name a place where no region is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.learned_places import NOTHING, LearnedPlaces
from normalizer.knowledge.places import LEAST, LIKELY, Part, find_places
from normalizer.place_words import PlaceWords
from schemas import Place

VERSION = "gazetteer-2025-4"


class ShippedKnowledge:
    """Loads the gazetteer when it is made: a message never waits for that."""

    def __init__(self, learned: Callable[[], LearnedPlaces] = lambda: NOTHING) -> None:
        """`learned` gives the places of the newest edition; it is asked for every message."""
        self._gazetteer = gazetteer()
        self._learned = learned
        self._words = PlaceWords()

    @property
    def version(self) -> str:
        """Of what ships, and of what was learned."""
        learned = self._learned().version
        return f"{VERSION}-{learned}" if learned else VERSION

    def places(self, text: str, owner: str, address: str = "") -> Sequence[Place]:
        """Candidates, likeliest first; each has a code, or words alone."""
        parts = [Part(part, is_address) for part, is_address in ((text, False), (address, True)) if part]
        named = self._words.places("\n".join(part.text for part in parts), owner)
        found = [
            place for place in find_places(self._gazetteer, parts, owner, self._learned()) if (place.p or 0.0) >= LEAST
        ]
        if not found or (found[0].p or 0.0) < LIKELY:
            return named
        return [replace(place, words=named[0].words) for place in found] if named else found
