"""Reports for the tables that the matcher asks, by the million: made column by column, written in the order of keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np

from schemas.memory import BUCKET, TEXT_BUCKET, Profile
from sink import Record

PER_BUCKET = 1_000_000
ELSEWHERE = 0.9
"""Share of the stored reports whose keys no new one shares: they are from other towns."""
OWNER = "32.73"
_EXPRESSIONS = {
    "sqlite": ("randomblob(16)", "printf('%08x', strftime('%s', at) - {})"),
    "postgresql": ("uuid_send(gen_random_uuid())", "lpad(to_hex(extract(epoch FROM at)::bigint - {}), 8, '0')"),
}
"""A new key, and the begin of a raw's id by the second of its receipt."""
Rows = tuple[str, str, Iterable[tuple[Any, ...]]]
"""Table, columns, rows."""
Store = tuple[Callable[[str, Sequence[str], Iterable[tuple[Any, ...]]], None], Callable[[str], Any]]
"""Inserts rows into a table's columns; executes a statement."""


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
    """Store reports as the matcher would have left them, the newest of the second `until`. The first million is made
    from the sample, each further one is a copy of it, four weeks older and under other keys."""
    first, draw = min(PER_BUCKET, count), np.random.default_rng(3)
    on_server = record.engine.dialect.name == "postgresql"
    with _server(record) if on_server else _file(record) as (insert, execute):
        for table, columns, rows in _tables(draw, _reports(draw, sample, until, first), "+00" if on_server else ""):
            insert(table, columns.split(), rows)
        for n in range(1, count // PER_BUCKET):
            for statement in _older(until // BUCKET, n, record.engine.dialect.name):
                execute(statement)


def _older(bucket: int, n: int, dialect: str) -> Iterator[str]:
    """Statements that store the reports of the bucket once more, `n` buckets earlier."""
    key, second = _EXPRESSIONS[dialect]
    seconds, raw = n * BUCKET, f"{second.format(n * BUCKET)} || substr(raw, 9)"
    yield (
        f"INSERT INTO match_keys (bucket, key, at, report) SELECT bucket - {n}, key, at - {seconds}, report "
        f"FROM match_keys WHERE bucket = {bucket} ORDER BY bucket, key, at, report"
    )
    names = "report, owner, complaint, number, words, reporter, sender"
    yield (
        f"INSERT INTO match_reports (bucket, at, {names}) SELECT bucket - {n}, at - {seconds}, {names} "
        f"FROM match_reports WHERE bucket = {bucket} ORDER BY bucket, at, report"
    )
    of_first = f"reported_at >= {bucket * BUCKET}"
    number = f"CAST(CAST(number AS bigint) + {n} AS text)"
    yield (
        "INSERT INTO numbers (number, complaint, owner, last_at, reporter, reported_at) "
        f"SELECT {number}, complaint, owner, last_at, reporter, reported_at - {seconds} FROM numbers WHERE {of_first} "
        "ORDER BY number ON CONFLICT DO NOTHING"
    )
    yield (
        "INSERT INTO decisions (raw, item_index, owner, first, at, decided_at, decision) "
        f"SELECT {raw}, item_index, owner, {key}, at, decided_at, decision FROM decisions "
        f"WHERE raw >= '{bucket * BUCKET:08x}' ORDER BY raw"
    )
    for table, column in (("same_words", "key"), ("same_words", "key"), ("threads", "conversation")):
        yield (
            f"INSERT INTO {table} ({column}, owner, number) SELECT {key}, owner, {number} FROM numbers "
            f"WHERE {of_first} ORDER BY 1"
        )


def _reports(draw: np.random.Generator, sample: Sequence[Profile], until: int, size: int) -> Reports:
    bucket = until // BUCKET
    other = np.where(draw.random(size) < ELSEWHERE, draw.integers(0, 1 << 60, size), 0)
    return Reports(
        bucket, np.sort(draw.integers(bucket * BUCKET, until, size)),
        draw.integers(0, 1 << 64, (size, 2), dtype=np.uint64), 1_000_000_000 + draw.permutation(size) * 100,
        np.arange(size) % len(sample), other, sample,
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


@contextmanager
def _file(record: Record) -> Iterator[Store]:
    """Past the log: nobody needs these rows after a power cut."""
    record.engine.dispose()
    with closing(sqlite3.connect(str(record.engine.url.database), isolation_level=None)) as database:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
            database.execute(f"PRAGMA {pragma}")

        def insert(table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
            marks = ", ".join("?" * len(names))
            database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)

        database.execute("BEGIN")
        yield insert, database.execute
        database.execute("COMMIT")


@contextmanager
def _server(record: Record) -> Iterator[Store]:
    with record.write() as connection:
        driver: Any = connection.connection.driver_connection

        def insert(table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
            with driver.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        yield insert, connection.exec_driver_sql
    with record.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
