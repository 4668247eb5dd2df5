"""What is learned, measured on rows that were not learned from: the newer half, or four fifths to one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from hub.quality.figures import Line, Share, f1, macro_f1, share
from hub.quality.folder import Folder
from hub.quality.labels import (
    CityReport,
    Labelled,
    city_reports,
    folded,
    lapor_offices,
    report_classes,
    sms,
    top_categories,
    tweets,
)
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.models.classifier import cold_classifier, extras_of
from normalizer.models.hashed import Extras
from normalizer.models.linear import Linear, Ranked
from normalizer.models.office import candidates_of, office_extras, role_of, slug, text_of
from normalizer.models.training import Example, fit

BAND = 0.95
_FOLDS = 5
_SEED = 1
_DISTRICT = 8


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
        Answer(row.label, tuple(Ranked(folded(c.top or ""), c.p or 0.0) for c in one.top))
        for row, one in zip(rows, found, strict=True)
    ]


def halves(rows: Sequence[Labelled], *, seed: int | None = None, strength: float = 0.4) -> list[Answer]:
    """Learned from one half, asked about the other: the older and the newer, or by chance."""
    rows = list(rows)
    if seed is not None:
        random.Random(seed).shuffle(rows)  # noqa: S311 - the same halves each time
    half = len(rows) // 2
    return asked(fitted(rows[:half], strength=strength), rows[half:])


def folds(rows: Sequence[Labelled], *, words_alone: bool, strength: float = 1.0) -> list[Answer]:
    """Each fifth asked of what was learned from the other four."""
    rows = list(rows)
    random.Random(_SEED).shuffle(rows)  # noqa: S311 - the same folds each time
    found = []
    for n in range(_FOLDS):
        learned = [row for k, row in enumerate(rows) if k % _FOLDS != n]
        model = fitted(learned, strength=strength, balanced=True, words_alone=words_alone)
        found += asked(model, rows[n::_FOLDS], words_alone=words_alone)
    return found


def fitted(
    rows: Sequence[Labelled], *, strength: float, balanced: bool = False, words_alone: bool = False
) -> Linear | None:
    """A model of these rows."""
    examples = [Example(row.text, row.label, {} if words_alone else extras_of(row.text)) for row in rows]
    return fit(examples, strength=strength, balanced=balanced)


def asked(model: Linear | None, rows: Sequence[Labelled], *, words_alone: bool = False) -> list[Answer]:
    """What a model answers."""
    if model is None:
        return [Answer(row.label, ()) for row in rows]
    extras: list[Extras] = [{} if words_alone else extras_of(row.text) for row in rows]
    ranked = model.ranked([row.text for row in rows], extras, 3)
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
    yield Line("top category, word lists alone", _firsts(cold), "0.42", "0.52")
    yield Line("... among the first three", str(share(a.in_three for a in cold)))
    newer, mixed = halves(rows), halves(rows, seed=_SEED)
    yield Line("top category, learned from the older half, asked about the newer", _firsts(newer))
    yield Line("... among the first three", str(share(a.in_three for a in newer)))
    yield Line("top category, learned from a half by chance", _firsts(mixed), "0.66", "0.70")
    yield Line("... among the first three", str(share(a.in_three for a in mixed)), "0.82", "0.86")
    yield from certainty_lines("top category, newer half", newer)


def certainty_lines(name: str, answers: Sequence[Answer], wanted: tuple[str, str] = ("0.05", "0.03")) -> Iterator[Line]:
    """Is what is promised kept?"""
    yield Line(f"{name}: calibration error", f"{calibration_error(answers):.3f}", *wanted)
    sure = [a for a in answers if a.p >= BAND]
    yield Line(f"{name}: right where 0.95 or more is said", str(share(a.right for a in sure)), "0.94", "0.95")


def class_lines(folder: Folder) -> Iterator[Line]:
    """Class and sort."""
    rows = report_classes(folder)
    if rows:
        cold = cold_classifier().classify([row.text for row in rows])
        truth = [row.label for row in rows]
        yield from _class_lines("word lists alone", truth, [one.report_class for one in cold])
        learned = folds(rows, words_alone=False)
        yield from _class_lines("five folds", [a.truth for a in learned], [a.first for a in learned])
    if found := folds(tweets(folder), words_alone=True):
        score = f1([a.truth for a in found], [a.first for a in found], "complaint")
        detail = f"{score.value:.3f} (P {score.precision}, R {score.recall})"
        yield Line("tweets: complaint or not, F1, five folds", detail, "0.88", "0.92")
    if found := folds(sms(folder), words_alone=True):
        value = macro_f1([a.truth for a in found], [a.first for a in found])
        yield Line("SMS: normal or spam, macro-F1, five folds", f"{value:.3f} of {len(found)}", "0.96", "0.98")


def _class_lines(name: str, truth: Sequence[str], said: Sequence[str]) -> Iterator[Line]:
    info = f1(truth, said, "information_request")
    yield Line(f"information request, {name}: precision", str(info.precision), "0.75", "0.80")
    yield Line("... recall", str(info.recall), "0.40", "0.55")
    yield Line(f"three classes, {name}: macro-F1", f"{macro_f1(truth, said):.3f} of {len(truth)}", "0.52", "0.60")


def office_lines(folder: Folder) -> Iterator[Line]:
    """Offices: of LAPOR!'s exports, and of a city by role and place."""
    if rows := lapor_offices(folder):
        newer, mixed = halves(rows, strength=1.0), halves(rows, seed=_SEED, strength=1.0)
        yield Line("office in an export of LAPOR!, half by chance", _firsts(mixed), "0.60", "0.66")
        yield Line("... among the first three", str(share(a.in_three for a in mixed)), "0.79", "0.84")
        yield Line("... coverage at 0.90, best case", f"{coverage(mixed, 0.9):.3f} of {len(mixed)}", "0.12", "0.20")
        yield Line("... the newer half by the older", _firsts(newer))
    reports = city_reports(folder)
    if not reports:
        return
    answers, limit = city_answers(reports)
    yield Line("office of a city, role and place as read, later 40 %", _firsts(answers), "0.73", "0.77")
    yield Line("... among the first three", str(share(a.in_three for a in answers)), "0.85", "0.89")
    sure = [a for a in answers if a.p >= limit]
    yield Line(
        "... above the threshold of the newest learned rows", str(Share(len(sure), len(answers))), "0.22", "0.33"
    )
    yield Line("... right there", str(share(a.right for a in sure)), "0.95", "0.95")
    yield Line("... coverage at 0.95, best case", f"{coverage(answers, 0.95):.3f}")
    yield from certainty_lines("office of a city", answers)
    yield from district_accuracy_lines(reports)


