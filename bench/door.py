"""The door: signed WhatsApp POSTs to a durable yes. `python -m bench.door [--runs 5]`

Baseline: `bench/bare.py`, measured alternately with the door in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from bench.load import Webhooks, run_closed, run_open
from bench.programs import SECRET, free_port, hub, machine, running

PATH = "/in/whatsapp"


def bare(folder: Path, seconds: float) -> tuple[float, float]:
    """Requests a second of the bare endpoint, and its p99 in ms."""
    port = free_port()
    with running("bench.bare", str(port), str(folder / f"bare-{port}.db"), SECRET, port=port):
        run_closed(port, Webhooks(PATH, SECRET), 1)
        result = run_closed(port, Webhooks(PATH, SECRET), seconds)
    return result.rate, result.quantile(0.99)


def door(folder: Path, seconds: float) -> tuple[float, float, float]:
    """Requests a second of `run door`, its p99 in ms, and its p99 at half that rate."""
    with hub(folder / f"door-{free_port()}", "run", "door") as port:
        run_closed(port, Webhooks(PATH, SECRET), 1)
        full = run_closed(port, Webhooks(PATH, SECRET), seconds)
        half = run_open(port, Webhooks(PATH, SECRET), full.rate / 2, seconds)
    if full.refused or half.refused:
        raise RuntimeError(f"{full.refused + half.refused} requests were not answered 200")
    return full.rate, full.quantile(0.99), half.quantile(0.99)


def up(folder: Path, rate: float, seconds: float) -> tuple[float, float]:
    """p50 and p99 in ms of `up` at that rate, the whole road working behind the door."""
    with hub(folder / f"up-{free_port()}", "up") as port:
        run_open(port, Webhooks(PATH, SECRET), rate, 2)
        result = run_open(port, Webhooks(PATH, SECRET), rate, seconds)
    if result.refused:
        raise RuntimeError(f"{result.refused} requests were not answered 200")
    return result.quantile(0.5), result.quantile(0.99)


def main() -> None:
    """Print a row a run, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    told = parser.parse_args()
    print(machine())
    print("run  bare/s  bare p99  door/s  door p99  ratio  p99 at half  up@500 p50  up@500 p99")
    rows = []
    with tempfile.TemporaryDirectory() as where:
        for n in range(told.runs):
            b, bp = bare(Path(where), told.seconds)
            d, dp, hp = door(Path(where), told.seconds)
            up50, up99 = up(Path(where), 500, told.seconds)
            rows.append((b, bp, d, dp, d / b, hp, up50, up99))
            _print(str(n + 1), rows[-1])
    _print("med", tuple(statistics.median(column) for column in zip(*rows, strict=True)))


def _print(name: str, row: tuple[float, ...]) -> None:
    b, bp, d, dp, ratio, hp, up50, up99 = row
    figures = f"{b:7,.0f} {bp:9.1f} {d:7,.0f} {dp:9.1f} {ratio:6.2f} {hp:12.1f} {up50:11.1f} {up99:11.1f}"
    print(f"{name:>3} {figures}", flush=True)


if __name__ == "__main__":
    main()
