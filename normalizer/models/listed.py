"""The word lists' say in what is learned: each list speaks for its own category, also for one without any row.

From a few hundred rows of one place a machine learns little of a rare category, and nothing of one that did not occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from normalizer.models.hashed import number_of
from normalizer.models.topics import categories

_PATIENCE = 10.0
"""How much a list may find in learned rows, none of which has its category, before it counts half."""


class Table(NamedTuple):
    """What was learned: the numbers of the features in order, weights by label and feature, and one bias a label."""

    labels: Sequence[str]
    features: Any
    weights: Any
    bias: Any


def with_lists(made: Table, matrix: Any, weight: float) -> Table:
    """The same where each list adds so much to its category. `matrix` holds the rows that were learned."""
    import numpy as np

    tops = list(dict.fromkeys(topic.top for topic in categories()))
    new = [top for top in tops if top not in made.labels]
    labels = [*made.labels, *new]
    numbers = np.array([number_of(feature_of(top)) for top in tops], made.features.dtype)
    features = np.union1d(made.features, numbers)
    weights = np.zeros((len(labels), len(features)))
    weights[: len(made.labels), np.searchsorted(features, made.features)] = made.weights
    heard = dict(zip(made.features.tolist(), np.asarray(matrix.sum(axis=0)).ravel().tolist(), strict=True))
    for top, number in zip(tops, numbers.tolist(), strict=True):
        in_vain = heard.get(number, 0.0) if top in new else 0.0
        weights[labels.index(top), np.searchsorted(features, number)] += weight * _PATIENCE / (_PATIENCE + in_vain)
    usual = np.median(matrix @ made.weights.T + made.bias)
    return Table(labels, features, weights, np.concatenate([made.bias, np.full(len(new), usual)]))


def feature_of(top: str) -> str:
    """The name of the feature that says how much the list of a category found."""
    return f"top:{top}"
