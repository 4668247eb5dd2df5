"""The router's stage: Matched to Routed. A new report gets its offices, and every event the answer that is owed."""

from __future__ import annotations

from collections.abc import Sequence

from router._port import OfficeModel
from router.answers import plan_answer
from router.decide import decide
from router.offices import OfficeRegistry, shipped_registry
from router.rules import Rules
from schemas import Matched, Routed


def route(
    matched: Sequence[Matched], rules: Rules, offices: OfficeRegistry | None = None, model: OfficeModel | None = None
) -> list[Routed]:
    """Each event once, in order; offices for those that opened a report. Without `offices`: the shipped ones."""
    offices = offices or shipped_registry()
    opened = [one.message for one in matched if one.outcome == "recorded" and one.message is not None]
    decisions = iter(decide(opened, rules, offices, model))
    version = routing_version(rules, offices, model)
    return [
        Routed(
            matched=one,
            assignments=next(decisions).assignments if one.outcome == "recorded" and one.message is not None else (),
            rules=version,
            owed=plan_answer(one),
        )
        for one in matched
    ]


def routing_version(rules: Rules, offices: OfficeRegistry, model: OfficeModel | None) -> str:
    """The versions of all that decides."""
    return "/".join((rules.version, offices.version, *([model.version] if model is not None else [])))
