"""Rules as data: which office, when, and why in words. `rules.toml` beside this file tells how to write them."""

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
"""What a `why` may leave blank."""

Words = str | tuple[str, ...]


class WrongRules(ValueError):  # noqa: N818 - it says what is wrong
    """The rules cannot be used: one line that names the key and the fix; who loads them names the file."""


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class When(_Strict, frozen=True, kw_only=True):
    """What must fit: all that are given, one of each."""

    office: Words = ()
    category: Words = ()
    region: Words = ()
    channel: Words = ()
    owner: Words = ()
    report_class: ReportClass | tuple[ReportClass, ...] = msgspec.field(name="class", default=())
    words: Words = ()


class Desk(_Strict, frozen=True, kw_only=True):
    """An office as a rule names it."""

    id: str
    name: str | None = None


class Rule(_Strict, frozen=True, kw_only=True):
    """One rule."""

    name: str
    when: When = When()
    office: Literal["named", "owner"] | Desk
    why: str


class _Book(_Strict, frozen=True, kw_only=True):
    rule: tuple[Rule, ...] = ()


class Rules:
    """The rules in their order, and their version: equal data, equal version."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.version = sha256(msgspec.json.encode(self.rules)).hexdigest()[:12]
        self.words = tuple(_any_of(listed(rule.when.words)) for rule in self.rules)

    @classmethod
    def load(cls, path: Path | None = None) -> Rules:
        """The rules of that file; of the shipped one without. Raises WrongRules."""
        try:
            book = msgspec.toml.decode((path or SHIPPED).read_bytes(), type=_Book)
        except msgspec.ValidationError as error:
            raise WrongRules(_in_words(str(error))) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise WrongRules(f"not valid TOML: {' '.join(str(error).split())}") from None
        except OSError as error:
            raise WrongRules(f"cannot be read: {error.strerror}") from None
        _check(book.rule)
        return cls(book.rule)


_AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?:\.rule)?(?:\[(?P<rule>\d+)\])?\.?(?P<key>.*)`)?", re.DOTALL)
_KEY = re.compile(r"Object (?P<fault>contains unknown|missing required) field `(?P<key>.*)`")
_TAKES = {
    "": "[[rule]] tables and nothing else",
    "rule": "tables written [[rule]]",
    "name": "text",
    "why": "text",
    "office": '{ id = "…", name = "…" }, "named" or "owner"',
    "office.id": "text",
    "office.name": "text",
    "when": f"a table of {', '.join(f.encode_name for f in msgspec.structs.fields(When))}",
    "when.class": f"{', '.join(get_args(ReportClass))}, or a list of them",
}
_KEYS: dict[str, type[_Strict]] = {"": Rule, "when": When, "office": Desk}


def _in_words(error: str) -> str:
    """What is wrong with the data: which rule, which key, and what it takes."""
    at = _AT.fullmatch(error)
    what, number, place = (at["what"], at["rule"], at["key"] or "") if at else (error, None, "")
    rule = f"rule {int(number) + 1}, " if number else ""
    if found := _KEY.fullmatch(what):
        key = f"{place}.{found['key']}".strip(".")
        if found["fault"].startswith("missing"):
            return f"{rule}key `{key}` is missing: it takes {_takes(key)}"
        kind = _KEYS.get(place, Rule) if number else _Book
        return f"{rule}key `{key}` is unknown: remove it, or use one of {', '.join(kind.__struct_encode_fields__)}"
    key = re.sub(r"\[\.*\d*\]", "", place) or ("" if number else "rule")
    return f"{rule}key `{key}` takes {_takes(key)}"


def _takes(key: str) -> str:
    return _TAKES.get(key, 'text or a list of texts, as "32" or ["32", "73"]')


def listed(words: Words) -> tuple[str, ...]:
    """One word is a list of one."""
    return (words,) if isinstance(words, str) else words


def _check(rules: Iterable[Rule]) -> None:
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            raise WrongRules(f"two rules have the name {rule.name!r}: give each its own")
        names.add(rule.name)
        for blank in _blanks(rule):
            if blank not in BLANKS:
                allowed = ", ".join(sorted(BLANKS))
                raise WrongRules(f"rule {rule.name!r}, key `why`: no value for {{{blank}}}; there are {allowed}")


def _blanks(rule: Rule) -> list[str]:
    try:
        return [
            name + (":" if form or turn else "")
            for _, name, form, turn in Formatter().parse(rule.why)
            if name is not None
        ]
    except ValueError as error:
        raise WrongRules(f"rule {rule.name!r}, key `why`: {error}; write {{{{ for a brace") from None


def _any_of(words: tuple[str, ...]) -> re.Pattern[str] | None:
    if not words:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
