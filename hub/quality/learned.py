"""What is learned, measured on rows that were not learned from: the newer half, or four fifths to one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from hub.quality.figures import Line, f1, macro_f1, share
from hub.quality.folder import Folder
from hub.quality.labels import Labelled, report_classes, sms, top_categories, tweets
from normalizer.models.classifier import cold_classifier, extras_of, extras_of_class
from normalizer.models.hashed import Extras
from normalizer.models.learning import CATEGORIES, CLASSES, SORTS
from normalizer.models.linear import Linear, Ranked
from normalizer.models.manner import signs_of
from normalizer.models.training import Example, Recipe, fit

T = TypeVar("T")
ExtrasOf = Callable[[str], Extras]
"""Features of a text beside its words."""
BAND = 0.95
_FOLDS = 5
_SHUFFLES = 5
_MORE = f"... mean of {_SHUFFLES} shufflings"
SEED = 1


class Answer(NamedTuple):
    """The truth, and what was answered, the likeliest first."""

    truth: str
    ranked: tuple[Ranked, ...]

    @property
    def first(self) -> str:
        return self.ranked[0].label if self.ranked else ""

    @property
    def p(self) -> float:
        return self.ranked[0].p if self.ranked else 0.0

    @property
    def right(self) -> bool:
        return self.first == self.truth

    @property
    def in_three(self) -> bool:
        return self.truth in [one.label for one in self.ranked[:3]]


def cold_categories(folder: Folder) -> list[Answer]:
    """The word lists alone, on all rows."""
    rows = top_categories(folder)
    found = cold_classifier().classify([row.text for row in rows])
    return [
        Answer(row.label, tuple(Ranked(c.top or "", c.p or 0.0) for c in one.top))
        for row, one in zip(rows, found, strict=True)
    ]


def shuffled(rows: Sequence[T], seed: int | None) -> list[T]:
    """In an order by chance, the same each time; as they are without a seed."""
    found = list(rows)
    if seed is not None:
        random.Random(seed).shuffle(found)  # noqa: S311 - no secret
    return found


def halves(rows: Sequence[Labelled], seed: int | None = None) -> list[Answer]:
    """Learned from one half, asked about the other: the older and the newer, or by chance."""
    rows, half = shuffled(rows, seed), len(rows) // 2
    return asked(fitted(rows[:half], CATEGORIES), rows[half:])


def folds(rows: Sequence[Labelled], recipe: Recipe, extras: ExtrasOf = extras_of, seed: int = SEED) -> list[Answer]:
    """Each fifth asked of what was learned from the other four. The probabilities are not calibrated."""
    rows, found = shuffled(rows, seed), []
    for n in range(_FOLDS):
        learned = [row for k, row in enumerate(rows) if k % _FOLDS != n]
        found += asked(fitted(learned, recipe, extras, calibrate=False), rows[n::_FOLDS], extras)
    return found


def fitted(
    rows: Sequence[Labelled], recipe: Recipe, extras: ExtrasOf = extras_of, *, calibrate: bool = True
) -> Linear | None:
    """A model of these rows."""
    return fit([Example(row.text, row.label, extras(row.text)) for row in rows], recipe, calibrate=calibrate)


def asked(model: Linear | None, rows: Sequence[Labelled], extras: ExtrasOf = extras_of) -> list[Answer]:
    """What a model answers."""
    if model is None:
        return [Answer(row.label, ()) for row in rows]
    ranked = model.ranked([row.text for row in rows], [extras(row.text) for row in rows], 3)
    return [Answer(row.label, tuple(found)) for row, found in zip(rows, ranked, strict=True)]


def calibration_error(answers: Sequence[Answer]) -> float:
    """Expected calibration error, ten bands."""
    bands: list[list[Answer]] = [[] for _ in range(10)]
    for one in answers:
        bands[min(9, int(one.p * 10))].append(one)
    return sum(abs(sum(a.right for a in b) - sum(a.p for a in b)) for b in bands) / max(1, len(answers))


def coverage(answers: Sequence[Answer], precision: float) -> float:
    """The largest share, surest first, of which that many are right: an upper bound, chosen on the rows themselves."""
    hits, best = 0, 0
    for n, one in enumerate(sorted(answers, key=lambda a: -a.p), 1):
        hits += one.right
        best = n if hits / n >= precision else best
    return best / max(1, len(answers))


def category_lines(folder: Folder) -> Iterator[Line]:
    """Categories of LAPOR!'s exports."""
    cold = cold_categories(folder)
    if not cold:
        return
    rows = top_categories(folder)
    yield Line("top category, word lists alone", firsts(cold), "0.42", "0.52")
    yield Line("... among the first three", str(share(a.in_three for a in cold)))
    newer, mixed = halves(rows), halves(rows, SEED)
    yield Line("top category, learned from the older half, asked about the newer", firsts(newer))
    yield Line("... among the first three", str(share(a.in_three for a in newer)))
    yield Line("top category, learned from a half by chance", firsts(mixed), "0.66", "0.70")
    yield Line("... among the first three", str(share(a.in_three for a in mixed)), "0.82", "0.86")
    fifths = folds(rows, CATEGORIES)
    yield Line("top category, learned from four fifths by chance", firsts(fifths), "0.66", "0.70")
    yield Line("... among the first three", str(share(a.in_three for a in fifths)), "0.82", "0.86")
    yield from certainty_lines("top category, newer half", newer)


