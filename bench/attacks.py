"""Attacks: memory, the delay of a citizen's page, refusals, beside bare uvicorn; and one account's garbage.

    python -m bench.attacks [--garbage 15]

The hub is `up`; bare uvicorn is `bench/_bare_ingress.py` with its own settings, in the same run. A goal stands beside
each figure that has one. `--garbage`: seconds of each half of `bench.garbage`; 0 leaves it out.
"""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

from bench import garbage
from bench._attacks import PROXY, WEBHOOKS, Target, guesses
from bench._programs import SECRET, machine, prepared, running
from bench._table import options
from tests.services.ports import free_port

SMS = """
[sms]
kind = "sms"
owner = "32.73"
state = "silent"
token = "bench"
"""
GOALS: dict[str, tuple[float, float]] = {
    "8 MB pipelined, unread: memory, MiB": (0, 150),
    "8 MB pipelined, unread: memory kept, MiB": (0, 50),
    "150 unsigned 3 MiB bodies: memory, MiB": (0, 50),
    "150 unsigned 3 MiB bodies: refused": (150, 150),
    "150 falsely signed 3 MiB bodies: memory, MiB": (0, 150),
    "header bombs: memory, MiB": (0, 20),
    "1,200 guesses at last four digits: checked": (0, 100),
    "the reporter's token afterwards: status": (200, 200),
    "garbage of one account: delay of others at p99, ms": (float("-inf"), 1000),
}
"""Figure to the least and the most that it may be; every page must be there within PAGE."""
PAGE = (0.0, 1000.0)
"""Milliseconds."""


def bare(folder: Path) -> dict[str, float]:
    """The figures of bare uvicorn."""
    port = free_port()
    with running("bench._bare_ingress", str(port), str(folder / "bare.db"), SECRET, port=port) as program:
        target = Target(port, program.pid)
        for attack in WEBHOOKS:
            attack(target)
    return target.figures


def hub(folder: Path) -> dict[str, float]:
    """The figures of the hub."""
    port, data = free_port(), prepared(folder / "hub")
    with (data / "channels.toml").open("a") as channels:
        channels.write(SMS)
    words = ("up", "--data", str(data), "--listen", f"127.0.0.1:{port}", "--proxies", PROXY)
    with running("hub", *words, port=port) as program:
        target = Target(port, program.pid)
        for _ in range(50):
            target.page()
        for attack in (*WEBHOOKS, guesses):
            attack(target)
    return target.figures


def show(name: str, ours: float, bare: float | None) -> bool:
    """Print a line; whether the goal is met."""
    least, most = PAGE if name.endswith("page, ms") else GOALS.get(name, (float("-inf"), float("inf")))
    goal = "" if most == float("inf") else f"{most:,.0f}" if least == most else f"<= {most:,.0f}"
    met = least <= ours <= most
    print(f"{name:60} {'-' if bare is None else f'{bare:,.0f}':>8} {ours:>8,.0f} {goal:>9} {'' if met else 'MISSED'}")
    return met


def main() -> None:
    """Print a line for each figure. Ends with 1 where a goal is missed."""
    chosen = options(runs=1, garbage=15.0)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    with tempfile.TemporaryDirectory() as where:
        without, figures = bare(Path(where)), hub(Path(where))
    if chosen.garbage:
        _, alone, _, beside = garbage.measure(300.0, 50.0, chosen.garbage)
        figures["garbage of one account: delay of others at p99, ms"] = beside - alone
    print(machine())
    print(f"{'':60} {'bare':>8} {'hub':>8} {'goal':>9}")
    met = [show(name, value, without.get(name)) for name, value in figures.items()]
    if not all(met):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
