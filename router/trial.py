"""Rules tried on what came in: which reports would have gone elsewhere, and what officers' decisions say about that.

Nothing is changed by it. Offices are those of today under both sets of rules, so that only the rules differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from router._port import OfficeModel
from router.decide import LADDER, Decision, decide
from router.offices import OfficeRegistry
from router.rules import Rules
from schemas import Message

EXAMPLES = 20
Ids = tuple[str, ...]


class PastReport(NamedTuple):
    """A report of the record: its number, its words, and the offices that officers settled on, where they did."""

    number: str
    message: Message
    settled: Collection[str] = ()


class Cell(NamedTuple):
    """Reports that would go from these offices to those."""

    before: Ids
    after: Ids
    reports: int
    numbers: tuple[str, ...]
    """The first twenty."""


class Judged(NamedTuple):
    """Of the reports on which officers decided, how many each set of rules brings to the right office at once."""

    reports: int
    right_now: int
    right_then: int


class Trial:
    """Fed with reports; then asked."""

    def __init__(self, now: Rules, then: Rules, offices: OfficeRegistry, model: OfficeModel | None = None) -> None:
        self._rules, self._offices, self._model = (now, then), offices, model
        self._counts: Counter[tuple[Ids, Ids]] = Counter()
        self._numbers: dict[tuple[Ids, Ids], list[str]] = {}
        self._fired: Counter[str] = Counter()
        self._judged = Judged(0, 0, 0)
        self.newly_sure = self.newly_unsure = 0
        """Reports that left the ladder for a rule, and the other way."""

    def add(self, reports: Sequence[PastReport]) -> None:
        """Route these by both."""
        messages = [report.message for report in reports]
        now, then = (decide(messages, rules, self._offices, self._model) for rules in self._rules)
        for report, before, after in zip(reports, now, then, strict=True):
            self._compare(report, before, after)

    @property
    def reports(self) -> int:
        """How many there were."""
        return self._counts.total()

    @property
    def moved(self) -> list[Cell]:
        """The matrix without its diagonal, the fullest cells first."""
        cells = [
            Cell(*key, count, tuple(self._numbers[key])) for key, count in self._counts.items() if key[0] != key[1]
        ]
        return sorted(cells, key=lambda cell: (-cell.reports, cell.before, cell.after))

    @property
    def judged(self) -> Judged:
        """By officers' later decisions."""
        return self._judged

    def never_fired(self) -> list[str]:
        """Names of the new rules that chose no office."""
        return [rule.name for rule in self._rules[1].rules if not self._fired[rule.name]]

    def _compare(self, report: PastReport, before: Decision, after: Decision) -> None:
        key = _ids(before), _ids(after)
        self._counts[key] += 1
        numbers = self._numbers.setdefault(key, [])
        if len(numbers) < EXAMPLES:
            numbers.append(report.number)
        self._fired.update(a.rule or "" for a in after.assignments)
        was, is_ = (any(a.rule == LADDER for a in decision.assignments) for decision in (before, after))
        self.newly_sure += was and not is_
        self.newly_unsure += is_ and not was
        if report.settled:
            right_now, right_then = (ids[0] in report.settled for ids in key)
            judged = self._judged
            self._judged = Judged(judged.reports + 1, judged.right_now + right_now, judged.right_then + right_then)


def _ids(decision: Decision) -> Ids:
    return tuple(assignment.office.id for assignment in decision.assignments)
