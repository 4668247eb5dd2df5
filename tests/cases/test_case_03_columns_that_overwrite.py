"""No column takes another's place, and no row loses its end."""

from __future__ import annotations

from pathlib import Path

from tests.cases.conftest import INPUTS, Satupintu


def test_two_columns_of_words_are_a_wrong_call(satupintu: Satupintu):
    done = satupintu("ingest", INPUTS / "03" / "twice.csv")
    assert (done.code, done.out, len(done.err)) == (64, [], 1)
    assert "has 2 columns `text` (columns 2 and 8)" in done.err[0]
    assert not satupintu("ledger", "--json").out[0]["all"]["received"]


def test_other_columns_of_one_name_or_none_keep_every_cell(satupintu: Satupintu, tmp_path: Path):
    (tmp_path / "rows.csv").write_text("id;text;Keterangan;Keterangan;;\n1;Jalan rusak;di Dago;3 bulan;foto;surat\n")
    (message,) = satupintu("read", tmp_path / "rows.csv").out
    assert message["extra"] == {
        "keterangan": "di Dago", "keterangan 2": "3 bulan", "column 5": "foto", "column 6": "surat",
    }  # fmt: skip


def test_a_row_wider_than_its_headings_is_named(satupintu: Satupintu):
    ledger, (line,) = satupintu.ingest(INPUTS / "03" / "wide.csv")
    assert ledger == {"received": 2, "recorded": 1, "dead": 1}
    assert line.startswith("line 2: it has more cells than the file has columns")


def test_a_field_of_json_that_stands_twice_is_named(satupintu: Satupintu, tmp_path: Path):
    (tmp_path / "rows.ndjson").write_text('{"text": "Jalan rusak", "text": "Lampu mati"}\n')
    ledger, (line,) = satupintu.ingest(tmp_path / "rows.ndjson")
    assert (ledger, line[:35]) == ({"received": 1, "dead": 1}, 'line 1: "text" stands twice in the ')
