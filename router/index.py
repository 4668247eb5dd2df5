"""Which rules fit a report, without asking each: every rule lies under the rarest of its conditions.

A report is a set of values by key (`Facts`), a rule a set of wanted values by key. 2,000 rules then cost little more
than 20: only those are asked that lie under a value that the report has (`bench/routing.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from router.offices_names import fold

Wanted = Mapping[str, tuple[str, ...]]
_WEIGHTS = {"words": 30}
"""How many values a report has under a key, about."""
_HOURS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?", re.ASCII)


class Facts(NamedTuple):
    """What rules look at, of one report."""

    values: Mapping[str, Sequence[str]]
    """By key the values that fit it; of a region code all codes around it too."""
    words: Sequence[str]
    """The folded words."""
    text: str
    """The same in one, with a blank before and after each."""


class _Conditions(NamedTuple):
    values: tuple[tuple[str, frozenset[str]], ...]
    phrases: tuple[tuple[str, str], ...]
    """Folded, with blanks around; and as written in the rule."""


class _Compiled(NamedTuple):
    wanted: _Conditions
    excluded: _Conditions | None


class RuleIndex:
    """Rules by position."""

    def __init__(self, rules: Sequence[tuple[Wanted, Wanted]]) -> None:
        self._rules = [
            _Compiled(_compile(wanted), _compile(excluded) if excluded else None) for wanted, excluded in rules
        ]
        self._always: list[int] = []
        self._under: dict[str, dict[str, list[int]]] = {}
        self._phrases: dict[str | tuple[str, str], list[int]] = {}
        """By the first two words of a rule's phrase, or its only one."""
        keys = [_keys(rule.wanted) for rule in self._rules]
        self.keys = frozenset(
            key for wanted, excluded in rules for conditions in (wanted, excluded) for key in conditions
        )
        """The keys that any rule looks at."""
        rules_of = Counter((key, value) for found in keys for key, values in found.items() for value in values)
        for position, found in enumerate(keys):
            if not found:
                self._always.append(position)
                continue
            key = min(found, key=lambda key: _WEIGHTS.get(key, 1) * max(rules_of[key, value] for value in found[key]))
            for value in found[key]:
                if key == "words":
                    self._phrases.setdefault(_first_two(value), []).append(position)
                else:
                    self._under.setdefault(key, {}).setdefault(value, []).append(position)

    def fitting(self, facts: Facts) -> Iterator[int]:
        """Positions of the rules that fit, in order."""
        fits = self.fits
        for position in self._candidates(facts):
            if fits(position, facts):
                yield position

    def fits(self, position: int, facts: Facts) -> bool:
        """Whether all conditions of the rule fit, and none of those that it excludes."""
        wanted, excluded = self._rules[position]
        for key, values in wanted.values:
            if key not in facts.values or values.isdisjoint(facts.values[key]):
                return False
        if wanted.phrases and not _stands_in(facts.text, wanted.phrases):
            return False
        return excluded is None or not _any_fits(excluded, facts)

    def word(self, position: int, facts: Facts) -> str:
        """The first of the rule's words that stands in the text, as the rule has it; "" for a rule without words."""
        phrases = self._rules[position].wanted.phrases
        return next((written for phrase, written in phrases if phrase in facts.text), "")

    def _candidates(self, facts: Facts) -> list[int]:
        found: set[int] = set(self._always)
        for key, rules in self._under.items():
            for value in facts.values.get(key, ()):
                if value in rules:
                    found.update(rules[value])
        words, phrases = facts.words, self._phrases
        if phrases:
            for phrase in phrases.keys() & chain(words, pairwise(words)):
                found.update(phrases[phrase])
        return sorted(found)


def _any_fits(conditions: _Conditions, facts: Facts) -> bool:
    for key, values in conditions.values:
        if not values.isdisjoint(facts.values.get(key, ())):
            return True
    return _stands_in(facts.text, conditions.phrases)


def _stands_in(text: str, phrases: tuple[tuple[str, str], ...]) -> bool:
    for phrase, _ in phrases:  # noqa: SIM110 - `any` takes twice as long here
        if phrase in text:
            return True
    return False


def _compile(wanted: Wanted) -> _Conditions:
    values = tuple((key, _values(key, values)) for key, values in wanted.items() if key != "words")
    return _Conditions(values, tuple((f" {' '.join(fold(w))} ", w) for w in wanted.get("words", ())))


def _values(key: str, values: tuple[str, ...]) -> frozenset[str]:
    if key == "hour":
        return frozenset(hour for span in values for hour in hours_of(span) or ())
    return frozenset(value.casefold() for value in values) if key == "keyword" else frozenset(values)


def _keys(wanted: _Conditions) -> dict[str, frozenset[str]]:
    """By key the values under which the rule can lie; of a phrase its first two words."""
    found = dict(wanted.values)
    if wanted.phrases:
        found["words"] = frozenset(" ".join(phrase.split()[:2]) for phrase, _ in wanted.phrases)
    return found


def _first_two(phrase: str) -> str | tuple[str, str]:
    first, _, second = phrase.partition(" ")
    return (first, second) if second else first


def facts_about(values: Mapping[str, Sequence[str]], words: Sequence[str]) -> Facts:
    """The facts of a report; `words` are folded."""
    return Facts(values, words, f" {' '.join(words)} ")


def hours_of(span: str) -> list[str] | None:
    """The hours of "22-06": from 22:00 until before 06:00; "8" is that hour. None: it is no such span."""
    found = _HOURS.fullmatch(span)
    if found is None:
        return None
    first, end = int(found[1]), int(found[2]) if found[2] else (int(found[1]) + 1) % 24
    if first > 23 or end > 24:
        return None
    length = (end - first) % 24 or 24
    return [str((first + n) % 24) for n in range(length)]
