"""The demo's live table: by account, what was sent and what became of it."""

from __future__ import annotations

import sys
from collections import Counter

from hub.commands._table import format_table

COLUMNS = ("sent", "forged", "recorded", "added", "asked", "redelivered", "refused", "dead", "in flight")
"""`forged`: refused at the ingress, as it must be."""


class ProgressBoard:
    """On a terminal one table that changes in place; elsewhere a line whenever something is new."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self._live = sys.stderr.isatty()
        self._drawn_lines = 0
        self._last_line = ""

    def add(self, account: str, column: str) -> None:
        """Count one item."""
        self._counts.setdefault(account, Counter())[column] += 1

    def show(self) -> None:
        """Draw it as it is now."""
        if self._live:
            back = f"\x1b[{self._drawn_lines}A\x1b[J" if self._drawn_lines else ""
            drawn = format_table(("account", *COLUMNS), self._rows())
            self._drawn_lines = drawn.count("\n")
            sys.stderr.write(back + drawn)
        elif (line := self._line()) != self._last_line:
            self._last_line = line
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def _rows(self) -> list[list[str]]:
        return [_row(name, counts) for name, counts in (*sorted(self._counts.items()), ("all", self._total()))]

    def _line(self) -> str:
        total = self._total()
        return ", ".join(f"{_cell(total, column)} {column}" for column in COLUMNS)

    def _total(self) -> Counter[str]:
        return sum(self._counts.values(), Counter())


def _row(name: str, counts: Counter[str]) -> list[str]:
    return [name, *(str(_cell(counts, column)) for column in COLUMNS)]


def _cell(counts: Counter[str], column: str) -> int:
    if column != COLUMNS[-1]:
        return counts[column]
    return max(0, counts["sent"] - sum(counts[column] for column in COLUMNS[1:-1]))
