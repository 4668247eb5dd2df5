"""A plain table for people: the first column to the left, figures to the right."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hub.commands import print_json, print_message


def print_rows(rows: Sequence[Mapping[str, Any]], shown: Sequence[str], limit: int) -> None:
    """A JSON line each; on a terminal a table of the `shown` columns. Where the limit may have cut them, it is said."""
    if sys.stdout.isatty():
        sys.stdout.write(format_table(shown, [[str(row.get(name) or "") for name in shown] for row in rows]))
    else:
        for row in rows:
            print_json(row)
    if len(rows) >= limit:
        print_message(f"these are {limit:,}, and there may be more: ask for them with --limit")


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of equal columns, a heading first."""
    wide = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "".join(_line(row, wide) + "\n" for row in (head, *rows))


def _line(row: Sequence[str], wide: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, wide, strict=True))
    )
    return "  ".join((first, *rest))
