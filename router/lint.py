"""Faults that rules and offices can have though each by itself can be read: what never fires, what leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from router.index import hours_of
from router.offices import OfficeRegistry
from router.offices_names import fold
from router.offices_types import is_code
from router.regions import region_name
from router.rules import Rule, Rules, conditions_of
from schemas.regions import is_inside, region_names

Wanted = Mapping[str, tuple[str, ...]]


class Fault(NamedTuple):
    """One line. `serious`: a report would go astray or a rule is of no use; else only a remark."""

    about: str
    """ "rule NAME", "office ID", "region CODE" or "alias WORDS"."""
    fault: str
    serious: bool = True


def lint(rules: Rules, offices: OfficeRegistry) -> list[Fault]:
    """What should be mended, rules first."""
    return [*_rule_faults(rules, offices), *_unreachable(rules), *_region_faults(offices), *_alias_faults(offices)]


def _rule_faults(rules: Rules, offices: OfficeRegistry) -> Iterator[Fault]:
    for rule in rules.rules:
        for wanted in rule.offices:
            yield from _office_faults(rule, wanted.id, wanted.unit, offices)
        conditions = (conditions_of(rule.when), conditions_of(rule.when.excluded))
        for id in (id for wanted in conditions for id in wanted.get("office", ()) if id not in offices):
            yield Fault(f"rule {rule.name}", f"asks for the office {id}, which is not in the registry")
        for code in (code for wanted in conditions for code in wanted.get("region", ()) if not is_code(code)):
            yield Fault(f"rule {rule.name}", f"asks for the region {code}, which does not exist")


def _office_faults(rule: Rule, id: str, unit: str, offices: OfficeRegistry) -> Iterator[Fault]:
    about = f"rule {rule.name}"
    if unit:
        if not offices.names.knows(unit):
            yield Fault(about, f"no region has a unit called {unit}")
    elif id not in offices:
        yield Fault(about, f"the office {id} is not in the registry")
    elif offices[id].closed:
        yield Fault(about, f"the office {id} is closed, so that the one above gets the reports")


def _unreachable(rules: Rules) -> Iterator[Fault]:
    """Rules that can never fire: behind one that always fires first, or against themselves."""
    sure: list[tuple[Rule, Wanted, Wanted]] = []
    for rule in rules.rules:
        wanted, excluded = conditions_of(rule.when), conditions_of(rule.when.excluded)
        if any(_includes(key, excluded[key], values) for key, values in wanted.items() if key in excluded):
            yield Fault(f"rule {rule.name}", "can never fire: its `not` excludes all that it asks for")
            continue
        before = next((earlier for earlier, *its in sure if _covers(its[0], its[1], wanted, excluded)), None)
        if before is not None:
            yield Fault(f"rule {rule.name}", f"can never fire: rule {before.name} always fires before it")
        elif not rule.also and rule.offices and any(wanted.id for wanted in rule.offices):
            sure.append((rule, wanted, excluded))


def _covers(wanted: Wanted, excluded: Wanted, later: Wanted, later_excluded: Wanted) -> bool:
    """Whether an earlier rule fits wherever the later one does."""
    return all(key in later and _includes(key, values, later[key]) for key, values in wanted.items()) and all(
        key in later_excluded and _includes(key, later_excluded[key], values) for key, values in excluded.items()
    )


def _includes(key: str, wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Whether whatever fits one of the narrow values fits one of the wide ones."""
    if key == "region":
        return all(any(is_inside(code, around) for around in wide) for code in narrow)
    if key == "words":
        return all(any(_phrase(words) in _phrase(longer) for words in wide) for longer in narrow)
    if key == "hour":
        return _hours(narrow) <= _hours(wide)
    if key == "keyword":
        return {word.casefold() for word in narrow} <= {word.casefold() for word in wide}
    return set(narrow) <= set(wide)


@lru_cache(maxsize=16_384)
def _phrase(words: str) -> str:
    return f" {' '.join(fold(words))} "


def _hours(spans: tuple[str, ...]) -> set[str]:
    return {hour for span in spans for hour in hours_of(span) or ()}


def _region_faults(offices: OfficeRegistry) -> Iterator[Fault]:
    for code in region_names():
        if offices.coordinator(code).region != code:
            above = offices.coordinator(code).name
            yield Fault(f"region {code}", f"{region_name(code)} has no coordinator: its reports go to {above}")
    for region, ids in offices.rival_coordinators().items():
        yield Fault(f"region {region}", f"has several coordinators: {', '.join(ids)}")


def _alias_faults(offices: OfficeRegistry) -> Iterator[Fault]:
    for phrase, ids in offices.names.given.items():
        if len(ids) > 1 and _overlap(sorted(ids), offices):
            yield Fault(
                f"alias {phrase}", f"could be any of {', '.join(sorted(ids)[:5])}: it is resolved to none", False
            )


def _overlap(ids: list[str], offices: OfficeRegistry) -> bool:
    """Whether two of them serve one place, so that the place does not tell them apart."""
    regions = [region for id in ids for region in offices[id].regions or ("",)]
    seen: set[str] = set()
    for region in sorted(regions):
        parts = region.split(".")
        if any(".".join(parts[:n]) in seen for n in range(len(parts) + 1)):
            return True
        seen.add(region)
    return False
