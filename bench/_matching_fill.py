"""Reports for the tables that the matcher asks, by the million: made column by column, written in the order of keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from schemas.memory import BUCKET, TEXT_BUCKET, Profile
from sink import Record

PER_BUCKET = 1_000_000
ELSEWHERE = 0.9
"""Share of the stored reports whose keys no new one shares: they are from other towns."""
OWNER = "32.73"
Rows = tuple[str, str, Iterable[tuple[Any, ...]]]
"""Table, columns, rows."""
Column = Sequence[Any]


class Reports(NamedTuple):
    """Columns of the reports of one bucket, in the order of `at`."""

    bucket: int
    at: Any
    ids: Any
    """Of complaints: two numbers of 64 bits each."""
    number: Any
    profile: Any
    """Positions in `sample`."""
    other: Any
    """Changes the keys of a profile."""
    sample: Sequence[Profile]

    @property
    def bits(self) -> Any:
        return self.ids[:, 0] >> np.uint64(1)

    @property
    def complaints(self) -> list[str]:
        hexes = (f"{high:016x}{low:016x}" for high, low in self.ids.tolist())
        return [f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in hexes]


def fill(record: Record, count: int, sample: Sequence[Profile], until: int) -> None:
    """Store reports as the matcher would have left them, the newest of the second `until`."""
    draw = np.random.default_rng(3)
    for start in range(0, count, PER_BUCKET):
        reports = _reports(draw, sample, until, start, min(PER_BUCKET, count - start))
        if record.engine.dialect.name == "postgresql":
            _copy(record, _tables(draw, reports, "+00"))
        else:
            _write(record, _tables(draw, reports, ""))


def _reports(draw: np.random.Generator, sample: Sequence[Profile], until: int, start: int, size: int) -> Reports:
    bucket = until // BUCKET - start // PER_BUCKET
    other = np.where(draw.random(size) < ELSEWHERE, draw.integers(0, 1 << 60, size), 0)
    return Reports(
        bucket, np.sort(draw.integers(bucket * BUCKET, min((bucket + 1) * BUCKET, until), size)),
        draw.integers(0, 1 << 64, (size, 2), dtype=np.uint64), 1_000_000_000 + start * 10 + draw.permutation(size) * 10,
        np.arange(start, start + size) % len(sample), other, sample,
    )  # fmt: skip


def _tables(draw: np.random.Generator, reports: Reports, zone: str) -> Iterator[Rows]:
    size = len(reports.at)
    yield "match_keys", "bucket key at report", _keys(reports, text=False)
    yield "match_keys", "bucket key at report", _keys(reports, text=True)
    at, complaints, numbers = reports.at.tolist(), reports.complaints, reports.number.astype(str).tolist()
    words = [profile.words for profile in reports.sample]
    profiles = [words[n] for n in reports.profile.tolist()]
    fixed = repeat(reports.bucket), at, reports.bits.tolist(), repeat(OWNER), complaints, numbers, profiles
    names = "bucket at report owner complaint number words reporter sender"
    yield "match_reports", names, zip(*fixed, repeat(b"s" * 32), repeat(b"s" * 16), strict=False)
    times = np.datetime_as_string(reports.at.astype("datetime64[s]").astype("datetime64[us]")).tolist()
    times = [time.replace("T", " ") + zone for time in times]
    rows = zip(numbers, complaints, repeat(OWNER), times, repeat(b"r" * 32), at, strict=False)
    yield "numbers", "number complaint owner last_at reporter reported_at", sorted(rows)
    # as ids of raws are: in the order of time
    raws = [f"{second:08x}-{c[9:]}" for second, c in zip(at, complaints, strict=True)]
    columns = raws, repeat(0), repeat(OWNER), _hashes(draw, size), times, times, repeat('{"outcome":"recorded"}')
    yield "decisions", "raw item_index owner first at decided_at decision", zip(*columns, strict=False)
    for table, key in (("same_words", "key"), ("same_words", "key"), ("threads", "conversation")):
        yield table, f"{key} owner number", sorted(zip(_hashes(draw, size), repeat(OWNER), numbers, strict=False))


def _keys(reports: Reports, *, text: bool) -> Iterable[tuple[Any, ...]]:
    of_profiles = [profile.text_keys if text else profile.keys for profile in reports.sample]
    counts = np.array([len(keys) for keys in of_profiles])
    flat, starts = np.fromiter(chain.from_iterable(of_profiles), np.int64), np.cumsum(counts) - counts
    each = counts[reports.profile]
    of = np.repeat(np.arange(len(each)), each)
    within = np.arange(len(of)) - np.repeat(np.cumsum(each) - each, each)
    keys = flat[np.repeat(starts[reports.profile], each) + within] ^ reports.other[of]
    bucket = -1 - reports.at[of] // TEXT_BUCKET if text else np.full(len(of), reports.bucket)
    order = np.lexsort((keys, bucket))
    columns = (bucket, keys, reports.at[of], reports.bits[of])
    return zip(*(column[order].tolist() for column in columns), strict=True)


def _hashes(draw: np.random.Generator, count: int) -> list[bytes]:
    drawn = draw.bytes(16 * count)
    return [drawn[n : n + 16] for n in range(0, len(drawn), 16)]


def _write(record: Record, tables: Iterable[Rows]) -> None:
    """Past the log: nobody needs these rows after a power cut."""
    record.engine.dispose()
    with closing(sqlite3.connect(str(record.engine.url.database), isolation_level=None)) as database:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        for table, columns, rows in tables:
            names = columns.split()
            marks = ", ".join("?" * len(names))
            database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
        database.execute("COMMIT")


def _copy(record: Record, tables: Iterable[Rows]) -> None:
    with record.write() as connection:
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        for table, columns, rows in tables:
            _copy_table(connection, table, columns.split(), rows)
    with record.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy_table(connection: Connection, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
