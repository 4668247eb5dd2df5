"""From webhook to record, alone and beside an import, as a reader of the record sees it.

    python -m bench.latency [--runs 5] [--rate 200] [--seconds 10] [--rows 50000]

`up` takes signed webhooks at a steady rate; another connection looks into the record every 2 ms. Baseline: the sync of
one row (`limits.commits`), of which the way has six. The import is ended with the measurement, however many of its rows
are in the record by then; it has to have enough of them to last. `--rows 0`: no import.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import uvloop

from bench._measured import latencies
from bench._programs import hub, running
from bench._rows import write_rows
from bench._table import options, tabulate
from bench.limits import commits

COLUMNS = {
    "one sync ms": ".2f", "p50 ms": ".1f", "p99 ms": ".1f", "beside an import: p50 ms": ".1f", "p99 ms ": ".1f",
    "imported/s": ",.0f",
}  # fmt: skip
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


def one(data: Path, rate: float, seconds: float, rows: int) -> tuple[float, ...]:
    """Milliseconds alone (p50, p99) and beside an import (p50, p99), and the rows of it a second that were in the
    record when it was ended; not-a-number for what is left out."""
    with hub(data, "up") as port:
        measure = partial(latencies, port, data, partial(watch, data / "record.db"), rate)
        uvloop.run(measure(2))
        alone = uvloop.run(measure(seconds))
        if not rows:
            return *alone, math.nan, math.nan, math.nan
        with importing(data, rows) as import_rate:
            beside = uvloop.run(measure(seconds))
            return *alone, *beside, import_rate()


@contextmanager
def importing(data: Path, rows: int) -> Iterator[Callable[[], float]]:
    """An import of that many rows, from its first row in the record on, ended with the context; its rows a second so
    far. Raises RuntimeError where it ended by itself."""
    file = write_rows(data / "rows.ndjson", rows)

    def kept() -> int:
        with closing(sqlite3.connect(f"file:{data / 'record.db'}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM messages WHERE channel = 'file'").fetchone()[0])

    with running("hub", "ingest", str(file), "--data", str(data)) as program:
        while not kept() and program.poll() is None:
            time.sleep(0.05)
        before, start = kept(), time.perf_counter()
        yield lambda: (kept() - before) / (time.perf_counter() - start)
        if program.poll() is not None:
            raise RuntimeError("the import ended before the measurement did")


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(rate=200.0, seconds=10.0, rows=50_000)

    def run(_: int) -> tuple[float, ...]:
        with tempfile.TemporaryDirectory() as where:
            sync = 1000 / commits(Path(where), 1)
            return sync, *one(Path(where) / "hub", chosen.rate, chosen.seconds, int(chosen.rows))

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
