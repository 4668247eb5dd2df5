"""XLSX as offices hand it in, and as somebody makes it who means harm."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook

from connectors._rows import Row, UnreadableFile, name_rows, read_rows, row_place
from connectors._rows import workbook as _workbook

HEAD = ["id", "text", "sender", "sent_at"]


def made(*sheets: list[list[Any]], hidden: bool = False) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Bulan {number}")
        for row in rows:
            sheet.append(row)
        if hidden and number == len(sheets):
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows(data: bytes, name: str = "a.xlsx") -> list[Row]:
    return list(read_rows(name, io.BytesIO(data)))


def values(data: bytes) -> list[dict[str, str]]:
    return [json.loads(row.body) for row in rows(data)]


def with_part(data: bytes, part: str, body: str) -> bytes:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, body if name == part else old.read(name))
    return out.getvalue()


def with_sheet(cells: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'
    return with_part(made([HEAD]), "xl/worksheets/sheet1.xml", xml)


def inline(at: str, text: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>'


TEXT_HEAD = f'<row r="1">{inline("A1", "text")}{inline("B1", "sender")}{inline("C1", "sent_at")}</row>'


def test_the_rows_are_those_of_the_sheet_as_texts():
    sent = datetime(2025, 8, 5, 9, 30)
    data = made([HEAD, [17, "Jalan\nrusak", 6281200000017, sent], [18.0, "Lampu", "081200000018", date(2025, 8, 6)]])
    assert values(data) == [
        {"id": "17", "text": "Jalan\nrusak", "sender": "6281200000017", "sent_at": "2025-08-05 09:30:00"},
        {"id": "18", "text": "Lampu", "sender": "081200000018", "sent_at": "2025-08-06"},
    ]


def test_it_may_have_any_name_and_come_as_a_stream():
    class Flowing(io.BytesIO):
        def seekable(self) -> bool:
            return False

    (row,) = read_rows("-", Flowing(made([HEAD, [1, "Macet"]])))
    assert json.loads(row.body)["text"] == "Macet"


def test_titles_stand_above_the_headings_and_lines_count_from_the_top():
    data = made([["REKAP PENGADUAN"], [], ["Bulan", "Mei 2025"], HEAD, [], [1, "Macet"], [None, None, "0812"]])
    assert [row.line for row in rows(data)] == [6, 7]


def test_a_date_that_is_shown_as_a_number_is_a_date():
    assert [row["sent_at"] for row in values(made([HEAD, [1, "Macet", "", 45874], [2, "Air", "", 45874.5]]))] == [
        "2025-08-05",
        "2025-08-05 12:00:00",
    ]


def test_a_number_that_is_no_date_of_our_time_stays_a_number():
    assert [row["sent_at"] for row in values(made([HEAD, [1, "Macet", "", 12], [2, "Air", "", 1e9]]))] == [
        "12",
        "1000000000",
    ]


def test_a_time_of_day_stands_beside_its_date():
    head = ["No", "Tanggal", "Jam", "Isi Laporan"]
    (row,) = values(made([head, [1, date(2025, 8, 5), time(9, 30), "Macet"]]))
    assert (row["sent_at"], row["text"]) == ("2025-08-05 09:30:00", "Macet")


@pytest.mark.parametrize(
    ("day", "clock", "read"),
    [
        (date(2025, 8, 5), 0.354166667, "2025-08-05 08:30:00"),
        (date(2025, 8, 5), 0.25, "2025-08-05 06:00:00"),
        (date(2025, 8, 5), 0, "2025-08-05 00:00:00"),
        (date(2025, 8, 5), 8.3, "2025-08-05 8.30"),
        (date(2025, 8, 5), 14, "2025-08-05 14.00"),
        (45874, 0.75, "2025-08-05 18:00:00"),
        (datetime(2025, 8, 5, 9, 1), datetime(2025, 8, 5, 9, 1), "2025-08-05 09:01:00"),
        (datetime(2025, 8, 5), datetime(1900, 1, 1, 9, 1), "2025-08-05 09:01:00"),
    ],
)
def test_a_time_of_day_may_be_a_number(day: Any, clock: Any, read: str):
    (row,) = values(made([["Tanggal", "Jam", "Isi Laporan"], [day, clock, "Macet"]]))
    assert row == {"sent_at": read, "text": "Macet"}


def test_a_damaged_phone_is_said_and_the_others_are_not():
    found = rows(made([HEAD, [1, "Macet", "6.28E+12"], [2, "Air", "6,2812E+12"], [3, "Lampu", 6.281234567890e12]]))
    assert ["damaged" in row.note for row in found] == [True, True, False]
    assert all("6" not in re.sub(r"6\.28E\+12;", "", row.note) for row in found)


def test_each_visible_sheet_with_known_headings_is_read():
    guide = [["Petunjuk pengisian"]]
    found = rows(made(guide, [HEAD, [1, "Macet"]], [["judul"], HEAD, [1, "Air"]], [HEAD, [9, "Rahasia"]], hidden=True))
    named = list(name_rows(found))
    assert [row_place(row) for row in named] == ["2 of sheet Bulan 2", "3 of sheet Bulan 3"]
    assert "Bulan 1" in found[0].note


def test_a_hidden_sheet_of_reports_is_not_left_out_in_silence():
    for heads, note in (
        (HEAD, "the hidden sheets are left out: Bulan 2"),
        (["text", "Text"], "the hidden sheets are left out: Bulan 2"),
        (["Kode", "Nama"], ""),  # what the cells of another sheet are chosen from
    ):
        data = made([HEAD, [1, "Macet"]], [heads, [9, "Air"]], hidden=True)
        assert [row.note for row in rows(data)] == [note]


def test_a_formula_is_the_value_beside_it():
    cells = f'<row r="2">{inline("A2", "Macet")}<c r="B2"><f>A1</f><v>812</v></c><c r="C2"><f>A1</f></c></row>'
    assert [json.loads(row.body) for row in rows(with_sheet(TEXT_HEAD + cells))] == [{"text": "Macet", "sender": "812"}]


def test_words_may_stand_once_for_all_cells():
    shared = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>Macet</t></si></sst>'
    data = with_sheet(TEXT_HEAD + '<row r="2"><c r="A2" t="s"><v>0</v></c></row>')
    types = zipfile.ZipFile(io.BytesIO(data)).read("[Content_Types].xml").decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    out = io.BytesIO(with_part(data, "[Content_Types].xml", types.replace("</Types>", named)))
    with zipfile.ZipFile(out, "a") as added:
        added.writestr("xl/sharedStrings.xml", shared)
    assert values(out.getvalue()) == [{"text": "Macet"}]


def test_a_row_that_is_wider_than_its_headings_is_named_and_the_next_one_is_read():
    found = rows(made([HEAD, [1, "Macet", "0812", "2025-08-05", "lebih"], [2, "Air"]]))
    assert [(row.line, row.fault) for row in found] == [(2, "too_many_cells"), (3, "")]


def test_a_workbook_without_known_headings_says_what_to_do():
    with pytest.raises(UnreadableFile, match="satupintu file map"):
        rows(made([["Nama Barang", "Harga"], ["Lampu", 20000]]))


def test_an_empty_workbook_is_one_without_headings():
    with pytest.raises(UnreadableFile, match="no column `text`"):
        rows(made([]))


FAR = inline("XFD3", "x")
HARMFUL = {
    "a row that stands too far below": f'<row r="99999999999">{inline("A99999999999", "x")}</row>',
    "no row at all": "<row><c/><c r='?'><v>x</v></c></row>",
    "words that are not there": '<row r="2"><c r="A2" t="s"><v>900</v></c></row>',
    "an open tag": '<row r="2"><c r="A2">',
}


@pytest.mark.parametrize("cells", HARMFUL.values(), ids=HARMFUL)
def test_harm_is_one_line(cells: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_workbook, "ROWS", 20_000)
    with pytest.raises(UnreadableFile) as caught:
        rows(with_sheet(TEXT_HEAD + cells))
    assert "\n" not in str(caught.value)


def test_cells_in_the_last_corner_cost_no_more_than_their_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_workbook, "CELLS", 40_000)
    wide = "".join(f'<row r="{n}">{inline(f"XFD{n}", "x")}</row>' for n in range(2, 6))
    with pytest.raises(UnreadableFile, match="more rows or cells"):
        rows(with_sheet(TEXT_HEAD + wide))


def test_one_that_unpacks_without_end_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_workbook, "UNPACKED", 1_000_000)
    packed = with_part(made([HEAD, [1, "Macet"]]), "xl/worksheets/sheet1.xml", " " * 2_000_000)
    assert len(packed) < 20_000
    with pytest.raises(UnreadableFile, match="too large when unpacked"):
        rows(packed)


def test_parts_in_memory_that_unpack_without_end_are_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_workbook, "WORDS", 1_000_000)
    packed = with_part(made([HEAD, [1, "Macet"]]), "xl/styles.xml", " " * 2_000_000)
    with pytest.raises(UnreadableFile, match="too large when unpacked"):
        rows(packed)


def test_entities_are_not_unfolded():
    data = made([HEAD, [1, "Macet"]])
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet><sheetData>&b;</sheetData></worksheet>'
    with pytest.raises(UnreadableFile, match="damaged"):
        rows(with_part(data, "xl/worksheets/sheet1.xml", bomb))


def test_one_that_is_cut_off_is_damaged():
    data = made([HEAD, [1, "Macet"]])
    with pytest.raises(UnreadableFile, match="damaged workbook"):
        rows(data[: len(data) // 2])
