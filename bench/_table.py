"""Runs of a benchmark as the rows of a table, with their medians."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence

from bench._programs import machine


def options(runs: int = 5, **defaults: float | str) -> argparse.Namespace:
    """The options of a benchmark: `--runs`, and one for each default, of its type."""
    parser = argparse.ArgumentParser()
    for name, default in {"runs": runs, **defaults}.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"[{default}]")
    return parser.parse_args()


def tabulate(columns: Mapping[str, str], run: Callable[[int], Sequence[float]], runs: int) -> None:
    """Print a row for each run, numbered from 0, and the medians. `columns`: heading to format."""
    print(machine())
    print("run  " + "  ".join(columns))
    rows: list[Sequence[float]] = []
    for n in range(runs):
        rows.append(run(n))
        _print(str(n + 1), columns, rows[-1])
    _print("med", columns, [statistics.median(column) for column in zip(*rows, strict=True)])


def _print(name: str, columns: Mapping[str, str], row: Sequence[float]) -> None:
    cells = (f"{value:{form}}".rjust(len(head)) for (head, form), value in zip(columns.items(), row, strict=True))
    print(f"{name:>3}  " + "  ".join(cells), flush=True)
