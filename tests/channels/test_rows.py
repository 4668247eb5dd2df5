"""Files of rows: what a row is, its name, and files that hold none."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors._rows import ROW_FIELDS, NamedRow, UnreadableFile, name_rows, open_rows, raw_from_row, read_rows
from tests.channels.recording import channel, read

AT = datetime(2025, 8, 18, 2, 0, tzinfo=UTC)
INTERFACE = Path(__file__).parents[2] / "docs" / "interface.md"


def rows(name: str, data: bytes) -> list[tuple[int, bytes]]:
    return [(row.line, row.body) for row in read_rows(name, io.BytesIO(data))]


def test_lines_of_json_are_rows_as_they_stand():
    assert rows("a.ndjson", b'{"text": "x"}\n\n{broken\n') == [(1, b'{"text": "x"}'), (3, b"{broken")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["a.csv", "-"])
def test_cells_are_named_by_the_first_line(name: str, delimiter: str):
    data = (
        delimiter.join(["id", "Text"])
        + "\n"
        + delimiter.join(["1", '"dua\nbaris"'])
        + "\n"
        + delimiter.join(["2", "x", "", " "])
    )
    assert rows(name, b"\xef\xbb\xbf" + data.encode()) == [
        (2, b'{"id":"1","text":"dua\\nbaris"}'),
        (4, b'{"id":"2","text":"x"}'),
    ]


def test_a_line_that_is_no_utf_8_is_read_as_windows_1252():
    assert rows("a.csv", b"text\nCaf\xe9\n") == [(2, '{"text":"Café"}'.encode())]


def test_equal_rows_have_names_of_their_own_and_keep_them():
    found = [row.name for row in name_rows(read_rows("a", io.BytesIO(b"{}\n{}\n")))]
    assert found == [row.name for row in name_rows(read_rows("a", io.BytesIO(b"{}\n{}\n")))]
    assert len(set(found)) == 2


@pytest.mark.parametrize(
    ("name", "data", "words"), [("a.csv", b"id,isi\n", "no column `text`"), ("a.json", b"[\n{}]", "one JSON array")]
)
def test_a_file_without_rows_says_what_to_do(name: str, data: bytes, words: str):
    with pytest.raises(UnreadableFile, match=words):
        rows(name, data)


@pytest.mark.parametrize("name", ["/nowhere/a.csv", "a\0b", "/"])
def test_a_file_that_cannot_be_opened_is_named(name: str):
    with pytest.raises(UnreadableFile, match="cannot be read"), open_rows(name):
        pass


@pytest.mark.parametrize(
    ("body", "conversation"),
    [
        (b'{"text":"x","id":5}', "5"),
        (b'{"text":"x","conversation":"k"}', "k"),
        (b'{"text":"x"}', "hash-1"),
        (b"{", None),
    ],
)
def test_rows_of_one_conversation_stay_in_order(body: bytes, conversation: str | None):
    stored = raw_from_row(NamedRow(7, body, "hash-1"), channel("file"), id="raw-1", at=AT)
    assert (stored.conversation, stored.headers) == (conversation, {"row-id": "hash-1", "row-line": "7"})


def test_a_conversation_of_any_length_makes_a_short_key_and_stays_itself():
    long = "A" * 600_000
    stored = raw_from_row(
        NamedRow(1, f'{{"text":"x","conversation":"{long}"}}'.encode(), "h"), channel("file"), id="r", at=AT
    )
    assert len(stored.key) < 100
    assert read(channel("file"), stored)[0].conversation == long


def test_the_interface_names_every_field_of_a_row():
    text = INTERFACE.read_text(encoding="utf-8")
    assert [name for name in ROW_FIELDS if f"`{name}`" not in text] == []
