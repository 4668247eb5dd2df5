"""200 accounts of which 20 hang: how long the replies of the others wait.

    python -m bench.accounts [--runs 5] [--accounts 200] [--hanging 20] [--rate 100] [--seconds 20]

One `accounts` process on SQLite; replies become owed at a steady rate, to every account in turn, written by another
process. Baseline: the same without hanging accounts. Goal: p99 from owed to sent under 1 s.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench._owed import Outbox, accounts_file, outbox
from bench._programs import running
from bench._table import options, tabulate
from tests.services.ports import free_port

STEP = 0.1
"""Seconds between two transactions that make replies owed."""
COLUMNS = {"none hang: p50 ms": ".0f", "p99 ms": ".0f", "some hang: p50 ms": ".0f", "p99 ms ": ".0f"}


def waits(data: Path, owed: Outbox, working: Sequence[int], accounts: int, rate: float, seconds: float) -> list[float]:
    """Milliseconds from owed to sent of each reply of the accounts that work, in ascending order."""
    with running("hub", "run", "accounts", "--data", str(data)):
        owed.enqueue(working, len(working))
        _until_sent(owed, len(working))
        start, steps = time.monotonic(), int(seconds / STEP)
        order = [*working, *(n for n in range(accounts) if n not in working)]
        for step in range(steps):
            turn = step * int(rate * STEP) % accounts
            owed.enqueue(order[turn:] + order[:turn], int(rate * STEP))
            time.sleep(max(0.0, start + (step + 1) * STEP - time.monotonic()))
        _until_sent(owed, len(working) + int(steps * int(rate * STEP) * len(working) / accounts * 0.999))
    first = sorted(owed.sent(), key=lambda row: row[1])[len(working) :]
    return sorted(
        (sent - created).total_seconds() * 1000 for account, created, sent in first if account in set(working)
    )


def _until_sent(owed: Outbox, replies: int) -> None:
    until = time.monotonic() + 120
    while owed.states().get("sent", 0) < replies:
        if time.monotonic() > until:
            raise RuntimeError(f"not sent within 120 s: {owed.states()}")
        time.sleep(0.5)


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(accounts=200, hanging=20, rate=100.0, seconds=20.0)

    def run(_: int) -> tuple[float, ...]:
        return *one(0), *one(chosen.hanging)

    def one(hanging: int) -> tuple[float, float]:
        port = free_port()
        urls = [f"http://127.0.0.1:{port}/{'hang' if n < hanging else 'v23.0'}" for n in range(chosen.accounts)]
        working = range(hanging, chosen.accounts)
        with (
            tempfile.TemporaryDirectory() as where,
            running("bench._provider", str(port), "5"),
            outbox(Path(where), accounts_file(urls)) as owed,
        ):
            took = waits(Path(where), owed, working, chosen.accounts, chosen.rate, chosen.seconds)
        return took[len(took) // 2], took[int(len(took) * 0.99)]

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
