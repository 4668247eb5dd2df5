"""Learning sorts (a report, advertising, fraud) from labelled messages: officers write no sort down."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple, get_args

import msgspec

from normalizer.models.classifier import StoredClassifier, TextClassifier
from normalizer.models.learning import FEW, SORTS, UNSEEN, Trial
from normalizer.models.linear import StoredLinear
from normalizer.models.manner import signs_of
from normalizer.models.training import Example, fit
from schemas import Sort

SORT_WORDS: dict[str, Sort] = {word: word for word in get_args(Sort) if word != "unknown"}


class LabelledSort(NamedTuple):
    """A text and its sort."""

    text: str
    sort: Sort


def try_sorts(rows: Sequence[LabelledSort], current: TextClassifier, version: str) -> Trial:
    """The classifier that stands with sorts that were learned; all else stays. Files are often in the order of their
    labels, so rows are drawn for the trial, the same each time. `before` and `after` are the shares of right sorts."""
    if len(rows) < FEW:
        return Trial(None, 0.0, 0.0, 0, len(rows))
    drawn = random.Random(len(rows)).sample(rows, len(rows))  # noqa: S311 - no secret
    unseen = drawn[: len(rows) // UNSEEN]
    tried = _learned(drawn[len(unseen) :])
    before = _right(current, unseen)
    after = _right(TextClassifier(_with(current, tried, version)), unseen) if tried else 0.0
    made = _learned(rows) if after > before else None
    body = msgspec.json.encode(_with(current, made, version)).decode() if made else None
    return Trial(body, before, after, len(unseen), len(rows))


def _learned(rows: Sequence[LabelledSort]) -> StoredLinear | None:
    model = fit([Example(row.text, row.sort, signs_of(row.text)) for row in rows], SORTS)
    return model.stored if model else None


def _with(current: TextClassifier, sorts: StoredLinear | None, version: str) -> StoredClassifier:
    return msgspec.structs.replace(current.stored or StoredClassifier(version=version), version=version, sorts=sorts)


def _right(model: TextClassifier, rows: Sequence[LabelledSort]) -> float:
    found = model.classify([row.text for row in rows])
    return sum(one.sort == row.sort for one, row in zip(found, rows, strict=True)) / len(rows)
