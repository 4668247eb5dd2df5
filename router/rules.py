"""Rules as data: which offices, when, and why in words. `rules.toml` beside this file explains how to write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from string import Formatter
from typing import Literal, get_args

import msgspec

from schemas import ReportClass

SHIPPED = Path(__file__).with_name("rules.toml")
BLANKS = frozenset({"office", "owner", "region", "category", "channel", "word"})
"""The blanks that a `why` may hold."""

Words = str | tuple[str, ...]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class RuleConditions(_Strict, frozen=True, kw_only=True):
    """When a rule fits: all conditions that are given, by one word of each."""

    office: Words = ()
    category: Words = ()
    region: Words = ()
    channel: Words = ()
    owner: Words = ()
    report_class: ReportClass | tuple[ReportClass, ...] = msgspec.field(name="class", default=())
    words: Words = ()


class RuleOffice(_Strict, frozen=True, kw_only=True):
    """An office as a rule names it."""

    id: str
    name: str | None = None


class Rule(_Strict, frozen=True, kw_only=True):
    """One rule."""

    name: str
    when: RuleConditions = RuleConditions()
    office: Literal["named", "owner"] | RuleOffice | tuple[RuleOffice, ...]
    also: bool = False
    """Its offices have the report beside those of the next rule that fits."""
    why: str


class _File(_Strict, frozen=True, kw_only=True):
    rule: tuple[Rule, ...] = ()


class Rules:
    """The rules in their order, and their version: equal data, equal version."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.version = sha256(msgspec.json.encode(self.rules)).hexdigest()[:12]
        self.words = tuple(_any_of(as_tuple(rule.when.words)) for rule in self.rules)

    @classmethod
    def load(cls, text: str | None = None) -> Rules:
        """The rules of that TOML text; the shipped ones without. Raises ValueError: one line that names the key and the
        fix."""
        try:
            file = msgspec.toml.decode(SHIPPED.read_bytes() if text is None else text, type=_File)
        except msgspec.ValidationError as error:
            raise ValueError(_in_words(str(error))) from None
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise ValueError(f"not valid TOML: {' '.join(str(error).split())}") from None
        _check(file.rule)
        return cls(file.rule)


_AT = re.compile(r"(?P<fault>.*?)(?: - at `\$(?:\.rule)?(?:\[(?P<rule>\d+)\])?\.?(?P<key>.*)`)?", re.DOTALL)
_KEY = re.compile(r"Object (?P<fault>contains unknown|missing required) field `(?P<key>.*)`")
_TAKES = {
    "": "[[rule]] tables and nothing else",
    "rule": "tables written [[rule]]",
    "name": "text",
    "why": "text",
    "office": '{ id = "…", name = "…" }, a list of such, "named" or "owner"',
    "office.id": "text",
    "also": "true or false",
    "office.name": "text",
    "when": f"a table of {', '.join(f.encode_name for f in msgspec.structs.fields(RuleConditions))}",
    "when.class": f"{', '.join(get_args(ReportClass))}, or a list of them",
}
_KEYS: dict[str, type[_Strict]] = {"": Rule, "when": RuleConditions, "office": RuleOffice}


def _in_words(error: str) -> str:
    """What is wrong with the data: which rule, which key, and what it takes."""
    at = _AT.fullmatch(error)
    fault, number, path = (at["fault"], at["rule"], at["key"] or "") if at else (error, None, "")
    rule = f"rule {int(number) + 1}, " if number else ""
    if found := _KEY.fullmatch(fault):
        key = f"{path}.{found['key']}".strip(".")
        if found["fault"].startswith("missing"):
            return f"{rule}key `{key}` is missing: it takes {_takes(key)}"
        kind = _KEYS.get(path, Rule) if number else _File
        return f"{rule}key `{key}` is unknown: remove it, or use one of {', '.join(kind.__struct_encode_fields__)}"
    key = re.sub(r"\[\.*\d*\]", "", path) or ("" if number else "rule")
    return f"{rule}key `{key}` takes {_takes(key)}"


def _takes(key: str) -> str:
    return _TAKES.get(key, 'text or a list of texts, as "32" or ["32", "73"]')


def as_tuple(words: Words) -> tuple[str, ...]:
    """The words as a tuple; one word is a tuple of one."""
    return (words,) if isinstance(words, str) else words


def _check(rules: Iterable[Rule]) -> None:
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            raise ValueError(f"two rules have the name {rule.name!r}: give each its own")
        names.add(rule.name)
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


def _any_of(words: tuple[str, ...]) -> re.Pattern[str] | None:
    if not words:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
