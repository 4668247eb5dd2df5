"""Faults of a file of rules, each as one line that names the rule, the key and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from string import Formatter
from typing import TYPE_CHECKING, get_args

import msgspec

from router.index import hours_of
from router.offices_names import fold
from schemas import ReportClass

if TYPE_CHECKING:
    from router.rules import Conditions, Rule

Words = str | tuple[str, ...]
BLANKS = frozenset({"office", "owner", "region", "category", "channel", "word"})
"""The blanks that a `why` may hold."""
_AT = re.compile(r"(?P<fault>.*?)(?: - at `\$(?:\.rule)?(?:\[(?P<rule>\d+)\])?\.?(?P<key>.*)`)?", re.DOTALL)
_KEY = re.compile(r"Object (?P<fault>contains unknown|missing required) field `(?P<key>.*)`")
_CONDITIONS = "a table of office, category, region, channel, owner, class, words, keyword, hour"
_TAKES = {
    "": "[[rule]] tables and nothing else",
    "rule": "tables written [[rule]]",
    "name": "text",
    "why": "text",
    "office": '{ id = "…", name = "…" } or { unit = "…" }, a list of such, "named" or "owner"',
    "office.id": "text",
    "office.name": "text",
    "office.unit": "text",
    "also": "true or false",
    "when": f"{_CONDITIONS}, not",
    "when.not": _CONDITIONS,
    "when.class": f"{', '.join(get_args(ReportClass))}, or a list of them",
}


def explain_fault(error: str, kinds: Mapping[str, type[msgspec.Struct]]) -> str:
    """What is wrong with the data: which rule, which key, and what it takes. `kinds`: the tables by path."""
    at = _AT.fullmatch(error)
    fault, number, path = (at["fault"], at["rule"], at["key"] or "") if at else (error, None, "")
    rule = f"rule {int(number) + 1}, " if number else ""
    path = re.sub(r"\[\.*\d*\]", "", path)
    if found := _KEY.fullmatch(fault):
        key = f"{path}.{found['key']}".strip(".")
        if found["fault"].startswith("missing"):
            return f"{rule}key `{key}` is missing: it takes {_takes(key)}"
        kind = kinds.get(path, kinds[""]) if number else kinds["file"]
        return f"{rule}key `{key}` is unknown: remove it, or use one of {', '.join(kind.__struct_encode_fields__)}"
    key = path or ("" if number else "rule")
    return f"{rule}key `{key}` takes {_takes(key)}"


def _takes(key: str) -> str:
    key = key.replace("when.not.", "when.")
    return _TAKES.get(key, 'text or a list of texts, as "32" or ["32", "73"]')


def as_tuple(words: Words) -> tuple[str, ...]:
    """The words as a tuple; one word is a tuple of one."""
    return (words,) if isinstance(words, str) else words


def check_rules(rules: Iterable[Rule]) -> None:
    """Raises ValueError."""
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            raise ValueError(f"two rules have the name {rule.name!r}: give each its own")
        names.add(rule.name)
        _check_why(rule)
        _check_offices(rule)
        _check_conditions(rule, "when", rule.when)
        _check_conditions(rule, "when.not", rule.when.excluded)


def _check_offices(rule: Rule) -> None:
    if not isinstance(rule.office, str) and not rule.offices:
        raise ValueError(f"rule {rule.name!r}, key `office` is empty: it takes {_takes('office')}")
    for office in rule.offices:
        if bool(office.id) == bool(office.unit):
            raise ValueError(f"rule {rule.name!r}, key `office`: give each office either an `id` or a `unit`")


def _check_conditions(rule: Rule, path: str, conditions: Conditions) -> None:
    for words in as_tuple(conditions.words):
        if not fold(words):
            raise ValueError(f"rule {rule.name!r}, key `{path}.words`: {words!r} holds no word that can be looked for")
    for hour in as_tuple(conditions.hour):
        if hours_of(hour) is None:
            raise ValueError(f'rule {rule.name!r}, key `{path}.hour`: {hour!r} is no span of hours: write "22-06"')


def _check_why(rule: Rule) -> None:
    for blank in _blanks(rule):
        if blank not in BLANKS:
            allowed = ", ".join(sorted(BLANKS))
            raise ValueError(f"rule {rule.name!r}, key `why`: no value for {{{blank}}}; there are {allowed}")


def _blanks(rule: Rule) -> list[str]:
    try:
        return [
            name + (":" if form or turn else "")
            for _, name, form, turn in Formatter().parse(rule.why)
            if name is not None
        ]
    except ValueError as error:
        raise ValueError(f"rule {rule.name!r}, key `why`: {error}; write {{{{ for a brace") from None
