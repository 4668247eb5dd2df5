"""How alike two reports are: small numbers about their words and places, and a boosted model over them.

The model is a file of trees (`models/data/likeness.json`), trained by `python -m bench.likeness`. Time is no feature:
the index finds reports of some weeks only.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from normalizer.incidents_profile import ComparedWords, Hashes

_DISTRICT, _VILLAGE = 8, 13
"""Characters of their codes."""
_NEAR, _FAR = 150.0, 1500.0
"""Metres."""
OTHER_DISTRICT, OTHER_VILLAGE, NOT_KNOWN, SAME_DISTRICT, SAME_VILLAGE = -2, -1, 0, 1, 2


class Located(NamedTuple):
    """Where a report is from, as far as it is known."""

    code: str | None = None
    lat: float | None = None
    lon: float | None = None


def place_relation(one: Located, other: Located) -> int:
    """Whether two places are the same, by coordinates where both have them, else by their codes."""
    metres = _metres(one, other)
    if metres is not None and (metres <= _NEAR or metres >= _FAR):
        return SAME_VILLAGE if metres <= _NEAR else OTHER_DISTRICT
    here, there = one.code or "", other.code or ""
    shared = min(len(here), len(there))
    if here[: min(shared, _DISTRICT)] != there[: min(shared, _DISTRICT)]:
        return OTHER_DISTRICT
    if shared >= _VILLAGE:
        return SAME_VILLAGE if here == there else OTHER_VILLAGE
    return SAME_DISTRICT if shared >= _DISTRICT else NOT_KNOWN


def is_far(one: Located, other: Located) -> bool:
    """Whether both have coordinates, and these lie apart."""
    metres = _metres(one, other)
    return metres is not None and metres >= _FAR


def _metres(one: Located, other: Located) -> float | None:
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    north = (one.lat - other.lat) * 111_320
    east = (one.lon - other.lon) * 111_320 * math.cos(math.radians(one.lat))
    return math.hypot(north, east)


def features(one: ComparedWords, other: ComparedWords, relation: int) -> list[float]:
    """The numbers that the model takes, in its order."""
    names = _shared(one.names, other.names)
    numbers, streets = _shared(one.numbers, other.numbers), _shared(one.streets, other.streets)
    matter, address = _shared(one.matter, other.matter), _shared(one.address, other.address)
    short, long = sorted((one.length, other.length))
    return [
        names.jaccard, names.contained, names.both, names.fewer, names.more,
        matter.jaccard, matter.contained, matter.both,
        numbers.jaccard, numbers.both, numbers.fewer,
        streets.jaccard, streets.both, streets.fewer,
        address.jaccard, address.both, min(len(one.address), len(other.address)),
        _shared(one.text, other.text).jaccard, short, short / max(1, long), relation,
    ]  # fmt: skip


class _Shared(NamedTuple):
    jaccard: float
    contained: float
    both: int
    fewer: int
    """Of one alone; the smaller of the two counts."""
    more: int


def _shared(one: Hashes, other: Hashes) -> _Shared:
    both = len(one & other)
    here, there = len(one) - both, len(other) - both
    either, smaller = both + here + there, both + min(here, there)
    return _Shared(both / either if either else 0.0, both / smaller if smaller else 0.0, both, *sorted((here, there)))


class Tree(msgspec.Struct, frozen=True):
    """Nodes by number, the root is 0. Of a leaf, `feature` is negative and `value` counts."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]


class StoredLikeness(msgspec.Struct, frozen=True):
    """A boosted model as a file: the sum of one leaf a tree, through the logistic function."""

    base: float
    trees: tuple[Tree, ...]


class Likeness:
    """The model ready for use."""

    def __init__(self, stored: StoredLikeness) -> None:
        self._base = stored.base
        self._nodes = [(t.feature, t.threshold, t.left, t.right, t.value) for t in stored.trees]

    def probability(self, numbers: list[float]) -> float:
        """That two reports with these features are about one incident."""
        total = self._base
        for feature, threshold, left, right, value in self._nodes:
            node = 0
            while (number := feature[node]) >= 0:
                node = left[node] if numbers[number] <= threshold[node] else right[node]
            total += value[node]
        return 1 / (1 + math.exp(-total))


@cache
def likeness() -> Likeness:
    """The model that ships with the code."""
    path = Path(__file__).with_name("models") / "data" / "likeness.json"
    return Likeness(msgspec.json.decode(path.read_bytes(), type=StoredLikeness))
