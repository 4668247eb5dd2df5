"""Which office a report is for: role and place as read, measured on reports that were not learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.quality.figures import Line, Share, share
from hub.quality.folder import Folder
from hub.quality.labels import OfficeReport, city_reports, folded, lapor_reports
from hub.quality.learned import SEED, Answer, calibration_error, certainty_lines, coverage, firsts, shuffled
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.models.learning import OFFICES
from normalizer.models.linear import Ranked
from normalizer.models.office import candidates_of, office_extras, role_of, slug, text_of
from normalizer.models.training import Example, fit

_DISTRICT = 8
_RANKED = 5


def office_lines(folder: Folder) -> Iterator[Line]:
    """Offices: of LAPOR!'s exports, and of a city."""
    if reports := lapor_reports(folder):
        yield from _lapor_lines(reports)
    if reports := city_reports(folder):
        yield from _city_lines(reports)
        yield from _district_lines(reports)


def _lapor_lines(reports: Sequence[OfficeReport]) -> Iterator[Line]:
    mixed, half = shuffled(reports, SEED), len(reports) // 2
    chance, _ = answers(mixed[:half], mixed[half:])
    newer, _ = answers(reports[:half], reports[half:])
    yield Line("office in an export of LAPOR!, half by chance", firsts(chance), "0.60", "0.66")
    yield Line("... among the first three", str(share(a.in_three for a in chance)), "0.79", "0.84")
    yield Line("... coverage at 0.90, best case", f"{coverage(chance, 0.9):.3f} of {len(chance)}", "0.12", "0.20")
    yield Line("... the newer half by the older", firsts(newer))
    yield Line("... among the first three", str(share(a.in_three for a in newer)))
    yield Line("... calibration error", f"{calibration_error(newer):.3f}", "0.05", "0.03")


def _city_lines(reports: Sequence[OfficeReport]) -> Iterator[Line]:
    early = int(len(reports) * 0.6)
    later, limit = answers(reports[:early], reports[early:])
    yield Line("office of a city, role and place as read, later 40 %", firsts(later), "0.73", "0.77")
    yield Line("... among the first three", str(share(a.in_three for a in later)), "0.85", "0.89")
    sure = [a for a in later if a.p >= limit]
    yield Line("... above the threshold of the newest learned rows", str(Share(len(sure), len(later))), "0.22", "0.33")
    yield Line("... right there", str(share(a.right for a in sure)), "0.95", "0.95")
    yield Line("... coverage at 0.95, best case", f"{coverage(later, 0.95):.3f}")
    yield from certainty_lines("office of a city", later)


def answers(learned: Sequence[OfficeReport], asked: Sequence[OfficeReport]) -> tuple[list[Answer], float]:
    """The offices of what is asked, and the threshold."""
    model = fit([_example(one) for one in learned], OFFICES)
    if model is None:
        return [Answer(folded(one.office), ()) for one in asked], 2.0
    examples = [_example(one) for one in asked]
    ranked = model.ranked([e.text for e in examples], [e.extras for e in examples], _RANKED)
    named = [tuple(_named(found, one)) for found, one in zip(ranked, asked, strict=True)]
    return [Answer(folded(one.office), found) for one, found in zip(asked, named, strict=True)], model.stored.threshold


def _example(one: OfficeReport) -> Example:
    text = text_of(one.message)
    return Example(text, role_of(slug(one.office), one.office), office_extras(text, one.message.place))


def _named(ranked: Sequence[Ranked], one: OfficeReport) -> Iterator[Ranked]:
    for role, code, p in candidates_of(ranked, one.message.place):
        name = gazetteer().name(code.replace(".", "")) if code else None
        yield Ranked(folded(f"{role} {name}") if code else folded(role), p)


def _district_lines(reports: Sequence[OfficeReport]) -> Iterator[Line]:
    """The district, where the place is as exact as that."""
    said = [one for one in reports if one.message.place and len(one.message.place.code or "") >= _DISTRICT]
    yield Line("district: share of all rows for which one is said", str(Share(len(said), len(reports))), "0.55", "0.65")
    yield Line("... right", str(share(_district(one) == folded(one.row["kecamatan"]) for one in said)), "0.95", "0.95")


def _district(one: OfficeReport) -> str:
    code = one.message.place.code if one.message.place else None
    return folded(gazetteer().name((code or "")[:_DISTRICT].replace(".", "")) or "")
