"""Messages matched a second with so many reports stored.

    python -m bench.matching [--stored 100000] [--new 4000] [--folder DIR]

A record in a folder is filled once; runs after the first begin with another `--seed`.
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

from uuid_utils import uuid7

from bench._matching_fill import fill
from bench._programs import machine
from bench._table import options
from hub.opening import tune_interpreter
from normalizer import match
from normalizer.incidents_profile import profile_of
from schemas import Message, Party, Place, message_id
from sink import Record, RecordMemory, Vault

START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
BATCH = 500
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


@contextmanager
def opened(folder: str) -> Iterator[Record]:
    """The record kept in the folder, or a new one; in the PostgreSQL database of `SATUPINTU_BENCH_RECORD`, if given."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as temporary:
        where = Path(folder or temporary)
        where.mkdir(parents=True, exist_ok=True)
        keys = where / "keys.toml"
        vault = Vault.load(keys) if keys.exists() else Vault.create(keys)
        with Record.open(os.environ.get("SATUPINTU_BENCH_RECORD") or f"sqlite:///{where}/record.db", vault) as record:
            yield record


def stored(record: Record) -> bool:
    """Whether the record was filled before."""
    with record.read() as connection:
        return connection.exec_driver_sql("SELECT 1 FROM match_reports LIMIT 1").first() is not None


def main() -> None:
    """Fill, then match new messages in batches."""
    given = options(runs=3, stored=100_000, new=4000, seed=100, folder="")
    print(machine())
    tune_interpreter()
    with opened(given.folder) as record:
        begin = time.perf_counter()
        if not stored(record):
            sample = [p for m in messages(5_000, 5) if (p := profile_of(m, m.place))]
            fill(record, int(given.stored), sample, int(START.timestamp()))
            print(f"{given.stored} reports stored in {time.perf_counter() - begin:.0f} s", flush=True)
        memory = RecordMemory(record, lambda: START)
        for run in range(given.runs):
            batch = list(messages(int(given.new), given.seed + run, START + timedelta(hours=3 * run)))
            begin, cpu = time.perf_counter(), time.process_time()
            found = [one for n in range(0, len(batch), BATCH) for one in match(batch[n : n + BATCH], memory)]
            took, used = time.perf_counter() - begin, time.process_time() - cpu
            linked = sum(bool(one.matches) for one in found)
            print(f"run {run + 1}: {len(batch) / took:.0f}/s, {used / len(batch) * 1e6:.0f} us of processor a message, "
                  f"{linked} linked", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
