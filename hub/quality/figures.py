"""Figures and their 95 % intervals, and the tables that they are shown in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from normalizer.models.calibration import wilson

Z = 1.96


class Share(NamedTuple):
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %."""
        return wilson(self.hits, self.of, Z)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] of {self.of}" if self.of else "no rows"


def share(flags: Iterable[bool]) -> Share:
    """How many are true."""
    found = list(flags)
    return Share(sum(found), len(found))


class F1(NamedTuple):
    """Precision and recall of one class."""

    precision: Share
    recall: Share

    @property
    def value(self) -> float:
        p, r = self.precision.value, self.recall.value
        return 2 * p * r / (p + r) if p + r else 0.0


def f1(truth: Sequence[str], said: Sequence[str], name: str) -> F1:
    """Of the class of that name."""
    both = sum(t == s == name for t, s in zip(truth, said, strict=True))
    return F1(Share(both, sum(s == name for s in said)), Share(both, sum(t == name for t in truth)))


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """The mean over the classes of the truth."""
    names = sorted(set(truth))
    return sum(f1(truth, said, name).value for name in names) / max(1, len(names))


class Line(NamedTuple):
    """A line of the table: what was measured, what came out, and what was wanted."""

    what: str
    found: str
    must: str = ""
    stretch: str = ""


def as_markdown(lines: Iterable[Line]) -> str:
    """A table."""
    rows = [Line("what", "found", "must", "stretch"), Line("---", "---", "---", "---"), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
