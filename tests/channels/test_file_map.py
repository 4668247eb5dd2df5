"""`satupintu file map`: a proposal for a table whose headings nobody knows."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from connectors._rows import UnreadableFile, read_rows
from connectors._rows.proposal import propose_columns
from connectors.file import FileSettings
from hub.cli import satupintu
from hub.commands.file_map import map_

UNKNOWN = (
    "DATA POSKO 2025\n"
    "Urut;Waktu Kontak;Yang Melapor;Hubungi;Cerita Warga;Petugas\n"
    "1;25/08/2025 09:30;Bu Contoh;0812-0000-0001;Lampu jalan di depan sekolah mati;Andi\n"
    "2;05/08/2025 10:00;Pak Contoh;081200000002;Air keruh sejak kemarin pagi di RT 04;Andi\n"
)


def proposed(data: str | bytes, name: str = "a.csv") -> dict[str, str]:
    body = data.encode() if isinstance(data, str) else data
    return {one.heading: one.field for one in propose_columns(name, io.BytesIO(body)).columns if one.field}


def test_columns_are_proposed_by_their_cells_where_no_heading_is_known():
    found = propose_columns("a.csv", io.BytesIO(UNKNOWN.encode()))
    assert {one.heading: one.field for one in found.columns} == {
        "Urut": None, "Waktu Kontak": "sent_at", "Yang Melapor": None, "Hubungi": "sender", "Cerita Warga": "text",
        "Petugas": None,
    }  # fmt: skip
    assert (found.line, found.rows, found.day_first) == (2, 2, True)


def test_a_heading_that_is_nearly_known_is_proposed():
    assert proposed("No,Isi Pengaduaan,Tanggal Lapor\n1,Macet,2025-08-05\n") == {
        "Isi Pengaduaan": "text", "Tanggal Lapor": "sent_at"
    }  # fmt: skip


def test_our_own_names_are_what_they_say_whatever_stands_under_them():
    own = "ID,Text,sender,catatan\n081200000003,Macet,@warga,Lampu jalan di depan sekolah mati\n"
    assert proposed(own) == {"ID": "id", "Text": "text", "sender": "sender"}


def test_a_workbook_is_looked_at_too():
    book = Workbook()
    for row in (["Posko"], ["Kode", "Cerita"], ["A", "Lampu jalan di depan sekolah mati"]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    assert proposed(out.getvalue(), "a.xlsx") == {"Cerita": "text"}


@pytest.mark.parametrize("data", ["", "satu kolom\nsaja\n", b"%PDF-1.7"], ids=["empty", "one column", "a PDF"])
def test_what_is_no_table_is_said(data: str | bytes):
    with pytest.raises(UnreadableFile):
        proposed(data)


def test_what_is_printed_can_be_pasted_and_reads_the_file(tmp_path: Path):
    (tmp_path / "Rekap Posko.csv").write_text(UNKNOWN)
    done = CliRunner().invoke(map_, [str(tmp_path / "Rekap Posko.csv")])
    account = tomllib.loads(done.stdout)["rekap-posko"]
    settings = FileSettings(columns=account["columns"], dates=account["dates"])
    rows = list(read_rows("a.csv", io.BytesIO(UNKNOWN.encode()), settings.columns))
    assert [(row.line, row.fault, b"Cerita" in row.body) for row in rows] == [(3, "", False), (4, "", False)]


def test_it_is_a_command():
    assert satupintu.get_command(None, "file") is not None  # type: ignore[arg-type]
