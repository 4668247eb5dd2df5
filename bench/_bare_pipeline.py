"""The baseline of the pipeline on Kafka and PostgreSQL: what a run of ours left is moved again, and nothing understood.

    python -m bench._bare_pipeline BUS RECORD NEW_BUS NEW_RECORD      prints "ready", begins at a line of input

One process, and at most 2,000 messages in flight, as `ingest` has. Each hop takes batches of up to 500, produces as
many of the very values that our run left on the next topic, and commits. The rows go into the same tables by COPY,
each batch in a transaction: those of the matcher's memory, of the sink, of the ledger.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bus.kafka import KafkaBus
from sink.blobs import Blobs
from sink.record import Record
from sink.vault import Vault
from tests.services.postgres import plain

HOPS = {"raw": "messages", "messages": "matched", "matched": "routed", "routed": None}
TABLES = {
    "messages": ("decisions", "numbers", "threads", "same_words"),
    "routed": (
        "outcomes", "complaints", "messages", "parties", "attachments", "timeline", "assignments", "matches", "jobs",
    ),
    "ledger": ("received",),
}  # fmt: skip
"""By the topic whose batch writes them; `ledger` reads `raw` as a group of its own."""
SIZE, PARTITIONS, IN_FLIGHT = 500, 4, 2000

Value = tuple[bytes, bytes, list[tuple[str, bytes]], int]
"""Key, value, headers, partition."""


@dataclass
class Left:
    """What our run left: values by topic, rows (lines of COPY's text) by table."""

    values: dict[str, list[Value]]
    rows: dict[str, list[bytes]]

    @property
    def total(self) -> int:
        return len(self.values["raw"])


def servers_and_prefix(bus: str) -> tuple[str, str]:
    """Servers, and the prefix of topics."""
    servers, _, prefix = bus.removeprefix("kafka://").partition("?")[0].partition("/")
    return servers, prefix


async def values(bus: str, topic: str) -> list[Value]:
    """All that stands on the topic."""
    servers, prefix = servers_and_prefix(bus)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    found: list[Value] = []
    try:
        name = f"{prefix}.{topic}"
        cluster = await consumer._client.fetch_all_metadata()
        parts = [TopicPartition(name, p) for p in sorted(cluster.partitions_for_topic(name))]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(p) < ends[p] for p in parts]):
            for part, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [(r.key, r.value, list(r.headers), part.partition) for r in records]
    finally:
        await consumer.stop()
    return found


def rows(record: str, table: str) -> list[bytes]:
    """All that stands in the table."""
    with (
        psycopg.connect(plain(record)) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} TO STDOUT") as copy,
    ):
        return b"".join(bytes(block) for block in copy).splitlines(keepends=True)


class Slices:
    """Takes from a list what stands for the next messages."""

    def __init__(self, things: Sequence[Any], total: int) -> None:
        self._things, self._total, self._at = things, total, 0

    def take(self, messages: int) -> Sequence[Any]:
        share = len(self._things) / self._total
        start, self._at = self._at, self._at + messages
        return self._things[round(start * share) : round(self._at * share)]


class Bare:
    """All hops."""

    def __init__(self, left: Left, bus: str, record: str) -> None:
        self._left, self._stored, self._booked = left, 0, 0
        self._servers, self._prefix = servers_and_prefix(bus)
        self._record = plain(record)
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Until every row is there; raises what ends a hop."""
        work = asyncio.create_task(self._work())
        done = asyncio.create_task(self._done.wait())
        await asyncio.wait([work, done], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    async def _work(self) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._servers, enable_idempotence=True, acks="all", max_batch_size=2**18
        )
        await self._producer.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for topic, onto in HOPS.items():
                    tasks.create_task(self._hop(topic, f"bare.{topic}", onto, topic))
                tasks.create_task(self._hop("raw", "bare.ledger", None, "ledger"))
                tasks.create_task(self._begin())
        finally:
            await self._producer.stop()

    async def _begin(self) -> None:
        raws = self._left.values["raw"]
        for start in range(0, len(raws), SIZE):
            while start + SIZE - self._stored > IN_FLIGHT:
                await asyncio.sleep(0.001)
            await self._send("raw", raws[start : start + SIZE])

    async def _send(self, topic: str, batch: Sequence[Value]) -> None:
        name, sent = f"{self._prefix}.{topic}", []
        for key, value, headers, partition in batch:
            sent.append(await self._producer.send(name, value, key, partition, headers=headers))
        await asyncio.gather(*sent)

    async def _hop(self, topic: str, group: str, onto: str | None, writes: str) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, group_id=f"{self._prefix}.{group}", enable_auto_commit=False,
            auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        try:
            await self._move(consumer, topic, onto, writes)
        finally:
            await consumer.stop()

    async def _move(self, consumer: AIOKafkaConsumer, topic: str, onto: str | None, writes: str) -> None:
        name = f"{self._prefix}.{topic}"
        consumer.assign([TopicPartition(name, p) for p in range(PARTITIONS)])  # no rebalance
        copies = {t: Slices(self._left.rows[t], self._left.total) for t in TABLES.get(writes, ())}
        made = Slices(self._left.values[onto], self._left.total) if onto else None
        with psycopg.connect(self._record) as connection:
            while True:
                got = await consumer.getmany(timeout_ms=1000, max_records=SIZE)
                count = sum(map(len, got.values()))
                if not count:
                    continue
                if copies:
                    await asyncio.to_thread(_copy, connection, {t: s.take(count) for t, s in copies.items()})
                if made and onto:
                    await self._send(onto, made.take(count))
                await consumer.commit()
                self._stored += count if writes == "routed" else 0
                self._booked += count if writes == "ledger" else 0
                if min(self._stored, self._booked) == self._left.total:
                    self._done.set()


def _copy(connection: psycopg.Connection[Any], lines: dict[str, Sequence[bytes]]) -> None:
    with connection.cursor() as cursor:
        for table, these in lines.items():
            if these:
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(b"".join(these))
    connection.commit()


def prepare(new_bus: str, new_record: str) -> None:
    """The same topics and tables, empty: made by our own code."""
    folder = Path(mkdtemp())

    async def topics() -> None:
        async with KafkaBus(new_bus, PARTITIONS, timedelta(days=1), bodies=Blobs(folder / "blobs")) as bus:
            await bus.publish([])

    asyncio.run(topics())
    with Record.open(new_record, Vault.create(folder / "keys.toml")):
        pass


def main() -> None:
    """Move everything; print the seconds, and those of processor."""
    bus, record, new_bus, new_record = sys.argv[1:5]
    tables = [t for many in TABLES.values() for t in many]
    left = Left({t: asyncio.run(values(bus, t)) for t in HOPS}, {t: rows(record, t) for t in tables})
    prepare(new_bus, new_record)
    if not left.total:
        raise RuntimeError("our run left nothing")
    print("ready", flush=True)
    sys.stdin.readline()
    start, used = time.monotonic(), time.process_time()
    uvloop.run(Bare(left, new_bus, new_record).run())
    seconds, cpu = time.monotonic() - start, time.process_time() - used
    _check(new_record, left.total)
    print(json.dumps({"seconds": seconds, "cpu": cpu}), flush=True)


def _check(record: str, total: int) -> None:
    with psycopg.connect(plain(record)) as connection:
        there = connection.execute("SELECT (SELECT count(*) FROM outcomes), (SELECT count(*) FROM received)").fetchone()
    if there != (total, total):
        raise RuntimeError(f"of {total} rows there are {there}")


if __name__ == "__main__":
    main()
