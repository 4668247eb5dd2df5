"""`ingest` of a file, the whole command with its peak memory, beside the bare pipeline.

    python -m bench.ingest [--runs 5] [--rows 50000]

Baseline: `limits.bare_pipeline`, measured before each run.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench._programs import peak_of, prepared
from bench._rows import write_rows
from bench._table import options, tabulate
from bench.limits import bare_pipeline

COLUMNS = {"bare pipeline/s": ",.0f", "ingest rows/s": ",.0f", "ratio": ".2f", "peak MiB": ".0f"}


def ingest(folder: Path, rows: int) -> tuple[float, float]:
    """Rows a second from the command's start to its end, and its peak resident MiB."""
    data = prepared(folder)
    seconds, peak, out = peak_of("ingest", str(write_rows(folder / "rows.ndjson", rows)), "--data", str(data))
    check(json.loads(out), rows)
    return rows / seconds, peak


def check(ledger: dict[str, int], rows: int) -> None:
    """Raises where not every row was recorded."""
    if ledger["recorded"] != rows or ledger["lost"]:
        raise RuntimeError(f"the ledger shows {ledger}")


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(rows=50_000)

    def run(_: int) -> tuple[float, ...]:
        with tempfile.TemporaryDirectory() as where:
            bare = bare_pipeline(Path(where))
            rate, peak = ingest(Path(where) / "hub", chosen.rows)
        return bare, rate, rate / bare, peak

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
