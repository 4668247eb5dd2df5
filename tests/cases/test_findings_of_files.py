"""Findings of a hostile reading that files of rows bring about, by their numbers: 5.7, H1, L2, M8. Others are cases:
B1 (case 04), L1, L14 and M7 (case 01)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.cases.conftest import Satupintu


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "rows.ndjson"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return file


GOOD = {"id": "baik", "text": "Lampu mati di Dago"}


def test_h1_names_and_conversations_without_end_stop_nobody(satupintu: Satupintu, tmp_path: Path):
    long = {"text": "x y z", "conversation": "A" * 600_000, "name": "B" * 200_000, "id": "C" * 300_000}
    ledger, _ = satupintu.ingest(written(tmp_path, long, GOOD))
    assert ledger == {"received": 2, "recorded": 2}


def test_5_7_a_megabyte_of_words_is_recorded(satupintu: Satupintu, tmp_path: Path):
    words = ("Jalan rusak. " * 80_000).strip()
    satupintu.ingest(written(tmp_path, {"text": words}, GOOD))
    assert max(map(len, satupintu.texts())) == len(words)


def test_l2_the_name_of_a_file_stands_nowhere_in_plain(satupintu: Satupintu, tmp_path: Path):
    (tmp_path / "CANARYROWFILE.pdf").write_bytes(b"%PDF-")
    satupintu.ingest(written(tmp_path, {**GOOD, "attachments": ["CANARYROWFILE.pdf", "CANARYROWGONE.pdf"]}))
    record = b"".join(path.read_bytes() for path in satupintu.folder.glob("record.db*"))
    assert b"CANARYROW" not in record


def test_m8_combining_marks_cost_no_time(satupintu: Satupintu, tmp_path: Path):
    marks = written(tmp_path, {"text": "a" + "\u0301\u0327" * 250_000})
    begun = time.process_time()
    satupintu("read", marks)
    assert time.process_time() - begun < 5
