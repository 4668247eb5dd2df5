"""The demo's live table: door by door, what was sent and what became of it."""

from __future__ import annotations

import sys
from collections import Counter

from hub.commands._table import table

COLUMNS = ("sent", "refused at the door", "recorded", "added", "redelivered", "refused", "dead", "on the road")


class Board:
    """On a terminal one table that changes in place; elsewhere a line whenever something is new."""

    def __init__(self) -> None:
        self._count: dict[str, Counter[str]] = {}
        self._live = sys.stderr.isatty()
        self._drawn = 0
        self._last = ""

    def add(self, door: str, column: str, by: int = 1) -> None:
        """Count something."""
        self._count.setdefault(door, Counter())[column] += by

    def show(self) -> None:
        """Draw it as it stands."""
        if self._live:
            back = f"\x1b[{self._drawn}A\x1b[J" if self._drawn else ""
            drawn = table(("door", *COLUMNS), self._rows())
            self._drawn = drawn.count("\n")
            sys.stderr.write(back + drawn)
        elif (line := self._line()) != self._last:
            self._last = line
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def _rows(self) -> list[list[str]]:
        total: Counter[str] = sum(self._count.values(), Counter())
        return [_row(door, count) for door, count in (*sorted(self._count.items()), ("all", total))]

    def _line(self) -> str:
        total: Counter[str] = sum(self._count.values(), Counter())
        return ", ".join(f"{_cell(total, column)} {column}" for column in COLUMNS)


def _row(door: str, count: Counter[str]) -> list[str]:
    return [door, *(str(_cell(count, column)) for column in COLUMNS)]


def _cell(count: Counter[str], column: str) -> int:
    return max(0, _open(count)) if column == "on the road" else count[column]


def _open(count: Counter[str]) -> int:
    return count["sent"] - sum(count[column] for column in COLUMNS[1:-1])
