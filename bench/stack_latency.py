"""From webhook to record on Kafka and PostgreSQL. `python -m bench.stack_latency [--runs 5] [--workers 1]`

As `bench/latency.py`, on real servers of this machine. Baseline: one message produced to Kafka and acknowledged, alone,
of which the way has five.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import psycopg
import uvloop
from aiokafka import AIOKafkaProducer

from bench.latency import Timed, measure
from bench.programs import hub, machine
from bench.stack import Stack, flags, stack
from tests.services.postgres import plain

MARGIN = 64
"""Pages looked at again each time: several connections write at the end of the table, each in a page of its own."""


async def watch(record: str, webhooks: Timed, total: int, within: float) -> list[float]:
    """Seconds from sending to standing in the record, of each message as it appears."""
    seen: dict[str, float] = {}
    until, page, asked = time.perf_counter() + within, 0, 0.0
    with psycopg.connect(plain(record), autocommit=True) as connection:
        while len(seen) < total and time.perf_counter() < until:
            place = f"({max(0, page - MARGIN)},0)"
            rows = connection.execute("SELECT ctid::text, native_id FROM messages WHERE ctid >= %s::tid", (place,))
            found, at = rows.fetchall(), time.perf_counter()
            for ctid, native in found:
                page = max(page, int(ctid[1:].partition(",")[0]))
                if native in webhooks.sent:
                    seen.setdefault(native, at - webhooks.sent[native])
            if at > asked + 1.0 and len(webhooks.sent) >= total:  # one that stands in an older page is seen late
                asked, missing = at, [native for native in webhooks.sent if native not in seen]
                there = connection.execute("SELECT native_id FROM messages WHERE native_id = ANY(%s)", (missing,))
                seen.update({native: at - webhooks.sent[native] for (native,) in there})
            await asyncio.sleep(0.004)
    return list(seen.values())


async def alone(servers: str, topic: str, times: int = 200) -> float:
    """Milliseconds, median, for one message of 900 bytes to be produced and acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True, acks="all")
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


def one(servers: Stack, folder: Path, rate: float, seconds: float, workers: int) -> tuple[float, float, float]:
    """Milliseconds: one message alone, then p50 and p99 of the way."""
    bus, record = servers.fresh()
    with hub(folder, "up", "--workers", str(workers), *flags(bus, record)) as port:
        uvloop.run(measure(port, partial(watch, record), rate, 5))
        p50, p99 = uvloop.run(measure(port, partial(watch, record), rate, seconds))
    prefix = bus.rpartition("/")[2]
    return uvloop.run(alone(servers.kafka.servers, f"{prefix}.replies")), p50, p99


def main() -> None:
    """Print a row a run, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--workers", type=int, default=1)
    told = parser.parse_args()
    print(machine())
    print(f"{told.rate:.0f} a second, up --workers {told.workers}\nrun  one message alone ms  p50 ms  p99 ms")
    rows = []
    with tempfile.TemporaryDirectory() as where, stack(Path(where)) as servers:
        for n in range(told.runs):
            rows.append(one(servers, Path(where) / f"hub{n}", told.rate, told.seconds, told.workers))
            _print(str(n + 1), rows[-1])
    _print("med", tuple(statistics.median(column) for column in zip(*rows, strict=True)))


def _print(name: str, row: tuple[float, ...]) -> None:
    print(f"{name:>3} {row[0]:21.1f} {row[1]:7.1f} {row[2]:7.1f}", flush=True)


if __name__ == "__main__":
    main()
