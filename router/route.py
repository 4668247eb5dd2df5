"""The router's stage: Matched to Routed. A new report gets its offices, and every event the answer that is owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router.answers import plan_answer
from router.regions import NATION, region_name
from router.rules import Rule, RuleConditions, Rules, as_tuple
from schemas import Assignment, Matched, Message, Office, Routed

FRONT_DESK = Office(id="meja-layanan", name="Meja Layanan")
"""Reads every report that no rule fits, so that nobody is turned away."""
_NO_RULE = "Belum ada aturan yang sesuai, sehingga laporan ditelaah dan diteruskan oleh {office}."


def route(matched: Sequence[Matched], rules: Rules) -> list[Routed]:
    """Each event once, in order; offices for those that opened a report."""
    return [
        Routed(matched=one, assignments=_assignments(one, rules), rules=rules.version, owed=plan_answer(one))
        for one in matched
    ]


def _assignments(matched: Matched, rules: Rules) -> tuple[Assignment, ...]:
    if matched.outcome != "recorded" or matched.message is None:
        return ()
    chosen: dict[str, Assignment] = {}
    for assignment in _chosen(matched.message, rules):
        chosen.setdefault(assignment.office.id, assignment)
    return tuple(chosen.values())


def _chosen(message: Message, rules: Rules) -> Iterator[Assignment]:
    """The assignments of the rules that fit, up to the first that does not say `also`."""
    for rule, words in zip(rules.rules, rules.words, strict=True):
        word = words.search(f"{message.title}\n{message.clean_text}") if words else None
        if not _fits(rule.when, message) or (words and not word):
            continue
        offices = _offices(rule, message)
        for office in offices:
            yield Assignment(office=office, rule=rule.name, why=_why(rule, message, office, word[0] if word else ""))
        if offices and not rule.also:
            return
    yield Assignment(office=FRONT_DESK, rule="front-desk", why=_NO_RULE.format(office=FRONT_DESK.name))


def _fits(when: RuleConditions, message: Message) -> bool:
    return (
        _is_one_of(when.office, message.office.id if message.office else None)
        and _is_one_of(when.category, message.category.id if message.category else None)
        and _is_one_of(when.channel, message.channel)
        and _is_one_of(when.owner, message.owner)
        and _is_one_of(when.report_class, message.report_class)
        and _is_within(when.region, message.place.code if message.place else None)
    )


def _is_one_of(wanted: str | tuple[str, ...], value: str | None) -> bool:
    return not wanted or value in as_tuple(wanted)


def _is_within(wanted: str | tuple[str, ...], code: str | None) -> bool:
    return not wanted or (code is not None and any(f"{code}.".startswith(f"{w}.") for w in as_tuple(wanted)))


def _offices(rule: Rule, message: Message) -> list[Office]:
    if rule.office == "named":
        return [message.office] if message.office else []
    if rule.office == "owner":
        return [front_desk_of(message.owner)] if message.owner else []
    offices = rule.office if isinstance(rule.office, tuple) else (rule.office,)
    return [Office(id=office.id, name=office.name) for office in offices]


def front_desk_of(owner: str) -> Office:
    """The owner's own front desk."""
    name = "Nasional" if owner == NATION else region_name(owner)
    return Office(id=f"{FRONT_DESK.id}/{owner}", name=f"{FRONT_DESK.name} {name}")


def _why(rule: Rule, message: Message, office: Office, word: str) -> str:
    return rule.why.format(
        office=office.name or office.id,
        owner=region_name(message.owner),
        region=region_name(message.place.code) if message.place and message.place.code else "",
        category=(message.category.name or message.category.id) if message.category else "",
        channel=message.channel,
        word=word,
    )
