"""In what manner something is said: a question, a wish, a complaint, publicity, advertising, fraud. By word lists.

Each list gives points; what has the most, and enough, is the answer. The points are features of what is learned, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from normalizer.models.hashed import Extras
from normalizer.models.topics import scores_of
from schemas import ReportClass, Sort

_CLASSES: tuple[ReportClass, ...] = ("complaint", "information_request", "aspiration")
_SORTS: tuple[Sort, ...] = ("publicity", "advertising", "fraud", "answer")
_ENOUGH = 3.0
_ASKS, _GUESS = 2.0, 0.4
"""Points of a question without a word of complaint, and the probability of a class that rests on so little."""
_TITLE = 2.0
"""Points more for what the first line says already."""
_SIGN = 0.6
"""How much a sign counts among words."""
_OPENING = re.compile(r"(?:\s*@\S+)*")
_ADDRESSED = re.compile("@")
_STRETCHED = re.compile(r"([A-Za-vx-z])\1\1")
"""Not the "www" of a link."""


class Points(NamedTuple):
    """Points by class and by sort."""

    classes: dict[ReportClass, float]
    sorts: dict[Sort, float]

    @property
    def extras(self) -> Extras:
        """As features."""
        both: dict[str, float] = {**self.classes, **self.sorts}  # type: ignore[dict-item] # words of two lists
        return {f"manner:{name}": min(points, 8.0) / 6 for name, points in both.items() if points}

    @property
    def extras_of_class(self) -> Extras:
        """The same, and the class that the lists name."""
        return {**self.extras, f"class:{class_of(self)[0]}": 1.0}


def points_of(text: str, scores: Mapping[str, float]) -> Points:
    """Of a text and what the lists say of it: its first line counts more for the class."""
    found = dict(scores)
    title, _, body = text.partition("\n")
    if body:
        for name in scores_of(title).manners:
            found[name] += _TITLE
    if text.rstrip().endswith("?"):
        found["information_request"] = found.get("information_request", 0.0) + 1
    return Points({n: found.get(n, 0.0) for n in _CLASSES}, {n: found.get(n, 0.0) for n in _SORTS})


def signs_of(text: str) -> Extras:
    """Signs of a post that are no words, as features: citizens address an account, ask, begin in small letters and
    stretch words; offices tag and link."""
    addressed = len(_ADDRESSED.findall(_OPENING.match(text)[0]))  # type: ignore[index] # it may be empty
    signs = {
        "addressed": addressed > 0, "accounts": min(addressed, 5) / 5, "question": "?" in text,
        "tags": min(text.count("#"), 3) / 3, "links": min(text.count("http"), 2) / 2,
        "small": text[:1].islower(), "stretched": _STRETCHED.search(text) is not None,
    }  # fmt: skip
    return {f"sign:{name}": _SIGN * value for name, value in signs.items() if value}


def class_of(points: Points) -> tuple[ReportClass, float]:
    """What the lists alone say, and how sure."""
    complaint = points.classes["complaint"]
    best: ReportClass = max(("information_request", "aspiration"), key=lambda name: points.classes[name])
    if points.classes[best] >= _ENOUGH and points.classes[best] > complaint:
        return best, _share(points.classes[best], complaint)
    return ("complaint", _share(complaint + 1, points.classes[best])) if complaint > 0 else ("unknown", 0.0)


def class_by_lists(points: Points, *, is_about: bool) -> tuple[ReportClass, float]:
    """The same. Of a text in which no word is a complaint's: a question by its form, else a complaint where it
    `is_about` something that offices care for."""
    found = class_of(points)
    if found[0] != "unknown" or any(value >= _ENOUGH for value in points.sorts.values()):
        return found
    if points.classes["information_request"] >= _ASKS:
        return "information_request", _GUESS
    return ("complaint", _GUESS) if is_about else found


def sort_of(points: Points, report_class: ReportClass) -> tuple[Sort, float]:
    """What the lists alone say, and how sure."""
    best: Sort = max(points.sorts, key=lambda name: points.sorts[name])
    complaint, request = points.classes["complaint"], points.classes["information_request"]
    # citizens write of their accounts, prices and quotas too
    others = max(complaint, request) if best == "publicity" else 2 * complaint + request
    if points.sorts[best] >= _ENOUGH and points.sorts[best] > others:
        return best, _share(points.sorts[best], others)
    if report_class == "unknown":
        return "unknown", 0.0
    return ("question" if report_class == "information_request" else "report"), _share(others + 1, points.sorts[best])


def _share(mine: float, other: float) -> float:
    return round(mine / (mine + other + 1), 3)
