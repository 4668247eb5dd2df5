"""The road: `ingest` of a file end to end, whole process, and its peak memory. `python -m bench.road [--runs 5]`

Baseline: `limits.bare_road`, measured before each run.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from pathlib import Path

from bench.limits import bare_road
from bench.programs import machine, peak_of, prepared

WHAT = (
    "lampu jalan padam", "jalan berlubang dalam", "sampah menumpuk di pinggir jalan", "pungutan liar di loket",
    "air PDAM keruh", "saluran air tersumbat", "antrean KTP sangat lama", "bantuan sosial belum diterima",
    "pohon tumbang menutup jalan", "puskesmas kekurangan obat",
)  # fmt: skip
WHERE = ("Cibeunying", "Antapani", "Sukajadi", "Lengkong", "Ujung Berung", "Coblong", "Batununggal", "Regol")


def write(path: Path, rows: int, seed: int = 1) -> Path:
    """A file of that many complaints, each of a sender of its own, texts of 100 to 700 characters."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for n in range(rows):
            what, where = chance.choice(WHAT), chance.choice(WHERE)
            text = (
                f"Di Jalan {where} nomor {n} {what}. "
                + "Mohon segera ditindaklanjuti, warga resah. " * chance.randint(1, 14)
            )
            row = {
                "id": str(n),
                "text": text,
                "sender": f"0812{n:08d}",
                "name": f"Warga {n}",
                "sent_at": "2026-01-05T08:00:00+07:00",
            }
            file.write(json.dumps(row) + "\n")
    return path


def ingest(folder: Path, rows: int) -> tuple[float, float]:
    """Rows a second from the command's start to its end, and its peak resident MiB."""
    data = prepared(folder)
    seconds, peak, out = peak_of("ingest", str(write(folder / "rows.ndjson", rows)), "--data", str(data))
    ledger = json.loads(out)
    if ledger["recorded"] != rows or ledger["lost"]:
        raise RuntimeError(f"the ledger says {ledger}")
    return rows / seconds, peak


def main() -> None:
    """Print a row a run, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=50_000)
    told = parser.parse_args()
    print(machine())
    print(f"run  bare road/s  ingest of {told.rows:,} rows/s  ratio  peak MiB")
    rows = []
    for n in range(told.runs):
        with tempfile.TemporaryDirectory() as where:
            bare = bare_road(Path(where))
            rate, peak = ingest(Path(where) / "hub", told.rows)
        rows.append((bare, rate, rate / bare, peak))
        _print(str(n + 1), rows[-1])
    _print("med", tuple(statistics.median(column) for column in zip(*rows, strict=True)))


def _print(name: str, row: tuple[float, ...]) -> None:
    bare, rate, ratio, peak = row
    print(f"{name:>3} {bare:12,.0f} {rate:21,.0f} {ratio:14.2f} {peak:9.0f}", flush=True)


if __name__ == "__main__":
    main()
