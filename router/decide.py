"""Which offices a report goes to: by the rules, else by the model where it is sure, else by the ladder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from router._port import OfficeCandidate, OfficeModel
from router.calendars import zone_of
from router.index import Facts, facts_about
from router.ladder import climb, owner_office
from router.offices import OfficeRegistry
from router.offices_named import folded_words, named_office, place_code, region_of
from router.offices_types import RegisteredOffice
from router.regions import region_name
from router.rules import Rule, RuleOffice, Rules
from schemas import Assignment, Message, Office

LADDER, MODEL = "ladder", "model"
"""What an assignment names as its rule, where no rule made it."""
_UNKNOWN = "Instansi yang disebut pelapor belum terdaftar. "


class Ranked(NamedTuple):
    """An office that it could be. `p` 1: a rule chose it; 0: nothing judged it."""

    office: Office
    p: float


class Decision(NamedTuple):
    """The offices of a report, the first one's `p`, and what the model held for likely."""

    assignments: tuple[Assignment, ...]
    p: float
    ranked: tuple[Ranked, ...]


class _Report(NamedTuple):
    message: Message
    facts: Facts
    named: RegisteredOffice | None


def decide(
    messages: Sequence[Message], rules: Rules, offices: OfficeRegistry, model: OfficeModel | None = None
) -> list[Decision]:
    """A decision for each, in order; always at least one office."""
    by_rule = [_by_rules(message, rules, offices) for message in messages]
    open_ = [message for message, (_, settled) in zip(messages, by_rule, strict=True) if not settled]
    judged = iter(model.offices(open_) if model is not None and open_ else [()] * len(open_))
    threshold = model.threshold if model is not None else 2.0
    found = []
    for message, (assignments, settled) in zip(messages, by_rule, strict=True):
        if settled:
            found.append(Decision(assignments, 1.0, tuple(Ranked(a.office, 1.0) for a in assignments)))
        else:
            found.append(_undecided(message, assignments, next(judged), threshold, offices))
    return found


def _by_rules(message: Message, rules: Rules, offices: OfficeRegistry) -> tuple[tuple[Assignment, ...], bool]:
    """The assignments of the rules that fit, up to the first that does not say `also`; whether there was such a one."""
    report = _report(message, offices, rules.index.keys)
    chosen: dict[str, Assignment] = {}
    for position in rules.index.fitting(report.facts):
        rule = rules.rules[position]
        found = _offices(rule, report, offices)
        word = rules.index.word(position, report.facts)
        for office in found:
            chosen.setdefault(
                office.id, Assignment(office=office, rule=rule.name, why=_why(rule, message, office, word))
            )
        if found and not rule.also:
            return tuple(chosen.values()), True
    return tuple(chosen.values()), False


def _report(message: Message, offices: OfficeRegistry, keys: Collection[str]) -> _Report:
    words = folded_words(message)
    named = named_office(message, words, offices)
    return _Report(message, facts_of(message, words, named, keys), named)


def facts_of(message: Message, words: list[str], named: RegisteredOffice | None, keys: Collection[str]) -> Facts:
    """What rules look at that look at these keys."""
    code = place_code(message)
    values: dict[str, Sequence[str]] = {
        "channel": (message.channel,),
        "owner": (message.owner,),
        "class": (message.report_class,),
    }
    if "hour" in keys:
        values["hour"] = (str(message.received_at.astimezone(zone_of(code or message.owner)).hour),)
    if "keyword" in keys:
        values["keyword"] = (_keyword(message.text),)
    if code:
        values["region"] = _around(code)
    if message.category is not None:
        values["category"] = (message.category.id,)
    if named is not None:
        values["office"] = (named.id,)
    elif message.office is not None:
        values["office"] = (message.office.id,)
    return facts_about(values, words if "words" in keys else ())


@lru_cache(maxsize=65536)
def _around(code: str) -> tuple[str, ...]:
    """The code, and those of the regions around it."""
    parts = code.split(".")
    return tuple(".".join(parts[:n]) for n in range(len(parts), 0, -1))


def _keyword(text: str) -> str:
    """The first word of the text as written, after LAPOR."""
    words = text[:200].casefold().split(None, 2)
    if len(words) > 1 and words[0].strip("#:,.") == "lapor":
        del words[0]
    return words[0].strip("#:,.") if words else ""


def _offices(rule: Rule, report: _Report, offices: OfficeRegistry) -> list[Office]:
    if rule.office == "named":
        return [report.named.as_value] if report.named is not None else []
    if rule.office == "owner":
        return [owner_office(report.message.owner, offices).as_value] if report.message.owner else []
    found = (_rule_office(wanted, report.message, offices) for wanted in rule.offices)
    return [office for office in found if office is not None]


def _rule_office(wanted: RuleOffice, message: Message, offices: OfficeRegistry) -> Office | None:
    """None: its region has no unit of that name, or several."""
    if wanted.unit:
        unit = offices.names.find(wanted.unit, region_of(message))
        return unit.as_value if unit is not None else None
    known = offices.get(wanted.id)
    if known is None:
        return Office(id=wanted.id, name=wanted.name)
    above = offices.parent(known.id) if known.closed else None
    return (above or known).as_value


def _why(rule: Rule, message: Message, office: Office, word: str) -> str:
    return rule.why.format(
        office=office.name or office.id,
        owner=region_name(message.owner),
        region=region_name(message.place.code) if message.place and message.place.code else "",
        category=(message.category.name or message.category.id) if message.category else "",
        channel=message.channel,
        word=word,
    )


def _undecided(
    message: Message,
    assignments: tuple[Assignment, ...],
    candidates: Sequence[OfficeCandidate],
    threshold: float,
    offices: OfficeRegistry,
) -> Decision:
    """By the model, or by the ladder."""
    judged = [(one, _resolve(one, message, offices)) for one in candidates]
    ranked = tuple(Ranked(office.as_value if office else _role(one), one.p) for one, office in judged)
    sure = next((office for one, office in judged if one.p >= threshold and office is not None), None)
    if sure is not None and judged[0][1] is sure:
        p, rule = judged[0][0].p, MODEL
        why = f"Laporan serupa ditangani oleh {sure.name}."
    else:
        sure, why = climb(message, offices)
        p, rule = next((one.p for one, office in judged if office is sure), 0.0), LADDER
    unknown = _UNKNOWN if message.office is not None else ""
    last = Assignment(office=sure.as_value, rule=rule, why=unknown + why)
    others = tuple(a for a in assignments if a.office.id != sure.id)
    ranked = ranked or (Ranked(sure.as_value, p),)
    return Decision((*others, last), 1.0 if others else p, ranked)


def _resolve(candidate: OfficeCandidate, message: Message, offices: OfficeRegistry) -> RegisteredOffice | None:
    if candidate.place is not None:
        return offices.of_place(candidate.place)
    found = offices.find(candidate.role, region_of(message))
    return None if found is None or found.closed else found


def _role(candidate: OfficeCandidate) -> Office:
    """A kind of office that the region's registry does not hold."""
    return Office(id=candidate.role, name=candidate.role.replace("-", " ").title())
