"""Messages matched a second with so many reports stored: `python -m bench.matching [--stored 100000] [--new 4000]`.

The whole step is measured: profile, one recall a batch, rules and likeness, one transaction. Every message opens a
report. Stored reports fill all tables that the matcher asks: keys, profiles, numbers, decisions, threads, words.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from uuid_utils import uuid7

from bench._programs import machine
from bench._table import options
from normalizer import match
from normalizer.incidents_profile import profile_of
from schemas import Message, Party, Place, message_id
from schemas.memory import BUCKET, report_bits
from sink import Record, RecordMemory, Vault

START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
BATCH = 500
PER_BUCKET = 1_000_000
SYLLABLES = [a + b for a in "bcdgjklmnprstw" for b in ("a", "i", "u", "ang", "er")]
NAMES = ["".join(random.Random(n).choices(SYLLABLES, k=3)) for n in range(20_000)]
MATTERS = (
    "jalan berlubang besar sudah seminggu membahayakan pengendara motor",
    "lampu penerangan padam sejak kemarin malam gelap sekali",
    "sampah menumpuk tidak diangkut bau menyengat mengganggu warga",
    "saluran air tersumbat banjir kalau hujan deras mohon dibersihkan",
    "pohon tumbang menutup jalan belum ada petugas yang datang",
)


def messages(count: int, seed: int, start: datetime = START) -> Iterator[Message]:
    """Reports of many citizens in 500 regencies: names by Zipf's law, as streets and villages are."""
    draw = random.Random(seed)
    weights = [1 / (n + 10) for n in range(len(NAMES))]
    for n in range(count):
        digits = f"62813{draw.randrange(10**8):08d}"
        names = draw.choices(NAMES, weights, k=4)
        at = start + timedelta(seconds=2 * n)
        text = (
            f"{draw.choice(MATTERS)} di jalan {names[0]} {names[1]} depan toko {names[2]} rt {draw.randrange(9)} "
            f"rw {draw.randrange(12)} kelurahan {names[3]}, {draw.choice(('tolong', 'mohon'))} segera"
        )
        yield Message(
            id=message_id("whatsapp", "wa", f"{seed}.{n}"), raw=str(uuid7()), account="wa", channel="whatsapp",
            owner="32.73", conversation=digits, received_at=at, sender=Party(phone=f"+{digits}"), proven=True,
            text=text, place=Place(code=f"{draw.randrange(11, 61)}.{draw.randrange(1, 11):02}", source="owner"),
        )  # fmt: skip


def fill(record: Record, count: int) -> None:
    """Stored reports, as the matcher would have left them: the profiles of 20,000, most of them under other keys."""
    draw, sample = random.Random(3), [profile_of(m, m.place) for m in messages(20_000, 5)]
    with record.write() as connection:
        for start in range(0, count, 20_000):
            _fill(connection, draw, [p for p in sample if p], start, min(20_000, count - start))


def _fill(connection: Connection, draw: random.Random, sample: list[Any], start: int, size: int) -> None:
    keys, reports, numbers, decisions, words, threads = [], [], [], [], [], []
    end = int(START.timestamp())
    for n in range(start, start + size):
        profile = sample[n % len(sample)]
        at = end - n % PER_BUCKET * BUCKET // PER_BUCKET - n // PER_BUCKET * BUCKET
        complaint = f"{draw.getrandbits(128):032x}"
        report = report_bits(complaint)
        other = 0 if n // len(sample) % 10 == 0 else draw.getrandbits(60)  # nine in ten are from elsewhere
        keys += [(at // BUCKET, (k ^ other) & (2**63 - 1), at, report) for k in profile.keys]
        reports.append((at // BUCKET, at, report, "32.73", complaint, f"{n:010}", profile.words, b"s" * 32, b"s" * 16))
        numbers.append((complaint, f"{n:010}", "32.73", at_text(at), b"r" * 32, at))
        raw = f"{n:032x}"
        decisions.append((raw, 0, "32.73", draw.randbytes(16), at_text(at), at_text(at), '{"outcome":"recorded"}'))
        words.append((draw.randbytes(16), "32.73", complaint))
        threads.append((draw.randbytes(16), "32.73", complaint))
    for sql, rows in (
        ("match_keys (bucket, key, at, report) VALUES (?, ?, ?, ?)", keys),
        ("match_reports (bucket, at, report, owner, complaint, number, words, reporter, sender) VALUES "
         "(?, ?, ?, ?, ?, ?, ?, ?, ?)", reports),
        ("numbers (complaint, number, owner, last_at, reporter, reported_at) VALUES (?, ?, ?, ?, ?, ?)", numbers),
        ("decisions (raw, item_index, owner, first, at, decided_at, decision) VALUES (?, ?, ?, ?, ?, ?, ?)", decisions),
        ("same_words (key, owner, complaint) VALUES (?, ?, ?)", words),
        ("threads (conversation, owner, complaint) VALUES (?, ?, ?)", threads),
    ):  # fmt: skip
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        connection.exec_driver_sql(f"INSERT INTO {sql.replace('?', mark)}", rows)


def at_text(at: int) -> str:
    """As SQLite stores an instant; PostgreSQL reads it too."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")


@contextmanager
def opened(url: str | None) -> Iterator[Record]:
    """An empty record: a new file, or the PostgreSQL database of `SATUPINTU_BENCH_RECORD`."""
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder,
        Record.open(url or f"sqlite:///{folder}/record.db", Vault.create(Path(folder) / "keys.toml")) as record,
    ):
        yield record


def main() -> None:
    """Fill, then match new messages in batches."""
    given = options(runs=3, stored=100_000, new=4000)
    print(machine())
    with opened(os.environ.get("SATUPINTU_BENCH_RECORD")) as record:
        begin = time.perf_counter()
        fill(record, int(given.stored))
        print(f"{given.stored} reports stored in {time.perf_counter() - begin:.0f} s")
        memory = RecordMemory(record, lambda: START)
        for run in range(given.runs):
            batch = list(messages(int(given.new), 100 + run, START + timedelta(hours=3 * run)))
            begin, cpu = time.perf_counter(), time.process_time()
            found = [one for n in range(0, len(batch), BATCH) for one in match(batch[n : n + BATCH], memory)]
            took, used = time.perf_counter() - begin, time.process_time() - cpu
            linked = sum(bool(one.matches) for one in found)
            print(f"run {run + 1}: {len(batch) / took:.0f}/s, {used / len(batch) * 1e6:.0f} us of processor a message, "
                  f"{linked} linked")  # fmt: skip


if __name__ == "__main__":
    main()
