"""Learning from decided reports: a model is tried on the newest ones before it is made of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from normalizer.models.classifier import StoredClassifier, TextClassifier, extras_of, extras_of_class
from normalizer.models.linear import Linear, StoredLinear
from normalizer.models.office import StoredOffices, candidates_of, office_extras, role_of
from normalizer.models.topics import categories
from normalizer.models.training import Example, Recipe, fit
from schemas import Place

FEW = 100
"""Decided reports; with fewer nothing is learned."""
UNSEEN = 4
"""One in so many, the newest, is not learned from in the trial."""
CATEGORIES = Recipe(0.4, bayes=0.45, lists=1.6)
LEAVES = Recipe(0.4, bayes=0.3)
OFFICES = Recipe(1.0, bayes=0.4)
CLASSES = Recipe(1.0, balanced=True, logistic=True)
SORTS = Recipe(2.0, bayes=0.3)


class Decided(NamedTuple):
    """A report and what officers decided about it; None where they did not. Oldest first."""

    text: str
    """Title, line break, words."""
    place: Place | None
    report_class: str | None
    category: tuple[str, str] | None
    """Id and name."""
    office: tuple[str, str | None] | None
    """Id and name."""


class Trial(NamedTuple):
    """A new model beside the one that stands, both on the newest reports."""

    body: str | None
    """To be published; None where nothing better was learned."""
    before: float
    after: float
    unseen: int
    rows: int

    @property
    def better(self) -> bool:
        return self.body is not None


def try_classifier(rows: Sequence[Decided], current: TextClassifier, version: str) -> Trial:
    """Category and class; learned sorts stay. `before` and `after` are the shares of right top categories."""
    known = [row for row in rows if row.category is not None]
    if len(known) < FEW:
        return Trial(None, 0.0, 0.0, 0, len(known))
    unseen = known[-(len(known) // UNSEEN) :]
    sorts = current.stored.sorts if current.stored else None
    tried = TextClassifier(_classifier(known[: -len(unseen)], version, sorts))
    before, after = (_right_tops(model, unseen) for model in (current, tried))
    body = msgspec.json.encode(_classifier(known, version, sorts)).decode() if after > before else None
    return Trial(body, before, after, len(unseen), len(known))


def _classifier(rows: Sequence[Decided], version: str, sorts: StoredLinear | None) -> StoredClassifier:
    named = [(row, row.category) for row in rows if row.category is not None]
    extras = [extras_of(row.text) for row, _ in named]
    tops = [Example(r.text, top_of(*c), e) for (r, c), e in zip(named, extras, strict=True)]
    leaves = [Example(r.text, c[0], e) for (r, c), e in zip(named, extras, strict=True)]
    classes = [
        Example(r.text, r.report_class, extras_of_class(r.text)) for r, _ in named if r.report_class
    ]  # fmt: skip
    return StoredClassifier(
        version=version,
        tops=_stored(fit(tops, CATEGORIES)),
        leaves=_stored(fit(leaves, LEAVES, calibrate=False)),
        classes=_stored(fit(classes, CLASSES)),
        sorts=sorts,
        names={c[0]: (c[1], top_of(*c)) for _, c in named},
    )


def _right_tops(model: TextClassifier, rows: Sequence[Decided]) -> float:
    found = model.classify([row.text for row in rows])
    right = [
        one.category is not None and row.category is not None and one.category.top == top_of(*row.category)
        for one, row in zip(found, rows, strict=True)
    ]
    return sum(right) / len(right)


def top_of(id: str, name: str) -> str:
    """The top category of one; itself where the tree of the word lists does not hold it."""
    return next((topic.top for topic in categories() if topic.id == id), name)


def try_offices(
    rows: Sequence[Decided], ranked_now: Callable[[Sequence[Decided]], list[str | None]] | None, version: str
) -> Trial:
    """Roles and places. `before` and `after` are the shares of right offices; `ranked_now` gives those that the model
    which stands would choose, as `chosen_by` does."""
    known = [row for row in rows if row.office is not None]
    if len(known) < FEW:
        return Trial(None, 0.0, 0.0, 0, len(known))
    unseen = known[-(len(known) // UNSEEN) :]
    tried = fit_offices(known[: -len(unseen)])
    if tried is None:
        return Trial(None, 0.0, 0.0, len(unseen), len(known))
    before = _right_offices(ranked_now(unseen), unseen) if ranked_now else 0.0
    after = _right_offices(chosen_by(tried, unseen), unseen)
    made = fit_offices(known) if after > before else None
    body = msgspec.json.encode(StoredOffices(version=version, roles=made.stored)).decode() if made else None
    return Trial(body, before, after, len(unseen), len(known))


def fit_offices(rows: Sequence[Decided]) -> Linear | None:
    """Roles, learned from the rows that an office has."""
    return fit([Example(r.text, role_of(*r.office), office_extras(r.text, r.place)) for r in rows if r.office], OFFICES)


def chosen_by(model: Linear, rows: Sequence[Decided]) -> list[str | None]:
    """The first role of each row that can be resolved to an office."""
    ranked = model.ranked([r.text for r in rows], [office_extras(r.text, r.place) for r in rows], 5)
    return [
        next((role for role, _, _ in candidates_of(found, row.place)), None)
        for found, row in zip(ranked, rows, strict=True)
    ]  # fmt: skip


def _right_offices(chosen: Sequence[str | None], rows: Sequence[Decided]) -> float:
    right = [r.office is not None and role == role_of(*r.office) for role, r in zip(chosen, rows, strict=True)]
    return sum(right) / len(right)


def _stored(model: Linear | None) -> StoredLinear | None:
    return model.stored if model else None
