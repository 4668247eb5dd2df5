"""Where the bytes of a run lie: by topic, by field of the events, by table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from bench._bare_pipeline import servers_and_prefix, values
from tests.services.postgres import plain

TOPICS = ("raw", "messages", "matched", "routed", "receipts")
_TABLES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def bytes_of_topics(kafka: Path, bus: str) -> Counter[str]:
    """On the disk of the first node, by topic."""
    _, prefix = servers_and_prefix(bus)
    sizes: Counter[str] = Counter()
    for log in kafka.glob(f"node-1/log/{prefix}.*/*.log"):
        topic = log.parent.name.removeprefix(f"{prefix}.").rpartition("-")[0]
        sizes[topic] += log.stat().st_blocks * 512  # the file may be laid out ahead
    return sizes


def bytes_of_tables(record: str) -> tuple[int, dict[str, int]]:
    """Of the whole database, and by table with its indexes."""
    with psycopg.connect(plain(record)) as connection:
        whole = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return (whole or (0,))[0], dict(connection.execute(_TABLES).fetchall())


def bytes_by_field(bus: str) -> Counter[str]:
    """Of all events, by topic and path of the field; of each record also its key and its headers."""
    sizes: Counter[str] = Counter()
    for topic in TOPICS:
        for key, value, headers, _ in asyncio.run(values(bus, topic)):
            sizes[f"{topic}: (key)"] += len(key)
            sizes[f"{topic}: (headers)"] += sum(len(name) + len(of) + 2 for name, of in headers)
            for path, size in _fields(msgspec.json.decode(value), ""):
                sizes[f"{topic}:{path}"] += size
    return sizes


def _fields(value: Any, path: str) -> Iterator[tuple[str, int]]:
    """Bytes of JSON by path: a name counts for its own value."""
    if not isinstance(value, dict):
        yield path, len(msgspec.json.encode(value))
        return
    yield path or " (braces)", 2
    for name, inner in value.items():
        yield f"{path} {name}", len(name) + 4
        yield from _fields(inner, f"{path} {name}")