def certainty_lines(name: str, answers: Sequence[Answer]) -> Iterator[Line]:
    """Is what is promised kept?"""
    yield Line(f"{name}: calibration error", f"{calibration_error(answers):.3f}", "0.05", "0.03")
    sure = [a for a in answers if a.p >= BAND]
    yield Line(f"{name}: right where 0.95 or more is said", str(share(a.right for a in sure)), "0.94", "0.95")


def class_lines(folder: Folder) -> Iterator[Line]:
    """Class and sort."""
    rows = report_classes(folder)
    if rows:
        cold = cold_classifier().classify([row.text for row in rows])
        truth = [row.label for row in rows]
        yield from _class_lines("word lists alone", truth, [one.report_class for one in cold])
        learned = folds(rows, CLASSES, extras_of_class)
        yield from _class_lines("five folds", [a.truth for a in learned], [a.first for a in learned])
    if rows := tweets(folder):
        found = list(_shuffles(rows))
        score = f1(*found[0], "complaint")
        detail = f"{score.value:.3f} (P {score.precision}, R {score.recall})"
        yield Line("tweets: complaint or not, F1, five folds", detail, "0.88", "0.92")
        yield Line(_MORE, _spread([f1(*one, "complaint").value for one in found]))
    if rows := sms(folder):
        values = [macro_f1(*one) for one in _shuffles(rows)]
        yield Line("SMS: normal or spam, macro-F1, five folds", f"{values[0]:.3f} of {len(rows)}", "0.96", "0.98")
        yield Line(_MORE, _spread(values))


def _shuffles(rows: Sequence[Labelled]) -> Iterator[tuple[list[str], list[str]]]:
    """What is true and what was said of the sort, by folds of five shufflings: of few rows one alone is luck."""
    for seed in range(SEED, SEED + _SHUFFLES):
        found = folds(rows, SORTS, signs_of, seed)
        yield [a.truth for a in found], [a.first for a in found]


def _spread(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.3f} (from {min(values):.3f} to {max(values):.3f})"


def _class_lines(name: str, truth: Sequence[str], said: Sequence[str]) -> Iterator[Line]:
    info = f1(truth, said, "information_request")
    yield Line(f"information request, {name}: precision", str(info.precision), "0.75", "0.80")
    yield Line("... recall", str(info.recall), "0.40", "0.55")
    yield Line(f"three classes, {name}: macro-F1", f"{macro_f1(truth, said):.3f} of {len(truth)}", "0.52", "0.60")


def firsts(answers: Sequence[Answer]) -> str:
    """How many first answers are right."""
    return str(share(a.right for a in answers))
