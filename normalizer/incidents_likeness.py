"""How alike two reports are: small numbers about their words and places, and a boosted model over them.

The model is a file of trees (`models/data/likeness.json`), trained by `python -m bench.likeness`. Time is no feature:
the index finds reports of some weeks only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, islice
from operator import getitem
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from normalizer.incidents_profile import ComparedWords

_DISTRICT, _VILLAGE = 8, 13
"""Characters of their codes."""
_NEAR, _FAR = 150.0, 1500.0
"""Metres."""
_REMEMBERED = 1 << 13
"""Counts of one kind of words; pairs of region codes."""
OTHER_DISTRICT, OTHER_VILLAGE, NOT_KNOWN, SAME_DISTRICT, SAME_VILLAGE = -2, -1, 0, 1, 2


class Placed(Protocol):
    """A report, as far as it is known where it is from; `place` is a region code."""

    @property
    def place(self) -> str | None: ...
    @property
    def lat(self) -> float | None: ...
    @property
    def lon(self) -> float | None: ...


class Located(NamedTuple):
    """A place alone."""

    place: str | None = None
    lat: float | None = None
    lon: float | None = None


def place_relation(one: Placed, other: Placed) -> int:
    """Whether two places are the same, by coordinates where both have them, else by their codes."""
    metres = _metres(one, other)
    if metres is not None and (metres <= _NEAR or metres >= _FAR):
        return SAME_VILLAGE if metres <= _NEAR else OTHER_DISTRICT
    return _relation_of_codes(one.place or "", other.place or "")


@lru_cache(maxsize=_REMEMBERED)
def _relation_of_codes(here: str, there: str) -> int:
    shared = min(len(here), len(there))
    if here[: min(shared, _DISTRICT)] != there[: min(shared, _DISTRICT)]:
        return OTHER_DISTRICT
    if shared >= _VILLAGE:
        return SAME_VILLAGE if here == there else OTHER_VILLAGE
    return SAME_DISTRICT if shared >= _DISTRICT else NOT_KNOWN


def is_far(one: Placed, other: Placed) -> bool:
    """Whether both have coordinates, and these lie apart."""
    metres = _metres(one, other)
    return metres is not None and metres >= _FAR


def _metres(one: Placed, other: Placed) -> float | None:
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    north = (one.lat - other.lat) * 111_320
    east = (one.lon - other.lon) * 111_320 * math.cos(math.radians(one.lat))
    return math.hypot(north, east)


def features(one: ComparedWords, other: ComparedWords, relation: int) -> list[float]:
    """The numbers that the model takes, in its order."""
    kinds = ((getattr(one, kind), getattr(other, kind)) for kind in _NUMBERS)
    counts = ((len(here & there), len(here), len(there)) for here, there in kinds)
    found = [numbers(*count) for count, numbers in zip(counts, _NUMBERS.values(), strict=True)]
    return [*chain.from_iterable(found), *_of_texts(one, other, relation)]


def _of_names(both: int, one: int, other: int) -> tuple[float, ...]:
    """Of all and of the fewer, the share in both; how many are in both; in one alone, the smaller and the larger
    count."""
    fewer, more = (one, other) if one <= other else (other, one)
    every = fewer + more - both
    return both / every if every else 0.0, both / fewer if fewer else 0.0, both, fewer - both, more - both


def _of_matter(both: int, one: int, other: int) -> tuple[float, ...]:
    return _of_names(both, one, other)[:3]


def _of_others(both: int, one: int, other: int) -> tuple[float, ...]:
    share, _, shared, fewer, _ = _of_names(both, one, other)
    return share, shared, fewer


def _of_address(both: int, one: int, other: int) -> tuple[float, ...]:
    return _of_names(both, one, other)[0], both, min(one, other)


def _of_texts(one: ComparedWords, other: ComparedWords, relation: int) -> tuple[float, ...]:
    both = len(one.text & other.text)
    every = len(one.text) + len(other.text) - both
    short, long = (one.length, other.length) if one.length <= other.length else (other.length, one.length)
    return both / every if every else 0.0, short, short / max(1, long), relation


_Numbers = Callable[[int, int, int], tuple[float, ...]]
_NUMBERS: dict[str, _Numbers] = {
    "names": _of_names, "matter": _of_matter, "numbers": _of_others, "streets": _of_others, "address": _of_address,
}  # fmt: skip
"""By kind of words, the features that follow from how many both reports have, the one has, and the other."""
_SIZES = [len(numbers(0, 0, 0)) for numbers in _NUMBERS.values()]
_FEATURES = sum(_SIZES) + 4


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
_Table = tuple[list[float], list[int]]
"""Of a feature: thresholds, and by how many of them a value passes, the leaves that are left over."""
_UNUSED: _Table = [], [-1]
"""Of a feature that no tree asks for."""
_Counted = Callable[[int, int, int], int]


class Likeness:
    """The model ready for use.

    No tree is walked: each feature has a mask of the leaves that its value leaves over, of all trees, and of what all
    masks leave over the first leaf of each tree counts (QuickScorer, Lucchese et al., SIGIR 2015).
    """

    def __init__(self, stored: StoredLikeness) -> None:
        self._base = stored.base
        self._trees = len(stored.trees)
        self._values = [_values_by_byte(tree) for tree in stored.trees]
        masks = _masks(stored.trees)
        self._tables = [masks.get(feature, _UNUSED) for feature in range(_FEATURES)]
        tables = iter(self._tables)
        kinds = zip(_NUMBERS.values(), _SIZES, strict=True)
        self._left_by = [_left_by_counts(list(islice(tables, size)), numbers) for numbers, size in kinds]
        self._of_texts = list(tables)

    def of_reports(self, one: ComparedWords, other: ComparedWords, relation: int) -> float:
        """That two reports are about one incident. Counts of words come again and again: what they leave over is
        remembered."""
        by_names, by_matter, by_numbers, by_streets, by_address = self._left_by
        _, names, streets, matter, numbers, address, _, _ = one
        _, names_2, streets_2, matter_2, numbers_2, address_2, _, _ = other
        return self._probability(
            by_names(len(names & names_2), len(names), len(names_2))
            & by_matter(len(matter & matter_2), len(matter), len(matter_2))
            & by_numbers(len(numbers & numbers_2), len(numbers), len(numbers_2))
            & by_streets(len(streets & streets_2), len(streets), len(streets_2))
            & by_address(len(address & address_2), len(address), len(address_2))
            & _left_over(self._of_texts, _of_texts(one, other, relation))
        )

    def probability(self, numbers: Sequence[float]) -> float:
        """That two reports with these features are about one incident."""
        return self._probability(_left_over(self._tables, numbers))

    def _probability(self, left: int) -> float:
        total = sum(map(getitem, self._values, left.to_bytes(self._trees, "little")), self._base)
        return 1 / (1 + math.exp(-total))


def _left_over(tables: Iterable[_Table], numbers: Iterable[float]) -> int:
    """The leaves that these features leave over, each by its table."""
    left = -1
    for (thresholds, masks), number in zip(tables, numbers, strict=False):
        left &= masks[bisect_left(thresholds, number)]
    return left


def _left_by_counts(tables: Sequence[_Table], numbers: _Numbers) -> _Counted:
    @lru_cache(maxsize=_REMEMBERED)
    def left(both: int, one: int, other: int) -> int:
        return _left_over(tables, numbers(both, one, other))

    return left


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


def _masks(trees: tuple[Tree, ...]) -> dict[int, _Table]:
    """By feature."""
    passed: dict[int, dict[float, int]] = defaultdict(dict)
    every = (1 << _LEAVES * len(trees)) - 1
    for n, tree in enumerate(trees):
        bits = {leaf: 1 << _LEAVES * n + place for place, leaf in enumerate(_leaves(tree))}
        for node, feature in enumerate(tree.feature):
            if feature >= 0:
                lost = sum(bits[leaf] for leaf in _leaves(tree, tree.left[node]))
                of_feature, threshold = passed[feature], tree.threshold[node]
                of_feature[threshold] = of_feature.get(threshold, every) & ~lost
    return {feature: (sorted(found), _cumulative(every, found)) for feature, found in passed.items()}


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
