"""The bare limits of the machine, of the same run as what is compared with them.

python -m bench.limits
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path

from bench._programs import machine

VALUE = b"x" * 900


def commits(folder: Path, batch: int, seconds: float = 1.0) -> float:
    """Rows a second into SQLite (WAL, FULL) with so many rows a commit."""
    db = _database(folder, f"commits-{batch}-{time.monotonic_ns()}.db")
    rows, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        _append(db, [(VALUE,)] * batch)
        rows += batch
    rate = rows / (time.perf_counter() - start)
    db.close()
    return rate


def bare_pipeline(folder: Path, messages: int = 20_000, batch: int = 500) -> float:
    """Messages a second over four SQLite hops in batches of 500 and five rows a message: nothing is understood, and
    no pipeline of such hops is faster."""
    hops = [_database(folder, f"hop-{n}-{time.monotonic_ns()}.db") for n in range(4)]
    record = _database(folder, f"record-{time.monotonic_ns()}.db")
    start = time.perf_counter()
    for first in range(0, messages, batch):
        rows: list[tuple[bytes]] = [(VALUE,)] * batch
        for hop in hops:
            _append(hop, rows)
            rows = hop.execute("SELECT body FROM log WHERE offset > ?", (first,)).fetchall()
        _append(record, [row for row in rows for _ in range(5)])
    rate = messages / (time.perf_counter() - start)
    for db in (*hops, record):
        db.close()
    return rate


def _database(folder: Path, name: str) -> sqlite3.Connection:
    db = sqlite3.connect(folder / name, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE log (offset INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)")
    return db


def _append(db: sqlite3.Connection, rows: list[tuple[bytes]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO log (body) VALUES (?)", rows)
    db.execute("COMMIT")


def main() -> None:
    """Print them."""
    print(machine())
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        print(f"SQLite, WAL, FULL: {commits(folder, 1):,.0f} rows/s one a commit, {commits(folder, 500):,.0f} in 500s")
        print(f"bare pipeline (four SQLite hops, five rows): {bare_pipeline(folder):,.0f} messages/s")


if __name__ == "__main__":
    main()
