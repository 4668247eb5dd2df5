"""The machine's bare limits, of the same run as what is compared with them: `python -m bench.limits`."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path

VALUE = b"x" * 900


def _database(folder: Path, name: str) -> sqlite3.Connection:
    db = sqlite3.connect(folder / name, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE log (place INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)")
    return db


def commits(folder: Path, batch: int, seconds: float = 1.0) -> float:
    """Rows a second into SQLite (WAL, FULL) with so many rows a commit."""
    db = _database(folder, f"commits-{batch}-{time.monotonic_ns()}.db")
    rows, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO log (body) VALUES (?)", [(VALUE,)] * batch)
        db.execute("COMMIT")
        rows += batch
    rate = rows / (time.perf_counter() - start)
    db.close()
    return rate


def bare_road(folder: Path, messages: int = 20_000, batch: int = 500) -> float:
    """Messages a second over four SQLite hops in batches of 500 and five rows a message: what the road cannot beat."""
    hops = [_database(folder, f"hop-{n}-{time.monotonic_ns()}.db") for n in range(4)]
    record = _database(folder, f"record-{time.monotonic_ns()}.db")
    start = time.perf_counter()
    for first in range(0, messages, batch):
        rows: list[tuple[bytes]] = [(VALUE,)] * batch
        for hop in hops:
            hop.execute("BEGIN IMMEDIATE")
            hop.executemany("INSERT INTO log (body) VALUES (?)", rows)
            hop.execute("COMMIT")
            rows = hop.execute("SELECT body FROM log WHERE place > ?", (first,)).fetchall()
        record.execute("BEGIN IMMEDIATE")
        record.executemany("INSERT INTO log (body) VALUES (?)", [row for row in rows for _ in range(5)])
        record.execute("COMMIT")
    rate = messages / (time.perf_counter() - start)
    for db in (*hops, record):
        db.close()
    return rate


def main() -> None:
    """Print them."""
    from bench.programs import machine

    print(machine())
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        print(f"SQLite, WAL, FULL: {commits(folder, 1):,.0f} rows/s one a commit, {commits(folder, 500):,.0f} in 500s")
        print(f"bare road (four SQLite hops, five rows): {bare_road(folder):,.0f} messages/s")


if __name__ == "__main__":
    main()
