"""The likeness model: what a tree says of numbers on either side of its thresholds."""

from __future__ import annotations

import math

import pytest

from normalizer.incidents_likeness import Likeness, StoredLikeness, Tree, features, likeness
from normalizer.incidents_profile import ComparedWords

LEAF = -1
LOPSIDED = Tree(
    feature=(0, LEAF, 1, 0, LEAF, LEAF, LEAF), threshold=(0.5, 0, 2, 3, 0, 0, 0),
    left=(1, 0, 3, 4, 0, 0, 0), right=(2, 0, 6, 5, 0, 0, 0), value=(0, 1, 0, 0, 2, 4, 8),
)  # fmt: skip
ONE_LEAF = Tree(feature=(LEAF,), threshold=(0,), left=(0,), right=(0,), value=(16,))
STUMP = Tree(feature=(1, LEAF, LEAF), threshold=(2, 0, 0), left=(1, 0, 0), right=(2, 0, 0), value=(0, 32, 64))


@pytest.mark.parametrize(
    ("numbers", "total"),
    [
        ((0.5, 9), 1 + 16 + 64),
        ((0.6, 2), 2 + 16 + 32),
        ((3.0, 1.9), 2 + 16 + 32),
        ((3.1, 2), 4 + 16 + 32),
        ((7, 2.1), 8 + 16 + 64),
        ((-1, -1), 1 + 16 + 32),
    ],
)
def test_each_tree_adds_the_leaf_to_which_the_numbers_lead(numbers: tuple[float, float], total: float) -> None:
    model = Likeness(StoredLikeness(base=-70.0, trees=(LOPSIDED, ONE_LEAF, STUMP)))
    assert model.probability(list(numbers)) == pytest.approx(1 / (1 + math.exp(70 - total)))


def test_a_tree_of_too_many_leaves_is_refused() -> None:
    inner, leaves = 8, 9
    tree = Tree(
        feature=(0,) * inner + (LEAF,) * leaves, threshold=tuple(map(float, range(inner + leaves))),
        left=(*range(inner, 2 * inner), *(0,) * leaves), right=(*range(1, inner), inner + leaves - 1, *(0,) * leaves),
        value=(0.0,) * (inner + leaves),
    )  # fmt: skip
    with pytest.raises(ValueError, match="9 leaves"):
        Likeness(StoredLikeness(base=0.0, trees=(tree,)))


def words(length: int, *sizes: int, start: int = 0) -> ComparedWords:
    """Of each kind so many."""
    return ComparedWords(length, *(frozenset(range(start, start + size)) for size in sizes))


@pytest.mark.parametrize("relation", [-2, 0, 2])
@pytest.mark.parametrize(
    "other",
    [
        words(0, 0, 0, 0, 0, 0, 0, 0),
        words(20, 9, 2, 8, 3, 4, 18, 1),
        words(19, 9, 2, 8, 3, 4, 18, 1, start=1),
        words(60, 22, 4, 17, 0, 9, 48, 2, start=3),
        words(7, 1, 0, 5, 1, 0, 7, 0, start=30),
    ],
    ids=["empty", "equal", "shifted", "longer", "disjoint"],
)
def test_the_likeness_of_two_reports_is_that_of_their_features(other: ComparedWords, relation: int) -> None:
    one = words(20, 9, 2, 8, 3, 4, 18, 1)
    assert likeness().of_reports(one, other, relation) == likeness().probability(features(one, other, relation))
