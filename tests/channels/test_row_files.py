"""Files as offices hand them in: encodings, line ends, tables that are broken, files of another kind."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors._rows import Row, UnreadableFile, read_rows
from connectors._rows import lines as _lines


def rows(data: bytes | str, name: str = "a.csv") -> list[Row]:
    return list(read_rows(name, io.BytesIO(data.encode() if isinstance(data, str) else data)))


def texts(data: bytes | str, name: str = "a.csv") -> list[str]:
    return [json.loads(row.body)["text"] if not row.fault else row.fault for row in rows(data, name)]


TABLE = "id;text\r\n1;Jalan “rusak” – parah\r\n2;Café tutup\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_is_read_in_any_encoding_with_any_line_ends(encoding: str, end: str, delimiter: str):
    data = TABLE.replace("\r\n", end).replace(";", delimiter).encode(encoding)
    assert texts(data) == ["Jalan “rusak” – parah", "Café tutup"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_lines_of_json_are_read_in_any_encoding(encoding: str):
    data = '{"text":"Jalan “rusak”"}\r\n{"text":"Café"}'.encode(encoding)
    assert texts(data, "a.ndjson") == ["Jalan “rusak”", "Café"]


def test_half_a_character_does_not_turn_the_rest_into_another_encoding():
    assert texts("text\nPasar “Baru” \U0001f600".encode()[:-2] + b"\n") == ["Pasar “Baru” \ufffd"]
    assert texts(b"text\nLampu \xf0\x9f\n") == ["Lampu \ufffd"]


def test_a_file_whose_line_ends_were_doubled_is_read_cell_by_cell():
    data = 'id,text,sender\r\r\nd1,"baris satu\r\r\nbaris dua",0812\r\r\nd2,lampu mati,0813\r\r\n'
    assert texts(data) == ["baris satu\n\n\nbaris dua", "lampu mati"]


def test_a_break_of_another_kind_stays_inside_its_cell():
    assert texts('text,id\r\nLampu\rmati,1\r\n"dua\nbaris",2\r\n') == ["Lampu\nmati", "dua\nbaris"]


def test_nul_stays_inside_its_cell():
    assert texts(b"text,id\nLampu\0mati,1\nMacet,2\n") == ["Lampu\0mati", "Macet"]


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_a_row_without_end_is_named_and_the_next_one_is_read(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_lines, "LONGEST", 100_000)
    long = "x" * 300_000
    data = f"id,text\n1,{long}\n2,Macet\n" if name == "a.csv" else f'{{"text":"{long}"}}\n{{"text":"Macet"}}\n'
    found = rows(data, name)
    assert [row.fault for row in found] == ["too_long", ""]
    assert len(found[0].body) < 5000


HEAD = "id,text,sender\n"


def test_a_quote_that_is_never_closed_swallows_nobody():
    data = HEAD + '1,Jalan,0811\n2,"Bu Sari: lampu,0812\n3,Air,0813\n4,"Sampah, basah",0814\n'
    found = rows(data)
    assert texts(data) == ["Jalan", '"Bu Sari: lampu', "Air", "Sampah, basah"]
    assert [row.line for row in found if row.note] == [3]


def test_a_quote_that_is_closed_in_a_later_row_swallows_nobody():
    data = HEAD + '2,"Bu Sari: lampu,08120001\n3,Air,08130001\n4,Pipa 12",08140001\n5,Macet,08150001\n'
    assert texts(data) == ['"Bu Sari: lampu', "Air", 'Pipa 12"', "Macet"]


def test_a_quote_that_is_closed_in_the_next_row_swallows_nobody():
    assert texts(HEAD + '2,"Lampu,08120001\n3,Pipa 12",08130001\n') == ['"Lampu', 'Pipa 12"']


def test_ids_that_follow_one_another_are_rows():
    assert texts('id,text\n2,"Bu Sari: lampu\n3,Air keruh\n4,Pipa 12"\n') == [
        '"Bu Sari: lampu',
        "Air keruh",
        'Pipa 12"',
    ]


def test_a_quote_that_opens_a_row_which_cannot_be_told_is_named():
    data = HEAD + '2,"Bu Sari: lampu\nmati di Dago,0812\n3,Air,0813\n'
    assert [(row.line, row.fault) for row in rows(data)] == [(2, "open_quote"), (3, ""), (4, "")]


@pytest.mark.parametrize(
    "cell",
    ["Jalan rusak,\nparah", "Warga:\nBudi, RT 03, 08120001\nAni, RT 04, 08120002", "di A, B,\ndi C, D", '""Baru""\n',
     "a\n\n\nb"],
)  # fmt: skip
@pytest.mark.parametrize("order", ["id,text,sender", "text,sender,id", "sender,id,text"])
def test_words_of_many_lines_are_one_cell(cell: str, order: str):
    row = {"id": "1", "text": f'"{cell}"', "sender": "08120009"}
    data = f"{order}\n{','.join(row[name] for name in order.split(','))}\n"
    assert texts(data) == [cell.replace('""', '"')]


def test_inches_are_no_quotes():
    assert texts(HEAD + '1,Pipa 12" bocor,0811\n2,Pipa 3" bocor,0812\n') == ['Pipa 12" bocor', 'Pipa 3" bocor']


def test_a_quoted_word_at_the_beginning_of_a_cell_is_kept():
    assert texts(HEAD + '1,"Jalan" rusak,0811\n') == ['"Jalan" rusak']


@given(st.lists(st.text('ab,"\n \r;', max_size=12), min_size=1, max_size=6))
def test_every_line_of_a_broken_table_is_in_a_row_or_named(cells: list[str]):
    lines = [f"r{n},x{cell},0811" for n, cell in enumerate(cells, 1)]
    found = b"\n".join(row.body for row in rows(HEAD + "\n".join(lines))).decode()
    assert [n for n in range(1, len(cells) + 1) if f"r{n}" not in found] == []


@pytest.mark.parametrize("head", ["id,text,Text", "text,sender,SENDER ", 'text,"sent_at",sent_at', "\ufefftext,text"])
def test_two_columns_of_one_meaning_are_a_wrong_call(head: str):
    with pytest.raises(UnreadableFile, match="2 columns `"):
        rows(f"{head}\n1,2,3\n")


def test_columns_of_one_name_or_of_none_keep_their_cells():
    (row,) = rows("text;Keterangan;Keterangan;;;keterangan 2;column 4\nJalan;a;b;c;d;e;f\n")
    assert json.loads(row.body) == {
        "text": "Jalan", "keterangan": "a", "keterangan 3": "b", "column 4 2": "c", "column 5": "d",
        "keterangan 2": "e", "column 4": "f",
    }  # fmt: skip


def test_a_row_wider_than_its_headings_is_named_and_empty_cells_are_none():
    found = rows(HEAD + "1,Jalan rusak, gelap,0811\n2,Lampu,0812,,,\n")
    assert [row.fault for row in found] == ["too_many_cells", ""]
    assert not found[1].note


def test_a_row_narrower_than_its_headings_is_read_and_said():
    (row,) = rows(HEAD + "1,Jalan rusak\n")
    assert (json.loads(row.body)["text"], row.note[:16]) == ("Jalan rusak", "it has 2 cells u")


def test_headings_that_come_again_are_no_report():
    assert [row.fault for row in rows(HEAD + "1,Jalan,0811\n" + HEAD + "1,Lampu,0812\n")] == ["", "headings_again", ""]


def test_excels_hint_of_the_delimiter_is_no_heading():
    assert texts("sep=;\r\nid;text\r\n1;Jalan, rusak\r\n") == ["Jalan, rusak"]


def test_a_heading_over_two_lines_is_one():
    assert texts('"No\nUrut",Text\n1,Jalan\n') == ["Jalan"]


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), "isi")  # a date of its own: every process names the same tests
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PRETTY = json.dumps([{"text": "Jalan", "id": str(n)} for n in range(3000)], indent=1)
WHOLE: list[tuple[str, bytes | str, str]] = [
    ("a.xlsx", zipped("[Content_Types].xml", "xl/workbook.xml"), "a damaged workbook"),
    ("a.csv", zipped("[Content_Types].xml", "xl/workbook.xml"), "a damaged workbook"),
    ("a.xlsx", zipped("[Content_Types].xml", "xl/workbook.xml")[:20], "a damaged workbook"),
    ("a.XLSX", bytes(range(256)) * 8, "a damaged workbook"),
    ("a.xlsm", "Sheet1\n", "a damaged workbook"),
    ("a.xlsx", "", "a damaged workbook"),
    ("a.xlsb", zipped("[Content_Types].xml", "xl/workbook.bin"), "a binary workbook of Excel: save it as XLSX"),
    ("a.docx", zipped("[Content_Types].xml", "word/document.xml"), "a Word document"),
    ("a.zip", zipped("rows.csv"), "compressed"),
    ("a.xls", OLE + bytes(600), "an old Excel"),
    ("a.xls", "<table><tr><td>text</td></tr></table>", "a web page"),
    ("a.csv", "\n<!DOCTYPE html><html>text", "a web page"),
    ("a.xml", '<?xml version="1.0"?><Workbook/>', "XML"),
    ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
    ("a.csv.gz", gzip.compress(b"id,text\n1,Jalan\n", mtime=0), "compressed"),
    ("a.csv.bz2", bz2.compress(b"id,text\n1,Jalan\n"), "compressed"),
    ("a.csv.xz", lzma.compress(b"id,text\n1,Jalan\n"), "compressed"),
    ("a.bin", bytes(range(256)) * 8, "no text file"),
    ("a.json", '[{"text":"Jalan"}]', "one JSON array"),
    ("a.json", " \n[\n {\n", "one JSON array"),
    ("a.json", PRETTY, "one JSON array"),
    ("a.json", '{\n "text": "Jalan"\n}\n', "one JSON object over several lines"),
    ("a.json", '{"id": 1,\n "text": "Jalan"}\n{"id": 2,\n "text": "Lampu"}\n', "one JSON object over several lines"),
    ("a.json", json.dumps({"rows": "x" * 80_000, "text": "Jalan"}, indent=1), "one JSON object over several lines"),
    ("a.ndjson", '{"data":{"items":[{"text":"Jalan"}]}}', r"jq -c '\.data\.items\[\]'"),
    ("a.txt", "05/08/25 14.30 - Bu Ratna: Jalan rusak\n", "an exported chat"),
    ("a.txt", "[05/08/25 14.30.15] Bu Ratna: Jalan rusak\n", "an exported chat"),
    ("a.txt", "Yth. Bapak Bupati,\njalan kami rusak\n", "a text without rows"),
    ("a.csv", "id,isi\n1,Jalan\n", "no column `text`.*satupintu file map"),
]


OWN = {"text": "Cerita warga", "sender": "Kontak"}
RENAMED = [
    ("Cerita,Kontak\nJalan rusak,0812\n", "no column `Cerita warga`, which `columns` of the account names as text"),
    ("Cerita warga,Hubungi\nJalan rusak,0812\n", "no column `Kontak`, which `columns` of the account names as sender"),
]


@pytest.mark.parametrize(("data", "words"), RENAMED)
def test_a_table_whose_columns_were_renamed_takes_nothing_in_without_its_reporters(data: str, words: str):
    with pytest.raises(UnreadableFile, match=words):
        list(read_rows("a.csv", io.BytesIO(data.encode()), OWN))


@pytest.mark.parametrize("headings", ["Isi Laporan,Kategori", "Cerita warga,No HP", "text,tags"])
def test_a_table_of_a_known_layout_needs_no_columns_of_the_account(headings: str):
    assert len(list(read_rows("a.csv", io.BytesIO(f"{headings}\nJalan rusak,0812\n".encode()), OWN))) == 1


@pytest.mark.parametrize(("name", "data", "words"), WHOLE, ids=lambda value: ascii(value[:24]))
def test_a_file_of_another_kind_is_named_before_anything_is_taken(name: str, data: bytes | str, words: str):
    with pytest.raises(UnreadableFile, match=words) as caught:
        rows(data, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "faults"),
    [('{broken\n{"text":"Jalan"}\n', 2), ('bukan JSON\n{"text":"Jalan"}\n', 2), ('{"text":"Jalan"}\nbukan JSON\n', 2),
     ("", 0), ("\n \n", 0), ('{"text":"Jalan","items":[{"a":1}]}', 1)],
)  # fmt: skip
def test_rows_with_some_wrong_ones_among_them_are_rows(data: str, faults: int):
    assert len(rows(data, "a.ndjson")) == faults


def test_a_stream_is_read_as_it_comes():
    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return super().read1(3)

    assert [json.loads(row.body)["text"] for row in read_rows("-", Slow(HEAD.encode() + b"1,Jalan,2\n"))] == ["Jalan"]


class Failing(io.BytesIO):
    def read1(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read1(20)


def test_a_disk_that_fails_is_said():
    with pytest.raises(UnreadableFile, match="to its end"):
        list(read_rows("a.csv", Failing(HEAD.encode() + b"1,Jalan,0811\n" * 9)))
