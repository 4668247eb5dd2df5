"""`route`: a line for each row, in order, with its office and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.program import satupintu

ROWS = (
    {"id": "1", "text": "Jalan berlubang di depan Pasar Baru", "region": "34.04"},
    {"id": "2", "text": "Yth. Pemkot Semarang, lampu jalan mati sejak kemarin malam"},
    {"id": "1", "text": "Jalan berlubang di depan Pasar Baru", "region": "34.04"},
    {"text": "Air mati dua hari", "office": "meja-layanan/35.78"},
)


def lines(stdin: str, **more: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in satupintu("route", "-", stdin=stdin, **more).stdout.splitlines()]


def ndjson(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_line_for_each_row_in_order_with_exactly_the_fields_that_scripts_rely_on() -> None:
    found = lines(ndjson(*ROWS))
    assert [list(line) for line in found] == [["id", "office", "level", "p", "why", "top"]] * 4
    assert [line["id"] for line in found[:2]] == ["1", "2"]
    assert [(line["office"] or {}).get("name") for line in found] == [
        "Meja Layanan Kabupaten Sleman", "Meja Layanan Kota Semarang", "Meja Layanan Kabupaten Sleman",
        "Meja Layanan Kota Surabaya",
    ]  # fmt: skip
    assert [line["p"] for line in found] == [0, 1, 0, 1]
    assert found[0]["level"] == "regency"
    assert found[0]["top"] == [found[0]["office"] | {"p": 0}]
    assert "Sleman" in found[0]["why"]


def test_it_names_the_office_that_ingest_gives_by_the_hubs_own_rules_and_offices(tmp_path: Path) -> None:
    (tmp_path / "offices.csv").write_text("id,name,regions,aliases\npu,Dinas PU,34.04,PU Sleman\n")
    (tmp_path / "rules.toml").write_text(
        '[[rule]]\nname = "jalan"\nwhen = { words = "jalan" }\noffice = { unit = "Dinas PU" }\nwhy = "Soal {word}."\n'
    )
    (tmp_path / "rows.ndjson").write_text(ndjson(ROWS[0]))
    [fresh] = lines(ndjson(ROWS[0]), data=tmp_path)
    satupintu("ingest", str(tmp_path / "rows.ndjson"), data=tmp_path)
    [again] = lines(ndjson(ROWS[0]), data=tmp_path)
    exported = json.loads(satupintu("export", data=tmp_path).stdout)
    assert fresh["office"] == again["office"] == exported["office"] == {"id": "pu", "name": "Dinas PU"}
    assert fresh["why"] == "Soal jalan."
