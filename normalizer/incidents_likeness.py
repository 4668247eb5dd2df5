"""How alike two reports are: small numbers about their words and places, and a boosted model over them.

The model is a file of trees (`models/data/likeness.json`), trained by `python -m bench.likeness`. Time is no feature:
the index finds reports of some weeks only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from operator import getitem
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
    metres = _metres(one, other) if one.lat is not None and other.lat is not None else None
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
    matter, matter_contained, matter_both, *_ = _shared(one.matter, other.matter)
    numbers, _, numbers_both, numbers_fewer, _ = _shared(one.numbers, other.numbers)
    streets, _, streets_both, streets_fewer, _ = _shared(one.streets, other.streets)
    address, _, address_both, address_fewer, _ = _shared(one.address, other.address)
    short, long = (one.length, other.length) if one.length <= other.length else (other.length, one.length)
    return [
        *_shared(one.names, other.names),
        matter, matter_contained, matter_both,
        numbers, numbers_both, numbers_fewer,
        streets, streets_both, streets_fewer,
        address, address_both, address_both + address_fewer,
        _shared(one.text, other.text)[0], short, short / max(1, long), relation,
    ]  # fmt: skip


def _shared(one: Hashes, other: Hashes) -> tuple[float, float, int, int, int]:
    """Of all and of the fewer, the share in both; how many are in both; in one alone, the smaller and the larger
    count."""
    both = len(one & other)
    fewer, more = len(one) - both, len(other) - both
    if fewer > more:
        fewer, more = more, fewer
    smaller = both + fewer
    return (both / (smaller + more) if smaller + more else 0.0, both / smaller if smaller else 0.0, both, fewer, more)


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


_LEAVES = 8
"""Of a tree at most: each has a bit in the tree's byte."""


class Likeness:
    """The model ready for use.

    No tree is walked: each feature has a mask of the leaves that its value leaves over, of all trees, and of what all
    masks leave over the first leaf of each tree counts (QuickScorer, Lucchese et al., SIGIR 2015).
    """

    def __init__(self, stored: StoredLikeness) -> None:
        self._base = stored.base
        self._trees = len(stored.trees)
        self._values = [_values_by_byte(tree) for tree in stored.trees]
        self._masks = _masks(stored.trees)

    def probability(self, numbers: list[float]) -> float:
        """That two reports with these features are about one incident."""
        left = -1
        for feature, thresholds, masks in self._masks:
            left &= masks[bisect_left(thresholds, numbers[feature])]
        total = sum(map(getitem, self._values, left.to_bytes(self._trees, "little")), self._base)
        return 1 / (1 + math.exp(-total))


def _leaves(tree: Tree, node: int = 0) -> Iterator[int]:
    """Nodes, from the left."""
    if tree.feature[node] < 0:
        yield node
    else:
        yield from _leaves(tree, tree.left[node])
        yield from _leaves(tree, tree.right[node])


def _values_by_byte(tree: Tree) -> list[float]:
    """By the leaves that are left over, the value of the first."""
    values = [tree.value[leaf] for leaf in _leaves(tree)]
    if len(values) > _LEAVES:
        raise ValueError(f"a tree of {len(values)} leaves")
    return [values[min((left & -left).bit_length(), len(values)) - 1] for left in range(1 << _LEAVES)]


def _masks(trees: tuple[Tree, ...]) -> list[tuple[int, list[float], list[int]]]:
    """By feature: thresholds, and how many of them a value passes, the leaves that are left over."""
    passed: dict[int, dict[float, int]] = defaultdict(dict)
    every = (1 << _LEAVES * len(trees)) - 1
    for n, tree in enumerate(trees):
        bits = {leaf: 1 << _LEAVES * n + place for place, leaf in enumerate(_leaves(tree))}
        for node, feature in enumerate(tree.feature):
            if feature >= 0:
                lost = sum(bits[leaf] for leaf in _leaves(tree, tree.left[node]))
                of_feature, threshold = passed[feature], tree.threshold[node]
                of_feature[threshold] = of_feature.get(threshold, every) & ~lost
    return [(feature, sorted(found), _cumulative(every, found)) for feature, found in sorted(passed.items())]


def _cumulative(every: int, masks: dict[float, int]) -> list[int]:
    found = [every]
    for threshold in sorted(masks):
        found.append(found[-1] & masks[threshold])
    return found


@cache
def likeness() -> Likeness:
    """The model that ships with the code."""
    path = Path(__file__).with_name("models") / "data" / "likeness.json"
    return Likeness(msgspec.json.decode(path.read_bytes(), type=StoredLikeness))
