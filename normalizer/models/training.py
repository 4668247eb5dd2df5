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
from normalizer.models.linear import Linear, StoredLinear, as_matrix, log_odds, settled, softmax, stored

PROMISED = 0.95
FEW = 300
"""Rows for calibration; with fewer nothing is promised."""
NEWEST = 1500
"""Rows for calibration, where there are as many; else the newest quarter."""
_LEAST = 2
"""Rows in which a feature that counts stands; and rows of a label that is learned."""
_SOME = 20
"""Rows; fewer say nothing of a threshold."""
_STEPS, _PRIOR = 12, 1.0
"""Of the line of log odds: steps, and how many rows' worth speaks for leaving it as it is."""
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
    return Linear(_calibrated(made, temperature, softmax(margins, temperature), truth))


def _calibrated(made: StoredLinear, temperature: float, p: Any, truth: Sequence[int]) -> StoredLinear:
    import msgspec
    import numpy as np

    first, right = p.max(axis=1), p.argmax(axis=1) == np.array(truth)
    slope, shift = _line(log_odds(first), right) if len(right) >= FEW else (1.0, 0.0)
    found = list(zip(settled(first, slope, shift).tolist(), right.tolist(), strict=True))
    return msgspec.structs.replace(
        made, temperature=round(temperature, 4), slope=round(slope, 4), shift=round(shift, 4),
        threshold=round(threshold(found), 4),
    )  # fmt: skip


def _line(odds: Any, right: Any) -> tuple[float, float]:
    """Slope and shift at which what was right is likeliest (Platt), by Newton's steps."""
    import numpy as np

    x = np.column_stack([odds, np.ones(len(odds))])
    start = line = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-x @ line))
        slope = x.T @ (p - right) + _PRIOR * (line - start)
        line = line - np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + _PRIOR * np.eye(2), slope)
    return max(0.1, float(line[0])), float(line[1])


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
