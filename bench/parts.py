"""Where the time goes: microseconds of processor a message, part by part, one after another in one thread, on SQLite;
and the bytes of a message on each topic, as they are written: key and value, and the headers that Kafka has besides.

    python -m bench.parts [--rows 10000] [--file ROWS]

`--file`: rows as `ingest` takes them, at least as many, instead of made-up ones.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from uuid_utils import uuid7

from bench._programs import machine
from bench._rows import write_rows
from bench._table import options
from bus import Turnstile
from bus._cloudevents import cloudevents_headers
from connectors import Channel, channel_type
from connectors._rows import NamedRow, name_rows, open_rows, raw_from_row, read_rows
from hub.opening import tune_interpreter
from normalizer import Reader, match
from router import Rules, route
from schemas import Event, decode, encode
from sink.archive import Archive
from sink.ledger import book_received
from sink.memory import RecordMemory
from sink.persist import persist_batch
from sink.record import Record
from sink.vault import Vault

BATCH = 500
T = TypeVar("T")


class Pipeline(NamedTuple):
    """What the parts work with, and the nanoseconds that each has taken."""

    channel: Channel
    record: Record
    archive: Archive
    spent: Counter[str]
    sizes: Counter[str]
    """Bytes by topic."""

    def timed(self, part: str, call: Callable[..., T], *args: Any, **named: Any) -> T:
        start = time.thread_time_ns()
        result = call(*args, **named)
        self.spent[part] += time.thread_time_ns() - start
        return result

    def published(self, events: Sequence[Event]) -> None:
        """What encoding, and decoding again, cost; and what is written."""
        wire = self.timed("encode", lambda: [encode(event) for event in events])
        for event, value in zip(events, wire, strict=True):
            self.sizes[event.topic] += len(event.key.encode()) + len(value)
            self.sizes["headers"] += sum(len(name) + len(of) for name, of in cloudevents_headers(event))
        self.timed("decode", lambda: [decode(e.topic, value) for e, value in zip(events, wire, strict=True)])

    def carry(self, rows: Sequence[NamedRow]) -> None:
        """A batch, from rows to the record."""
        raws = self.timed("raws of rows", self._raws, rows)
        self.published(raws)
        self.timed("ledger", book_received, self.record, [(raw.id, raw.account, raw.received_at) for raw in raws])
        self.timed("archive", self.archive.append, raws)
        reader = Reader({"file": self.channel}.get, annotates=False)
        messages = self.timed("read", reader.read, raws, now=_now, new_id=_new_id)
        self.published(messages)
        matched = self.timed("match", match, messages, RecordMemory(self.record, _now))
        self.published(matched)
        routed = self.timed("route", route, matched, Rules.load(None))
        self.published(routed)
        self.timed("persist", persist_batch, self.record, routed, _now())

    def _raws(self, rows: Sequence[NamedRow]) -> list[Event]:
        return [raw_from_row(row, self.channel, id=_new_id(), at=_now()) for row in rows]


@contextmanager
def pipeline(folder: Path) -> Iterator[Pipeline]:
    """All of it on a record of its own."""
    kind = channel_type("file")
    vault, turn = Vault.create(folder / "keys.toml"), Turnstile(folder / "record.db")
    url, owners = f"sqlite:///{folder / 'record.db'}", {"file": "32.73"}
    with Record.open(url, vault, turn, owners=owners) as record, Archive(folder / "archive") as archive:
        yield Pipeline(kind("file", "32.73", kind.settings_type()), record, archive, Counter(), Counter())


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid7())


def main() -> None:
    """Print the parts and their sum, the topics and theirs."""
    chosen = options(rows=10_000, file="")
    print(machine())
    tune_interpreter()
    with tempfile.TemporaryDirectory() as where, pipeline(Path(where)) as parts:
        name = chosen.file or str(write_rows(Path(where) / "rows.ndjson", chosen.rows))
        with open_rows(name) as file:
            rows = islice(name_rows(read_rows(name, file)), chosen.rows)
            while batch := parts.timed("rows of the file", list, islice(rows, BATCH)):
                parts.carry(batch)
    for part, spent in [*parts.spent.most_common(), ("sum", parts.spent.total())]:
        print(f"{part:18} {spent / 1000 / chosen.rows:8.1f} µs")
    for topic, size in [*parts.sizes.items(), ("sum", parts.sizes.total())]:
        print(f"{topic:18} {size / chosen.rows:8,.0f} bytes")


if __name__ == "__main__":
    main()
