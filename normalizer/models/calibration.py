"""How sure a classifier may be: temperature, line of log odds and threshold, from rows that it had not seen.

Calibration takes the newest rows, never random ones: rows of one week are alike, and a promise that was made on random
rows was not kept on the months that followed (0.95 promised, 0.89 found).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from normalizer.models.linear import StoredLinear, log_odds, settled, softmax

PROMISED = 0.95
FEW = 300
"""Rows for calibration; with fewer nothing is promised."""
_SOME = 20
"""Rows; fewer say nothing of a threshold, nor of how sure a model may be."""
_LINE, _STEPS, _PRIOR = 100, 12, 30.0
"""Of the line of log odds: rows without which there is none, steps, and how much speaks for leaving it as it is."""
_TEMPERATURES = tuple(0.05 * 1.12**n for n in range(40))


class Tried(NamedTuple):
    """Rows that a model had not seen: the margins of each, and the column of its label, -1 for an unknown one."""

    margins: Any
    truth: Sequence[int]


class _Firsts(NamedTuple):
    """How sure the first label of each row is, and whether it is right."""

    p: Any
    right: Any


def calibrated(made: StoredLinear, tried: Sequence[Tried]) -> StoredLinear:
    """With what these rows say of how sure it may be; as it was where they are few.

    What is above the threshold is right often enough together, and each of it is as sure as that: where only all
    together were, the promise broke within months.
    """
    if sum(len(one.truth) for one in tried) < _SOME:
        return made
    temperature = min(_TEMPERATURES, key=lambda degrees: _loss(_firsts(tried, degrees)))
    p, right = _firsts(tried, temperature)
    slope, shift = _line(log_odds(p), right) if len(right) >= _LINE else (1.0, 0.0)
    found = list(zip(settled(p, slope, shift).tolist(), right.tolist(), strict=True))
    return msgspec.structs.replace(
        made, temperature=round(temperature, 4), slope=round(slope, 4), shift=round(shift, 4),
        threshold=max(PROMISED, round(threshold(found), 4)),
    )  # fmt: skip


def _firsts(tried: Sequence[Tried], temperature: float) -> _Firsts:
    import numpy as np

    found = [softmax(one.margins, temperature) for one in tried]
    right = [p.argmax(axis=1) == np.array(one.truth) for p, one in zip(found, tried, strict=True)]
    return _Firsts(np.concatenate([p.max(axis=1) for p in found]), np.concatenate(right))


def _loss(firsts: _Firsts) -> float:
    """The less, the likelier is what was found. A label that was never seen counts as wrong."""
    import numpy as np

    return float(-np.log(np.where(firsts.right, firsts.p, 1 - firsts.p).clip(1e-6)).mean())


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


def threshold(found: Sequence[tuple[float, bool]], promised: float = PROMISED, z: float = 1.645) -> float:
    """The lowest probability from which on being right reaches the promise with 95 % certainty, by Wilson's one-sided
    bound; above 1: none."""
    if len(found) < FEW:
        return 2.0
    hits, lowest = 0, 2.0
    ordered = sorted(found, reverse=True)
    for n, (p, right) in enumerate(ordered, 1):
        hits += right
        is_last = n == len(ordered) or ordered[n][0] < p  # what is as sure stands or falls together
        if is_last and n >= _SOME and wilson(hits, n, z)[0] >= promised:
            lowest = p
    return lowest


def wilson(hits: int, of: int, z: float) -> tuple[float, float]:
    """Wilson's interval of a share."""
    if not of:
        return 0.0, 1.0
    p, zz = hits / of, z * z / of
    middle, half = p + zz / 2, z * math.sqrt(p * (1 - p) / of + zz / (4 * of))
    return max(0.0, (middle - half) / (1 + zz)), min(1.0, (middle + half) / (1 + zz))
