"""A plain table for people: the first column to the left, figures to the right."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of equal columns, a heading first."""
    wide = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "".join(_line(row, wide) + "\n" for row in (head, *rows))


def _line(row: Sequence[str], wide: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, wide, strict=True))
    )
    return "  ".join((first, *rest))
