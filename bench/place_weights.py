"""Fits the weights of `normalizer.knowledge.districts` on the earlier half of rows whose district is known.

    python -m bench.place_weights [FOLDER]

FOLDER holds surabaya.csv. Kinds of mentions with fewer than fifteen rows keep the weight that stands. What was learned
is weighed on the last third of that half, by what the first two thirds teach.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.reading import SURABAYA, Row, surabaya
from normalizer.clean import clean
from normalizer.knowledge.districts import WEIGHTS, by_district, evidence, likely_districts
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.learned_places import LearnedPlaces, PlacedText, load_places
from normalizer.knowledge.places import Unplaced, mentions_in
from normalizer.knowledge.tokens import Words
from normalizer.models.place_training import learn_places

_FEWEST = 15
_LEARNED = ("margin", "learned alone", "none, learned", "level, learned")
_REGION = SURABAYA.replace(".", "")


class Choice(NamedTuple):
    """The districts of one row, what speaks for each by name of weight, what speaks for none of them, and the truth."""

    districts: Mapping[str, Mapping[str, float]]
    none: Mapping[str, float]
    truth: str


def choices(rows: Sequence[Row], learned: LearnedPlaces | None) -> list[Choice]:
    """One for each row in which a district is named or learned."""
    return [choice for row in rows if (choice := _choice(row, learned)).districts]


def _choice(row: Row, learned: LearnedPlaces | None) -> Choice:
    text, address = clean(row.text), clean(row.address)
    [found] = mentions_in(gazetteer(), [Unplaced.of(text, _REGION, address)])
    named = by_district(found, _REGION)
    said: dict[str, dict[str, float]] = {code: {**Counter(evidence(code, one))} for code, one in named.items()}
    margins = learned.taught(Words(text), Words(address)).margins if learned else {}
    if not margins:
        return Choice(said, {"none": 1}, row.district)
    for counts in said.values():
        if "LEVEL" in counts:
            counts["level, learned"] = 1
    for one in likely_districts(found, _REGION, _REGION, margins):
        margin = margins.get(one.code, min(margins.values()))
        said.setdefault(one.code, {"learned alone": 1})["margin"] = margin
    return Choice(said, {"none": 1, "none, learned": 1}, row.district)


def fitted(found: Sequence[Choice], names: Sequence[str], ridge: float) -> dict[str, float]:
    """The weights at which the truth is likeliest; those that are not named stay. `ridge`: for those near zero."""
    from scipy.optimize import minimize

    options = [[_numbers(said, names) for said in (one.none, *one.districts.values())] for one in found]
    truths = [_position(one) for one in found]
    rows = np.array([row for several in options for row, _ in several])
    fixed = np.array([rest for several in options for _, rest in several])
    starts = np.cumsum([0, *(len(several) for several in options[:-1])])
    chosen = starts + np.array(truths)

    def loss(weights: Any) -> tuple[float, Any]:
        scores = rows @ weights + fixed
        powers = np.exp(scores)
        sums = np.add.reduceat(powers, starts)
        p = powers / np.repeat(sums, np.diff([*starts, len(rows)]))
        slope = rows.T @ p - rows[chosen].sum(axis=0) + ridge * weights
        return float(np.log(sums).sum() - scores[chosen].sum() + ridge / 2 * weights @ weights), slope

    best = minimize(loss, [WEIGHTS[name] for name in names], jac=True, method="L-BFGS-B").x
    return dict(zip(names, map(float, best), strict=True))


def _numbers(said: Mapping[str, float], names: Sequence[str]) -> tuple[list[float], float]:
    return [said.get(name, 0.0) for name in names], sum(WEIGHTS[n] * v for n, v in said.items() if n not in names)


def _position(one: Choice) -> int:
    return 1 + list(one.districts).index(one.truth) if one.truth in one.districts else 0


def main() -> None:
    """Print the weights."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    rows = surabaya(parser.parse_args().folder)
    half = rows[: len(rows) // 2]
    cold = choices(half, None)
    counts = Counter(name for one in cold for said in one.districts.values() for name in said)
    names = [name for name in WEIGHTS if name == "none" or (counts[name] >= _FEWEST and name not in _LEARNED)]
    for name, weight in fitted(cold, names, 1.0).items():
        print(f"{name:16} {weight:6.2f}   of {counts[name]}")
    first = len(half) * 2 // 3
    learned = load_places(learn_places(PlacedText(row.text, row.address, row.district) for row in half[:first]))
    for name, weight in fitted(choices(half[first:], learned), _LEARNED, 0.1).items():
        print(f"{name:16} {weight:6.2f}")


if __name__ == "__main__":
    main()
