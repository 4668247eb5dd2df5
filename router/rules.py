"""Rules as data: which offices, when, and why in words. `rules.toml` beside this file explains how to write them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from router.index import RuleIndex
from router.rules_faults import Words, as_tuple, check_rules, explain_fault
from schemas import ReportClass

SHIPPED = Path(__file__).with_name("rules.toml")


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Conditions(_Strict, frozen=True, kw_only=True):
    """Conditions; each takes a word or several, of which one must fit."""

    office: Words = ()
    category: Words = ()
    region: Words = ()
    channel: Words = ()
    owner: Words = ()
    report_class: ReportClass | tuple[ReportClass, ...] = msgspec.field(name="class", default=())
    words: Words = ()
    keyword: Words = ()
    hour: Words = ()


class RuleConditions(Conditions, frozen=True, kw_only=True):
    """When a rule fits: all conditions that are given, and none of those under `not`."""

    excluded: Conditions = msgspec.field(name="not", default=Conditions())


class RuleOffice(_Strict, frozen=True, kw_only=True):
    """An office as a rule names it: by id, or the unit of that name in the report's region."""

    id: str = ""
    name: str | None = None
    unit: str = ""


class Rule(_Strict, frozen=True, kw_only=True):
    """One rule."""

    name: str
    when: RuleConditions = RuleConditions()
    office: Literal["named", "owner"] | RuleOffice | tuple[RuleOffice, ...]
    also: bool = False
    """Its offices have the report beside those of the next rule that fits."""
    why: str

    @property
    def offices(self) -> tuple[RuleOffice, ...]:
        """The offices that it names; none for "named" and "owner"."""
        if isinstance(self.office, str):
            return ()
        return self.office if isinstance(self.office, tuple) else (self.office,)


class _File(_Strict, frozen=True, kw_only=True):
    rule: tuple[Rule, ...] = ()


class Rules:
    """The rules in their order, indexed, and their version: equal data, equal version."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.version = sha256(msgspec.json.encode(self.rules)).hexdigest()[:12]
        self.index = RuleIndex([(conditions_of(r.when), conditions_of(r.when.excluded)) for r in self.rules])

    @classmethod
    def load(cls, text: str | None = None) -> Rules:
        """The rules of that TOML text; the shipped ones without. Raises ValueError: one line that names the key and the
        fix."""
        try:
            file = msgspec.toml.decode(SHIPPED.read_bytes() if text is None else text, type=_File)
        except msgspec.ValidationError as error:
            raise ValueError(explain_fault(str(error), _KEYS)) from None
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise ValueError(f"not valid TOML: {' '.join(str(error).split())}") from None
        check_rules(file.rule)
        return cls(file.rule)


_KEYS: dict[str, type[msgspec.Struct]] = {
    "file": _File, "": Rule, "when": RuleConditions, "when.not": Conditions, "office": RuleOffice,
}  # fmt: skip
_FIELDS = tuple((f.name, f.encode_name) for f in msgspec.structs.fields(Conditions))


def conditions_of(conditions: Conditions) -> dict[str, tuple[str, ...]]:
    """The conditions that are given, by key."""
    found = ((key, as_tuple(getattr(conditions, name))) for name, key in _FIELDS)
    return {key: values for key, values in found if values}
