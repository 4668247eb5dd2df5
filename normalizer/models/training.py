"""Training and calibration. scikit-learn is loaded here, and only when something is trained.

Calibration takes the newest rows, never random ones: rows of one week are alike, and a promise that was made on random
rows was not kept on the months that followed (0.95 promised, 0.89 found).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from normalizer.models.hashed import SIZE, Extras, hashed, weighted, with_extras
from normalizer.models.linear import Linear, StoredLinear, as_matrix, softmax, stored

PROMISED = 0.95
FEW = 300
"""Rows for calibration; with fewer nothing is promised."""
NEWEST = 1500
"""Rows for calibration, where there are as many; else the newest quarter."""
_LEAST = 2
"""Rows in which a feature that counts stands; and rows of a label that is learned."""
_SOME = 20
"""Rows; fewer say nothing of a threshold."""
_TEMPERATURES = tuple(0.05 * 1.12**n for n in range(40))


class Example(NamedTuple):
    """A decided row, oldest first."""

    text: str
    label: str
    extras: Extras = MappingProxyType({})


def fit(
    examples: Sequence[Example], *, strength: float = 0.4, balanced: bool = False, calibrate: bool = True
) -> Linear | None:
    """A classifier of these rows, oldest first. None: fewer than two labels have enough rows."""
    newest = min(NEWEST, len(examples) // 4)
    if not calibrate or newest < 20:
        made = _fitted(examples, strength, balanced)
        return Linear(made) if made else None
    probe, unseen = _fitted(examples[:-newest], strength, balanced), examples[-newest:]
    made = _fitted(examples, strength, balanced)
    if probe is None or made is None:
        return Linear(made) if made else None
    margins = Linear(probe).margins([e.text for e in unseen], [e.extras for e in unseen])
    truth = [probe.labels.index(e.label) if e.label in probe.labels else -1 for e in unseen]
    temperature = _temperature(margins, truth)
    p = softmax(margins, temperature)
    right = [(float(row.max()), int(row.argmax()) == t) for row, t in zip(p, truth, strict=True)]
    return Linear(_with(made, temperature, threshold(right)))


def _with(made: StoredLinear, temperature: float, limit: float) -> StoredLinear:
    import msgspec

    return msgspec.structs.replace(made, temperature=round(temperature, 4), threshold=round(limit, 4))


def _fitted(examples: Sequence[Example], strength: float, balanced: bool) -> StoredLinear | None:
    import numpy as np
    from sklearn.svm import LinearSVC

    counts = Counter(e.label for e in examples)
    known = [e for e in examples if counts[e.label] >= _LEAST]
    labels = sorted({e.label for e in known})
    if len(labels) < 2:
        return None
    rows = hashed([e.text for e in known])
    seen = np.bincount(rows.features, minlength=SIZE)
    idf = np.where(seen >= _LEAST, np.log((1 + len(known)) / (1 + seen)) + 1, 0).astype(np.float32)
    model = LinearSVC(C=strength, class_weight="balanced" if balanced else None, random_state=0)
    rows = with_extras(weighted(rows, idf), [e.extras for e in known])
    model.fit(as_matrix(rows), [labels.index(e.label) for e in known])
    weights, bias = model.coef_, model.intercept_
    if len(labels) == 2:
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    return stored(labels, idf, weights, bias)


def _temperature(margins: Any, truth: Sequence[int]) -> float:
    """At which the truth is likeliest. A label that was never seen counts as wrong: its row has no truth here."""
    import numpy as np

    known = [n for n, t in enumerate(truth) if t >= 0]
    if not known:
        return 1.0
    best, found = math.inf, 1.0
    for temperature in _TEMPERATURES:
        p = softmax(margins, temperature)
        first = p.max(axis=1)
        right = np.array([int(row.argmax()) == t for row, t in zip(p, truth, strict=True)])
        loss = -np.log(np.where(right, first, 1 - first).clip(1e-6)).mean()
        if loss < best:
            best, found = float(loss), temperature
    return found


def threshold(found: Sequence[tuple[float, bool]], promised: float = PROMISED, z: float = 1.0) -> float:
    """The lowest probability from which on the Wilson lower bound of being right reaches the promise; above 1: none."""
    if len(found) < FEW:
        return 2.0
    hits, lowest = 0, 2.0
    ordered = sorted(found, reverse=True)
    for n, (p, right) in enumerate(ordered, 1):
        hits += right
        is_last = n == len(ordered) or ordered[n][0] < p  # what is as sure stands or falls together
        if is_last and n >= _SOME and wilson_low(hits, n, z) >= promised:
            lowest = p
    return lowest


def wilson_low(hits: int, of: int, z: float) -> float:
    """The lower bound of Wilson's interval."""
    p, zz = hits / of, z * z / of
    return (p + zz / 2 - z * math.sqrt(p * (1 - p) / of + zz / (4 * of))) / (1 + zz)
