"""Names of places from decided reports: tried on the newest ones before they are made of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from normalizer._port import PlaceQuestion
from normalizer.knowledge.learned_places import LearnedPlaces, PlacedText, load_places
from normalizer.knowledge.shipped import ShippedKnowledge
from normalizer.models.learning import FEW, UNSEEN, Decided, Trial
from normalizer.models.place_training import learn_places
from normalizer.settle import likeliest

_REGENCY, _DISTRICT = 5, 8
"""Characters of their codes."""


def try_places(rows: Sequence[Decided], current: LearnedPlaces) -> Trial:
    """`before` and `after` are the shares of right districts, less those of wrong ones."""
    known = [placed for row in rows if (placed := _placed(row))]
    if len(known) < FEW:
        return Trial(None, 0.0, 0.0, 0, len(known))
    unseen = known[-(len(known) // UNSEEN) :]
    tried = load_places(learn_places(known[: -len(unseen)]))
    before, after = (_right_districts(learned, unseen) for learned in (current, tried))
    return Trial(learn_places(known) if after > before else None, before, after, len(unseen), len(known))


def _placed(row: Decided) -> PlacedText | None:
    """The words of the place stand below the text, and for an address."""
    if row.place is None or row.place.code is None or len(row.place.code) < _DISTRICT:
        return None
    words = row.place.words or ""
    return PlacedText(row.text.removesuffix(f"\n{words}") if words else row.text, words, row.place.code)


def _right_districts(learned: LearnedPlaces, rows: Sequence[PlacedText]) -> float:
    knowledge = ShippedKnowledge(lambda: learned)
    return sum(_worth(knowledge, row) for row in rows) / len(rows)


def _worth(knowledge: ShippedKnowledge, row: PlacedText) -> int:
    """1 where the district is right, -1 where it is wrong, 0 where none is named."""
    [found] = map(likeliest, knowledge.places([PlaceQuestion(row.text, row.code[:_REGENCY], row.address)]))
    if found is None or found.code is None or len(found.code) < _DISTRICT:
        return 0
    return 1 if found.code[:_DISTRICT] == row.code[:_DISTRICT] else -1