def city_answers(
    reports: Sequence[CityReport], extras: Callable[[CityReport], Extras] | None = None
) -> tuple[list[Answer], float]:
    """Offices of the later 40 %, and the threshold."""
    early = int(len(reports) * 0.6)
    made = extras or (lambda one: office_extras(text_of(one.message), one.message.place))
    learned = [
        Example(text_of(one.message), role_of(slug(one.row["instansi"]), one.row["instansi"]), made(one))
        for one in reports[:early]
    ]
    model, later = fit(learned, strength=1.0), reports[early:]
    if model is None:
        return [], 2.0
    ranked = model.ranked([text_of(one.message) for one in later], [made(one) for one in later], 5)
    answers = [
        Answer(folded(one.row["instansi"]), tuple(_named(found, one))) for one, found in zip(later, ranked, strict=True)
    ]
    return answers, model.stored.threshold


def _named(ranked: Sequence[Ranked], one: CityReport) -> Iterator[Ranked]:
    for role, code, p in candidates_of(ranked, one.message.place):
        name = gazetteer().name(code.replace(".", "")) if code else None
        yield Ranked(folded(f"{role} {name}") if code else folded(role), p)


def district_accuracy_lines(reports: Sequence[CityReport]) -> Iterator[Line]:
    """The district, where the place is as exact as that."""
    said = [one for one in reports if one.message.place and len(one.message.place.code or "") >= _DISTRICT]
    yield Line("district: share of all rows for which one is said", str(Share(len(said), len(reports))), "0.55", "0.65")
    yield Line("... right", str(share(_district(one) == folded(one.row["kecamatan"]) for one in said)), "0.95", "0.95")


def _district(one: CityReport) -> str:
    code = one.message.place.code if one.message.place else None
    return folded(gazetteer().name((code or "")[:_DISTRICT].replace(".", "")) or "")


def _firsts(answers: Sequence[Answer]) -> str:
    return str(share(a.right for a in answers))
