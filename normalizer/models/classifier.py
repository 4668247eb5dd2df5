"""The classifier: word lists from the first day, and what was learned once there is an edition of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import get_args

import msgspec

from normalizer.models.classified import Classified
from normalizer.models.hashed import Extras, Rows, hashed
from normalizer.models.linear import Linear, Ranked, StoredLinear
from normalizer.models.listed import feature_of
from normalizer.models.manner import Points, class_by_lists, points_of, signs_of, sort_of
from normalizer.models.topics import Topic, TopicScore, categories, category_of, ranked_topics, scores_of
from schemas import Category, ReportClass, Sort

COLD = "words-5"
"""Version of the lists."""
_SCALE = 1.5
"""How much a word list counts among what is learned."""
_ENOUGH = 6.0
"""Points of a text that is clearly about something."""
_SPEAKS = 2.0
"""Points from which on a category is named at all."""
_TOP = 3
_CLASSES: dict[str, ReportClass] = {word: word for word in get_args(ReportClass)}
_SORTS: dict[str, Sort] = {word: word for word in get_args(Sort)}
_SPREAD = 3.0


class StoredClassifier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An edition `models/classifier`."""

    version: str
    tops: StoredLinear | None = None
    leaves: StoredLinear | None = None
    classes: StoredLinear | None = None
    sorts: StoredLinear | None = None
    names: dict[str, tuple[str, str]] = {}
    """Name and top category by id, of the leaves."""


class TextClassifier:
    """As `Classifier`. Where something was not learned, the word lists speak."""

    def __init__(self, stored: StoredClassifier | None = None) -> None:
        self.stored = stored
        self.version = f"{COLD}+{stored.version}" if stored else COLD
        self._tops = _linear(stored.tops if stored else None)
        self._leaves = _linear(stored.leaves if stored else None)
        self._classes = _linear(stored.classes if stored else None)
        self._sorts = _linear(stored.sorts if stored else None)
        self._names = stored.names if stored else {}
        self._learned = any((self._tops, self._leaves, self._classes))

    def classify(self, texts: Sequence[str]) -> list[Classified]:
        """One answer a text, in order."""
        scores = list(map(scores_of, texts))
        points = [points_of(text, found.manners) for text, found in zip(texts, scores, strict=True)]
        ranked = [ranked_topics(found.categories) for found in scores]
        extras = [features_of(p, r) for p, r in zip(points, ranked, strict=True)] if self._learned else []
        rows = hashed(texts) if self._learned or self._sorts else None
        tops = self._tops.ranked_rows(rows, extras, _TOP) if self._tops and rows else [_cold(found) for found in ranked]
        leaves = self._leaves.ranked_rows(rows, extras, 5) if self._leaves and rows else [[] for _ in texts]
        classes = _first(self._classes, rows, (p.extras_of_class for p in points)) or [None] * len(texts)
        sorts = _first(self._sorts, rows, (signs_of(text) for text in texts)) or [None] * len(texts)
        about = [_speaks(found) for found in ranked]
        judged = [_judged(*row) for row in zip(points, about, classes, sorts, strict=True)]
        named = [self._named(*row) for row in zip(tops, ranked, leaves, strict=True)]
        return [Classified(*one, top[0] if top else None, top) for one, top in zip(judged, named, strict=True)]

    def _named(
        self, tops: Sequence[Ranked], ranked: Sequence[TopicScore], leaves: Sequence[Ranked]
    ) -> tuple[Category, ...]:
        by_top = {found.topic.top: found.topic for found in ranked}
        return tuple(self._category(top, by_top, leaves) for top in tops)

    def _category(self, top: Ranked, by_top: dict[str, Topic], leaves: Sequence[Ranked]) -> Category:
        learned = next((leaf for leaf in leaves if self._names.get(leaf.label, ("", ""))[1] == top.label), None)
        p = round(top.p, 3)
        if learned is not None:
            return Category(id=learned.label, name=self._names[learned.label][0], top=top.label, p=p)
        return category_of(by_top.get(top.label) or _representative(top.label), p)


def _judged(
    points: Points, is_about: bool, learned_class: Ranked | None, learned_sort: Ranked | None
) -> tuple[ReportClass, float, Sort, float]:
    """Class and sort, each with its probability. A label that is no word of ours is `unknown`. `is_about`: the lists
    name a category."""
    report_class, class_p = learned_class or class_by_lists(points, is_about=is_about)
    known = _CLASSES.get(report_class, "unknown")
    sort, sort_p = learned_sort or sort_of(points, known)
    if sort == "answer":  # of an office: none of the classes
        return "unknown", 0.0, "answer", sort_p
    return known, class_p, _SORTS.get(sort, "unknown"), sort_p


def features_of(points: Points, ranked: Sequence[TopicScore]) -> Extras:
    """What the word lists say, as features of what is learned."""
    total = max(_ENOUGH, sum(found.score for found in ranked))
    return {**{feature_of(r.topic.top): _SCALE * r.score / total for r in ranked}, **points.extras}


def extras_of(text: str) -> Extras:
    """The same, of a text."""
    scores = scores_of(text)
    return features_of(points_of(text, scores.manners), ranked_topics(scores.categories))


def extras_of_class(text: str) -> Extras:
    """Features of a text, by which its class is learned: those of categories make it worse."""
    return points_of(text, scores_of(text).manners).extras_of_class


def _speaks(ranked: Sequence[TopicScore]) -> bool:
    return bool(ranked) and ranked[0].score >= _SPEAKS


def _cold(ranked: Sequence[TopicScore]) -> list[Ranked]:
    total = sum(found.score for found in ranked) + _SPREAD
    return [Ranked(found.topic.top, found.score / total) for found in ranked[:_TOP] if found.score >= _SPEAKS]


def _first(model: Linear | None, rows: Rows | None, extras: Iterable[Extras]) -> list[Ranked | None]:
    """Empty where there is no model."""
    if model is None or rows is None:
        return []
    return [found[0] for found in model.ranked_rows(rows, list(extras), 1)]


def _linear(stored: StoredLinear | None) -> Linear | None:
    return Linear(stored) if stored else None


@cache
def _representative(top: str) -> Topic:
    """A category under a top of which no list spoke."""
    return next((topic for topic in categories() if topic.top == top), Topic(top, top, top))


@cache
def cold_classifier() -> TextClassifier:
    """The word lists alone."""
    return TextClassifier()


def load_classifier(body: str) -> TextClassifier:
    """Of an edition. Raises msgspec.DecodeError."""
    return TextClassifier(msgspec.json.decode(body, type=StoredClassifier))
