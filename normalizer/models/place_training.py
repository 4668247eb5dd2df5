"""Trains what `normalizer.knowledge.learned_places` uses. scikit-learn is loaded here, when something is trained."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from normalizer.knowledge.gazetteer import DISTRICT
from normalizer.knowledge.learned_places import PlacedText, phrase_values
from normalizer.knowledge.tokens import Words

_FEWEST = 2
"""Rows that must hold a phrase."""
_TELLING = 0.3
"""Weight for some district that a phrase must have where there are many: these are learned again without the others."""
_MANY = 1000
_LEAST = 0.2
"""Weight below which nothing is stored."""


class _Row(NamedTuple):
    values: Mapping[str, float]
    district: str


def learn_places(rows: Iterable[PlacedText]) -> str:
    """The body of an edition: JSON, for `load_places`. Rows without a district teach nothing."""
    known = [
        _Row(phrase_values(Words(row.text), Words(row.address)), code[:DISTRICT])
        for row in sorted(rows)
        if len(code := row.code.replace(".", "")) >= DISTRICT
    ]
    counts = Counter(phrase for row in known for phrase in row.values)
    phrases = sorted(phrase for phrase, count in counts.items() if count >= _FEWEST)
    if len({row.district for row in known}) < 2 or not phrases:
        return _body({}, {})
    rarity = {phrase: math.log((1 + len(known)) / (1 + counts[phrase])) + 1 for phrase in phrases}
    labels, weights, bias = _fitted(known, phrases, rarity)
    if len(phrases) > _MANY:
        most = abs(weights).max(axis=0)
        phrases = [phrase for phrase, weight in zip(phrases, most, strict=True) if weight >= _TELLING] or phrases
        labels, weights, bias = _fitted(known, phrases, rarity)
    return _body(
        {label: round(float(one), 3) for label, one in zip(labels, bias, strict=True)},
        {
            phrase: (round(rarity[phrase], 3), said)
            for phrase, column in zip(phrases, weights.T, strict=True)
            if (said := _said(labels, column))
        },
    )


def _said(labels: Sequence[str], column: Iterable[float]) -> dict[str, float]:
    said = zip(labels, column, strict=True)
    return {label: round(float(weight), 3) for label, weight in said if abs(weight) >= _LEAST}


def _body(districts: Mapping[str, float], phrases: Mapping[str, tuple[float, Mapping[str, float]]]) -> str:
    found = {"districts": districts, "phrases": phrases}
    return json.dumps(found, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _fitted(rows: Sequence[_Row], phrases: Sequence[str], rarity: Mapping[str, float]) -> tuple[list[str], Any, Any]:
    """Districts, a weight by district and phrase, a bias by district."""
    import numpy as np
    from sklearn.svm import LinearSVC

    places = {phrase: n for n, phrase in enumerate(phrases)}
    model = LinearSVC(C=1.0, random_state=0).fit(_matrix(rows, places, rarity), [row.district for row in rows])
    labels, weights, bias = list(model.classes_), model.coef_, model.intercept_
    if len(labels) == 2:
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    return labels, weights, bias


def _matrix(rows: Sequence[_Row], places: Mapping[str, int], rarity: Mapping[str, float]) -> Any:
    from scipy.sparse import csr_matrix

    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for row in rows:
        found = _unit({phrase: rarity[phrase] * value for phrase, value in row.values.items() if phrase in places})
        columns += [places[phrase] for phrase in found]
        values += found.values()
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(rows), len(places)))


def _unit(values: Mapping[str, float]) -> Mapping[str, float]:
    length = math.sqrt(sum(value * value for value in values.values()))
    return {phrase: value / length for phrase, value in values.items()}
