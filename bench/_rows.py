"""Files of reports to be ingested, the same ones each time."""

from __future__ import annotations

import json
import random
from pathlib import Path

WHAT = (
    "lampu jalan padam", "jalan berlubang dalam", "sampah menumpuk di pinggir jalan", "pungutan liar di loket",
    "air PDAM keruh", "saluran air tersumbat", "antrean KTP sangat lama", "bantuan sosial belum diterima",
    "pohon tumbang menutup jalan", "puskesmas kekurangan obat",
)  # fmt: skip
WHERE = ("Cibeunying", "Antapani", "Sukajadi", "Lengkong", "Ujung Berung", "Coblong", "Batununggal", "Regol")


def write_rows(path: Path, rows: int, seed: int = 1) -> Path:
    """A file of that many reports, each of a sender of its own, texts of 100 to 700 characters."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for n in range(rows):
            what, where = chance.choice(WHAT), chance.choice(WHERE)
            text = f"Di Jalan {where} nomor {n} {what}. "
            row = {
                "id": str(n),
                "text": text + "Mohon segera ditindaklanjuti, warga resah. " * chance.randint(1, 14),
                "sender": f"0812{n:08d}",
                "name": f"Warga {n}",
                "sent_at": "2026-01-05T08:00:00+07:00",
            }
            file.write(json.dumps(row) + "\n")
    return path
