"""The switchboard's stage: Complaint to Routed. Only what opens a report is routed; the rest passes as it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from router.regions import spoken
from router.rules import Rule, Rules, When, listed
from schemas import Complaint, Message, Office, Routed

FRONT_DESK = Office(id="meja-depan", name="Meja Depan")
"""Reads what no rule fits, so that nobody is turned away."""
_NO_RULE = "Belum ada aturan yang cocok, maka laporan dibaca dan diteruskan oleh Meja Depan."


class Choice(NamedTuple):
    """An office, by which rule, and why."""

    office: Office
    rule: str
    why: str


def route(complaints: Sequence[Complaint], rules: Rules) -> list[Routed]:
    """Every complaint once, in order; an office for those that were recorded."""
    return [_routed(complaint, rules) for complaint in complaints]


def _routed(complaint: Complaint, rules: Rules) -> Routed:
    if complaint.outcome != "recorded":
        return Routed(complaint=complaint, rules=rules.version)
    office, rule, why = choose(complaint.message, rules)
    return Routed(complaint=complaint, office=office, rule=rule, why=why, rules=rules.version)


def choose(message: Message, rules: Rules) -> Choice:
    """The first rule that fits and has an office to name."""
    for rule, words in zip(rules.rules, rules.words, strict=True):
        if not _fits(rule.when, message):
            continue
        word = words.search(f"{message.title}\n{message.read}") if words else None
        if words and not word:
            continue
        if office := _office(rule, message):
            return Choice(office, rule.name, _why(rule, message, office, word[0] if word else ""))
    return Choice(FRONT_DESK, "front-desk", _NO_RULE)


def _fits(when: When, message: Message) -> bool:
    return (
        _one(when.office, message.office.id if message.office else None)
        and _one(when.category, message.category.id if message.category else None)
        and _one(when.channel, message.channel)
        and _one(when.owner, message.owner)
        and _one(when.report_class, message.report_class)
        and _within(when.region, message.place.code if message.place else None)
    )


def _one(wanted: str | tuple[str, ...], value: str | None) -> bool:
    return not wanted or value in listed(wanted)


def _within(wanted: str | tuple[str, ...], code: str | None) -> bool:
    return not wanted or (code is not None and any(f"{code}.".startswith(f"{w}.") for w in listed(wanted)))


def _office(rule: Rule, message: Message) -> Office | None:
    if rule.office == "named":
        return message.office
    if rule.office == "owner":
        return front_desk_of(message.owner) if message.owner else None
    return Office(id=rule.office.id, name=rule.office.name)


def front_desk_of(owner: str) -> Office:
    """The owner's own front desk."""
    return Office(id=f"{FRONT_DESK.id}/{owner}", name=f"{FRONT_DESK.name} {spoken(owner)}")


def _why(rule: Rule, message: Message, office: Office, word: str) -> str:
    return rule.why.format(
        office=office.name or office.id,
        owner=spoken(message.owner),
        region=spoken(message.place.code) if message.place and message.place.code else "",
        category=(message.category.name or message.category.id) if message.category else "",
        channel=message.channel,
        word=word,
    )
