"""Kafka and PostgreSQL on this machine: `ingest` end to end, against the bare cost. `python -m bench.stack [--runs 5]`

Baseline: `bench/bare_stack.py` in the same run: one process, aiokafka consuming and producing the very bytes that
our run left on the topics, over the same hops in batches of 500, and the very rows that it left in the record, inserted
by COPY into the same tables, a transaction a batch. It understands nothing and asks nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.programs import machine, peak_of, prepared
from bench.road import write
from bench.usage import cpu_of
from tests.services.kafka import Kafka
from tests.services.postgres import Postgres


@dataclass
class Stack:
    """Both servers, and the URLs of a bus and a record that nobody has used."""

    kafka: Kafka
    postgres: Postgres
    used: int = 0

    def fresh(self) -> tuple[str, str]:
        self.used += 1
        return self.kafka.url(f"run{self.used}"), self.postgres.new_database()

    def cpu(self) -> tuple[float, float]:
        """Seconds of processor that Kafka and PostgreSQL have used so far."""
        return sum(cpu_of(self.kafka.pid(node)) for node in self.kafka.nodes), cpu_of(self.postgres.pid)


@contextmanager
def stack(folder: Path, nodes: int = 1) -> Iterator[Stack]:
    """The servers while the context lasts."""
    with Kafka(folder / "kafka", nodes, {"KAFKA_HEAP": "1g"}) as kafka, Postgres() as postgres:
        yield Stack(kafka, postgres)


def flags(bus: str, record: str) -> list[str]:
    """What a command is told of them."""
    return ["--bus", bus, "--record", record]


@dataclass
class Run:
    """One way of doing it: messages a second, and milliseconds of processor a message by who spent them."""

    rate: float
    python: float
    kafka: float
    postgres: float

    @property
    def cpu(self) -> float:
        return self.python + self.kafka + self.postgres


@contextmanager
def counted(servers: Stack, rows: int) -> Iterator[Run]:
    """Fills in what was used inside the block; `rate` where the block has not."""
    run, start, mine = Run(0, 0, 0, 0), time.monotonic(), _children()
    kafka, postgres = servers.cpu()
    yield run
    run.rate = run.rate or rows / (time.monotonic() - start)
    after = servers.cpu()
    run.python = (_children() - mine) * 1000 / rows
    run.kafka, run.postgres = (after[0] - kafka) * 1000 / rows, (after[1] - postgres) * 1000 / rows


def ingest(servers: Stack, folder: Path, rows: int) -> tuple[Run, str, str]:
    """The command, from its start to its end; where it left everything."""
    bus, record = servers.fresh()
    file = write(prepared(folder) / "rows.ndjson", rows)
    with counted(servers, rows) as run:
        seconds, _, out = peak_of("ingest", str(file), "--data", str(folder), *flags(bus, record))
        run.rate = rows / seconds
    ledger = json.loads(out)
    if ledger["recorded"] != rows or ledger["lost"]:
        raise RuntimeError(f"the ledger says {ledger}")
    return run, bus, record


def bare(servers: Stack, rows: int, bus: str, record: str) -> Run:
    """The same bytes and rows again, into topics and tables of their own."""
    words = [sys.executable, "-m", "bench.bare_stack", bus, record, *servers.fresh()]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin
        assert program.stdout
        if program.stdout.readline() != "ready\n":
            raise RuntimeError("the bare road cannot begin")
        with counted(servers, rows) as run:
            program.stdin.write("go\n")
            program.stdin.flush()
            said = json.loads(program.stdout.readline())
    run.rate, run.python = rows / said["seconds"], said["cpu"] * 1000 / rows
    return run


def _children() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a row a run, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    told = parser.parse_args()
    print(machine())
    print(f"ingest of {told.rows:,}; processor in ms a message: Python + Kafka + PostgreSQL")
    print("run  bare/s  (ms: py + kafka + pg)   ours/s  (ms: py + kafka + pg)  ratio of rates  of processor")
    rows = []
    with tempfile.TemporaryDirectory() as where, stack(Path(where)) as servers:
        for n in range(told.runs):
            ours, bus, record = ingest(servers, Path(where) / f"hub{n}", told.rows)
            base = bare(servers, told.rows, bus, record)
            rows.append((*_row(base), *_row(ours), ours.rate / base.rate, base.cpu / ours.cpu))
            _print(str(n + 1), rows[-1])
    _print("med", tuple(statistics.median(column) for column in zip(*rows, strict=True)))


def _row(run: Run) -> tuple[float, ...]:
    return run.rate, run.python, run.kafka, run.postgres


def _print(name: str, row: tuple[float, ...]) -> None:
    b, bp, bk, bg, o, op, ok, og, ratio, cpu = row
    print(
        f"{name:>3} {b:7,.0f}  ({bp:.2f} + {bk:.2f} + {bg:.2f}) {o:11,.0f}  ({op:.2f} + {ok:.2f} + {og:.2f})"
        f" {ratio:14.2f} {cpu:13.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
