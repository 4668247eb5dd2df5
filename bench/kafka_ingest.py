"""`ingest` on Kafka and PostgreSQL, beside the bare cost of moving the same bytes and rows.

    python -m bench.kafka_ingest [--runs 5] [--rows 100000]

Baseline: `bench/_bare_pipeline.py` in the same run, after ours: it has the very bytes that ours left on the topics, and
the very rows that ours left in the record.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from bench._programs import peak_of, prepared
from bench._rows import write_rows
from bench._servers import Servers, flags, servers
from bench._table import options, tabulate
from bench.ingest import check

COLUMNS = {
    "bare/s": ",.0f", "ms: Python": ".2f", "Kafka": ".2f", "PostgreSQL": ".2f",
    "ours/s": ",.0f", "ms: Python ": ".2f", "Kafka ": ".2f", "PostgreSQL ": ".2f",
    "ratio of rates": ".2f", "of processor": ".2f",
}  # fmt: skip


@dataclass
class Run:
    """Messages a second, and milliseconds of processor a message by who spent them."""

    rate: float = 0.0
    python: float = 0.0
    kafka: float = 0.0
    postgres: float = 0.0

    @property
    def cpu(self) -> float:
        return self.python + self.kafka + self.postgres


@contextmanager
def counted(running: Servers, rows: int) -> Iterator[Run]:
    """Fills in what was used inside the block."""
    run, start, mine = Run(), time.monotonic(), _children()
    kafka, postgres = running.cpu()
    yield run
    run.rate = rows / (time.monotonic() - start)
    after = running.cpu()
    run.python = (_children() - mine) * 1000 / rows
    run.kafka, run.postgres = (after[0] - kafka) * 1000 / rows, (after[1] - postgres) * 1000 / rows


def ingest(running: Servers, folder: Path, rows: int) -> tuple[Run, str, str]:
    """The command, from its start to its end; where it left everything."""
    bus, record = running.fresh()
    file = write_rows(prepared(folder) / "rows.ndjson", rows)
    with counted(running, rows) as run:
        seconds, _, out = peak_of("ingest", str(file), "--data", str(folder), *flags(bus, record))
    run.rate = rows / seconds
    check(json.loads(out), rows)
    return run, bus, record


def bare(running: Servers, rows: int, bus: str, record: str) -> Run:
    """The same bytes and rows again, into topics and tables of their own."""
    words = [sys.executable, "-m", "bench._bare_pipeline", bus, record, *running.fresh()]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin
        assert program.stdout
        if program.stdout.readline() != "ready\n":
            raise RuntimeError("the bare pipeline cannot begin")
        with counted(running, rows) as run:
            program.stdin.write("go\n")
            program.stdin.flush()
            done = json.loads(program.stdout.readline())
    run.rate, run.python = rows / done["seconds"], done["cpu"] * 1000 / rows
    return run


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(rows=100_000)
    with tempfile.TemporaryDirectory() as where, servers(Path(where)) as running:

        def run(n: int) -> tuple[float, ...]:
            ours, bus, record = ingest(running, Path(where) / f"hub{n}", chosen.rows)
            base = bare(running, chosen.rows, bus, record)
            return *astuple(base), *astuple(ours), ours.rate / base.rate, base.cpu / ours.cpu

        tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
