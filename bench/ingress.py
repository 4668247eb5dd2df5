"""The ingress: signed WhatsApp POSTs until they are durable, beside a bare endpoint that does no more.

    python -m bench.ingress [--runs 5] [--seconds 5]

Baseline: `bench/_bare_ingress.py`, measured before each run of ours. Where other work shares the machine, the
processor's microseconds a request say more than the requests a second.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench._cpu import cpu_of
from bench._load import Result, Webhooks, run_closed, run_open
from bench._programs import SECRET, hub, prepared, running
from bench._table import options, tabulate
from tests.services.ports import free_port

PATH = "/in/whatsapp"
STEADY = 500
"""Requests a second for `up`."""
COLUMNS = {
    "bare/s": ",.0f", "bare p99": ".1f", "ours/s": ",.0f", "ours p99": ".1f", "ratio": ".2f", "p99 at half": ".1f",
    f"up@{STEADY} p50": ".1f", f"up@{STEADY} p99": ".1f", "bare cpu": ".1f", "ours cpu": ".1f",
}  # fmt: skip
"""Latencies in milliseconds, `cpu` in microseconds a request."""


def loaded(port: int, pid: int, seconds: float) -> tuple[Result, float]:
    """As many requests as are answered, and the microseconds of processor of each."""
    run_closed(port, Webhooks(PATH, SECRET), 1)
    before = cpu_of(pid)
    result = run_closed(port, Webhooks(PATH, SECRET), seconds).all_taken()
    return result, (cpu_of(pid) - before) * 1e6 / len(result.latencies)


def bare(folder: Path, seconds: float) -> tuple[float, float, float]:
    """Requests a second of the bare endpoint, its p99, and what each cost."""
    port = free_port()
    with running("bench._bare_ingress", str(port), str(folder / f"bare-{port}.db"), SECRET, port=port) as program:
        result, cpu = loaded(port, program.pid, seconds)
    return result.rate, result.quantile(0.99), cpu


def door(folder: Path, seconds: float) -> tuple[float, float, float, float]:
    """Requests a second of `run door`, its p99, its p99 at half that rate, and what each cost."""
    port = free_port()
    words = ("run", "door", "--data", str(prepared(folder / f"door-{port}")), "--listen", f"127.0.0.1:{port}")
    with running("hub", *words, port=port) as program:
        full, cpu = loaded(port, program.pid, seconds)
        half = run_open(port, Webhooks(PATH, SECRET), full.rate / 2, seconds).all_taken()
    return full.rate, full.quantile(0.99), half.quantile(0.99), cpu


def up(folder: Path, seconds: float) -> tuple[float, float]:
    """p50 and p99 of `up` at a steady rate, the whole pipeline at work behind the ingress."""
    with hub(folder / f"up-{free_port()}", "up") as port:
        run_open(port, Webhooks(PATH, SECRET), STEADY, 2)
        result = run_open(port, Webhooks(PATH, SECRET), STEADY, seconds).all_taken()
    return result.quantile(0.5), result.quantile(0.99)


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(seconds=5.0)
    with tempfile.TemporaryDirectory() as where:

        def run(_: int) -> tuple[float, ...]:
            rate, p99, bare_cpu = bare(Path(where), chosen.seconds)
            ours, own_p99, half, cpu = door(Path(where), chosen.seconds)
            whole = up(Path(where), chosen.seconds)
            return rate, p99, ours, own_p99, ours / rate, half, *whole, bare_cpu, cpu

        tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
