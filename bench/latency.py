"""From webhook to record, as a reader of the record sees it. `python -m bench.latency [--runs 5]`

`up` takes signed webhooks at a steady rate; another connection to the record looks every 2 ms for new messages. Once
alone, once with a file of 50,000 rows being ingested beside it. Baseline: the sync of one row (`limits.commits`), of
which the way has six.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench.limits import commits
from bench.load import Webhooks, open_
from bench.programs import SECRET, hub, machine
from bench.road import write


class Timed(Webhooks):
    """Remembers when each message was sent."""

    def __init__(self, path: str, secret: str) -> None:
        super().__init__(path, secret, senders=10**7)
        self.sent: dict[str, float] = {}

    def next(self) -> bytes:
        native = self.native(self.made)
        request = super().next()
        self.sent[native] = time.perf_counter()
        return request


Watch = Callable[[Timed, int, float], Coroutine[Any, Any, list[float]]]
"""Given the webhooks, how many to wait for, and the seconds to do so: the latency of each in the record."""


async def watch(record: Path, webhooks: Timed, total: int, within: float) -> list[float]:
    """Seconds from sending to standing in the record, of each message as it appears."""
    db = sqlite3.connect(f"file:{record}?mode=ro", uri=True, isolation_level=None)
    seen: list[float] = []
    last, until = db.execute("SELECT coalesce(max(rowid), 0) FROM messages").fetchone()[0], time.perf_counter() + within
    while len(seen) < total and time.perf_counter() < until:
        rows = db.execute("SELECT rowid, native_id FROM messages WHERE rowid > ? ORDER BY rowid", (last,)).fetchall()
        at = time.perf_counter()
        seen += [at - webhooks.sent[native] for _, native in rows if native in webhooks.sent]
        last = rows[-1][0] if rows else last
        await asyncio.sleep(0.002)
    db.close()
    return seen


async def measure(port: int, looks: Watch, rate: float, seconds: float) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    webhooks = Timed("/in/whatsapp", SECRET)
    watching = asyncio.create_task(looks(webhooks, int(rate * seconds), seconds + 60))
    result = await open_("127.0.0.1", port, webhooks, rate, seconds)
    seen = sorted(await watching)
    if len(seen) != int(rate * seconds) or result.refused:
        raise RuntimeError(f"sent {rate * seconds:.0f}, refused {result.refused}, in the record {len(seen)}")
    return seen[len(seen) // 2] * 1000, seen[int(len(seen) * 0.99)] * 1000


def one(folder: Path, rate: float, seconds: float) -> tuple[float, float, float, float, float]:
    """Milliseconds alone (p50, p99) and beside a bulk import (p50, p99), and how long that import took in seconds."""
    with hub(folder, "up") as port:
        uvloop.run(measure(port, partial(watch, folder / "record.db"), rate, 2))
        alone = uvloop.run(measure(port, partial(watch, folder / "record.db"), rate, seconds))
        file = write(folder / "rows.ndjson", 50_000)
        start = time.perf_counter()
        words = [sys.executable, "-m", "hub", "ingest", str(file), "--data", str(folder)]
        bulk = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        beside = uvloop.run(measure(port, partial(watch, folder / "record.db"), rate, seconds))
        if bulk.wait():
            raise RuntimeError("ingest failed")
        took = time.perf_counter() - start
    if took < seconds:
        raise RuntimeError("the import ended before the measurement did")
    return *alone, *beside, took


def main() -> None:
    """Print a row a run, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    told = parser.parse_args()
    print(machine())
    print("run  one sync ms  p50 ms  p99 ms  beside a bulk import: p50 ms  p99 ms  import s")
    rows = []
    for n in range(told.runs):
        with tempfile.TemporaryDirectory() as where:
            sync = 1000 / commits(Path(where), 1)
            rows.append((sync, *one(Path(where) / "hub", told.rate, told.seconds)))
        _print(str(n + 1), rows[-1])
    _print("med", tuple(statistics.median(column) for column in zip(*rows, strict=True)))


def _print(name: str, row: tuple[float, ...]) -> None:
    sync, a50, a99, b50, b99, took = row
    print(f"{name:>3} {sync:12.2f} {a50:7.1f} {a99:7.1f} {b50:29.1f} {b99:7.1f} {took:9.1f}", flush=True)


if __name__ == "__main__":
    main()
