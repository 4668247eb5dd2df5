"""Training. scikit-learn is loaded here, and only when something is trained.

A support vector machine and complement naive Bayes are both linear in the same features, so what both say together is
one table of weights: it costs nothing more to ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from normalizer.models.calibration import Tried, calibrated
from normalizer.models.hashed import Extras, Rows, hashed, selected, weighted, with_extras
from normalizer.models.linear import Linear, StoredLinear, as_matrix, stored
from normalizer.models.listed import Table, with_lists

NEWEST = 1500
"""Rows for calibration, where there are twice as many; else the newer half."""
_STEPS = 6
"""Parts of them, each judged by a model of all rows before it."""
_LEAST = 2
"""Rows in which a feature that counts stands; and rows of a label that is learned."""
_SMOOTHING = 0.1
"""Of naive Bayes."""


class Example(NamedTuple):
    """A decided row, oldest first."""

    text: str
    label: str
    extras: Extras = MappingProxyType({})


class Recipe(NamedTuple):
    """How a model is made: the strength of the machine, the share of naive Bayes, whether labels count alike, whether
    logistic regression takes the machine's place (it finds more of a rare label), and how much the word list of a
    category speaks for it whatever was learned."""

    strength: float = 0.4
    bayes: float = 0.0
    balanced: bool = False
    logistic: bool = False
    lists: float = 0.0


def fit(examples: Sequence[Example], recipe: Recipe = Recipe(), *, calibrate: bool = True) -> Linear | None:  # noqa: B008 - never changed
    """A classifier of these rows, oldest first. None: fewer than two labels have enough rows."""
    made = _fitted(examples, recipe)
    if made is None:
        return None
    return Linear(calibrated(made, list(_tried(examples, recipe))) if calibrate else made)


def _tried(examples: Sequence[Example], recipe: Recipe) -> Iterator[Tried]:
    """The newest rows, each judged by a model of older rows alone."""
    newest = min(NEWEST, len(examples) // 2)
    edges = [len(examples) - newest + newest * n // _STEPS for n in range(_STEPS + 1)]
    for start, end in pairwise(edges):
        probe = _fitted(examples[:start], recipe) if end > start else None
        if probe is not None:
            unseen = examples[start:end]
            margins = Linear(probe).margins(hashed([e.text for e in unseen]), [e.extras for e in unseen])
            yield Tried(margins, [probe.labels.index(e.label) if e.label in probe.labels else -1 for e in unseen])


def _fitted(examples: Sequence[Example], recipe: Recipe) -> StoredLinear | None:
    import numpy as np

    counts = Counter(e.label for e in examples)
    known = [e for e in examples if counts[e.label] >= _LEAST]
    labels = sorted({e.label for e in known})
    if len(labels) < 2:
        return None
    rows, idf = _weighted(known)
    used, columns = np.unique(rows.features, return_inverse=True)
    matrix = as_matrix(rows._replace(features=columns.astype(np.int32)), len(used))
    truth = [labels.index(e.label) for e in known]
    model = _machine(recipe).fit(matrix, truth)
    weights, bias = model.coef_, model.intercept_
    if len(labels) == 2:
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    if recipe.bayes:
        weights, bias = _blended(matrix, truth, (weights, bias), recipe.bayes)
    made = Table(labels, used, weights, bias)
    if recipe.lists:
        made = with_lists(made, matrix, recipe.lists)
    known_idf = np.array([idf.get(feature, 0.0) for feature in made.features.tolist()])
    return stored(made.labels, made.features, known_idf, (made.weights, made.bias))


def _machine(recipe: Recipe) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    weights = "balanced" if recipe.balanced else None
    if recipe.logistic:
        return LogisticRegression(C=recipe.strength, class_weight=weights, max_iter=1000)
    return LinearSVC(C=recipe.strength, class_weight=weights, random_state=0)


def _weighted(examples: Sequence[Example]) -> tuple[Rows, dict[int, float]]:
    """Without features that stand in too few rows; and the idf of those that are left."""
    import numpy as np

    rows = hashed([e.text for e in examples])
    features, columns, seen = np.unique(rows.features, return_inverse=True, return_counts=True)
    idf = np.where(seen >= _LEAST, np.log((1 + len(examples)) / (1 + seen)) + 1, 0).astype(np.float32)
    rows = with_extras(weighted(rows, idf[columns]), [e.extras for e in examples])
    kept = idf > 0
    return selected(rows, rows.values > 0), dict(zip(features[kept].tolist(), idf[kept].tolist(), strict=True))


def _blended(matrix: Any, truth: Sequence[int], machine: tuple[Any, Any], share: float) -> tuple[Any, Any]:
    """Weights and bias of both, each on the scale on which its margins spread by 1."""
    from sklearn.naive_bayes import ComplementNB

    weights, bias = machine[0] - machine[0].mean(axis=0), machine[1] - machine[1].mean()
    bayes = ComplementNB(alpha=_SMOOTHING, norm=True).fit(matrix, truth).feature_log_prob_
    bayes = bayes - bayes.mean(axis=0)
    mine = (1 - share) / (matrix @ weights.T + bias).std()
    return mine * weights + share / (matrix @ bayes.T).std() * bayes, mine * bias
