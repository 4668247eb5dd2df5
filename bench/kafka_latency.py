"""From webhook to record on Kafka and PostgreSQL.

    python -m bench.kafka_latency [--runs 5] [--rate 200] [--seconds 15] [--workers 1]

As `bench/latency.py`, on real servers of this machine. Baseline: one message produced to Kafka and acknowledged, alone,
of which the way has five.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import psycopg
import uvloop
from aiokafka import AIOKafkaProducer

from bench._measured import latencies
from bench._programs import hub
from bench._servers import Servers, flags, servers
from bench._table import options, tabulate
from tests.services.postgres import plain

COLUMNS = {"one message alone ms": ".1f", "p50 ms": ".1f", "p99 ms": ".1f"}
MARGIN = 64
"""Pages that are read again each time: several connections write at the end of the table, each in a page of its own."""
EVERY = 0.004
"""Seconds."""


async def watch(record: str, total: int, within: float) -> dict[bytes, float]:
    """When each WhatsApp message appeared, by its key; those that were there before are left out."""
    seen: dict[bytes, float] = {}
    until, page = time.perf_counter() + within, 0
    with psycopg.connect(plain(record), autocommit=True) as connection:
        before = {key for (key,) in connection.execute("SELECT key FROM messages").fetchall()}
        while len(seen) < total and time.perf_counter() < until:
            sql = "SELECT ctid::text, key FROM messages WHERE ctid >= %s::tid"
            rows, at = connection.execute(sql, (f"({max(0, page - MARGIN)},0)",)).fetchall(), time.perf_counter()
            for ctid, key in rows:
                page = max(page, int(ctid[1:].partition(",")[0]))
                if key not in before:
                    seen.setdefault(key, at)
            await asyncio.sleep(EVERY)
    return seen


async def alone(bootstrap: str, topic: str, times: int = 200) -> float:
    """Milliseconds, median, for one message of 900 bytes to be produced and acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    await producer.start()
    took = []
    try:
        for _ in range(times):
            start = time.perf_counter()
            await producer.send_and_wait(topic, b"x" * 900)
            took.append((time.perf_counter() - start) * 1000)
    finally:
        await producer.stop()
    return statistics.median(took)


def one(running: Servers, data: Path, rate: float, seconds: float, workers: int) -> tuple[float, float, float]:
    """Milliseconds: one message alone, then p50 and p99 of the way."""
    bus, record = running.fresh()
    with hub(data, "up", "--workers", str(workers), *flags(bus, record)) as port:
        measure = partial(latencies, port, data, partial(watch, record), rate)
        uvloop.run(measure(5))
        p50, p99 = uvloop.run(measure(seconds))
    prefix = bus.rpartition("/")[2].partition("?")[0]
    return uvloop.run(alone(running.kafka.servers, f"{prefix}.slow")), p50, p99


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(rate=200.0, seconds=15.0, workers=1)
    with tempfile.TemporaryDirectory() as where, servers(Path(where)) as running:

        def run(n: int) -> tuple[float, ...]:
            return one(running, Path(where) / f"hub{n}", chosen.rate, chosen.seconds, chosen.workers)

        tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()
