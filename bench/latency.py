"""From webhook to record, alone and beside an import, as a reader of the record sees it.

    python -m bench.latency [--runs 5] [--rate 200] [--seconds 10]

`up` takes signed webhooks at a steady rate; another connection looks into the record every 2 ms. Baseline: the sync of
one row (`limits.commits`), of which the way has six.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop

from bench._measured import latencies
from bench._programs import hub
from bench._rows import write_rows
from bench._table import options, tabulate
from bench.limits import commits

COLUMNS = {
    "one sync ms": ".2f", "p50 ms": ".1f", "p99 ms": ".1f", "beside an import: p50 ms": ".1f", "p99 ms ": ".1f",
    "import s": ".1f",
}  # fmt: skip
IMPORTED = 50_000
EVERY = 0.002
"""Seconds."""


async def watch(record: Path, total: int, within: float) -> dict[bytes, float]:
    """When each WhatsApp message appeared, by its key."""
    db = sqlite3.connect(f"file:{record}?mode=ro", uri=True, isolation_level=None)
    seen: dict[bytes, float] = {}
    last, until = db.execute("SELECT coalesce(max(rowid), 0) FROM messages").fetchone()[0], time.perf_counter() + within
    while len(seen) < total and time.perf_counter() < until:
        rows = db.execute("SELECT rowid, key, channel FROM messages WHERE rowid > ? ORDER BY rowid", (last,)).fetchall()
        at = time.perf_counter()
        seen.update((key, at) for _, key, channel in rows if channel == "whatsapp")
        last = rows[-1][0] if rows else last
        await asyncio.sleep(EVERY)
    db.close()
    return seen


def one(data: Path, rate: float, seconds: float) -> tuple[float, ...]:
    """Milliseconds alone (p50, p99) and beside an import (p50, p99), and the seconds that the import took."""
    with hub(data, "up") as port:
        measure = partial(latencies, port, data, partial(watch, data / "record.db"), rate)
        uvloop.run(measure(2))
        alone = uvloop.run(measure(seconds))
        file = write_rows(data / "rows.ndjson", IMPORTED)
        start = time.perf_counter()
        words = [sys.executable, "-m", "hub", "ingest", str(file), "--data", str(data)]
        importing = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        beside = uvloop.run(measure(seconds))
        if importing.wait():
            raise RuntimeError("ingest failed")
        took = time.perf_counter() - start
    if took < seconds:
        raise RuntimeError("the import ended before the measurement did")
    return *alone, *beside, took


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(rate=200.0, seconds=10.0)

    def run(_: int) -> tuple[float, ...]:
        with tempfile.TemporaryDirectory() as where:
            sync = 1000 / commits(Path(where), 1)
            return sync, *one(Path(where) / "hub", chosen.rate, chosen.seconds)

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
