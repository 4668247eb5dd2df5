"""A file of another kind is one line that says what it is and what to do; nothing of it is taken.

Its siblings stand in tests/channels/test_row_files.py.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cases.conftest import INPUTS, Satupintu

FOLDER = INPUTS / "20"
KINDS = {
    "rekap.xlsx": "is a damaged workbook: open it in Excel and save it again",
    "rekap.xls": "is a web page: open it in the program that made it, and save it as XLSX or CSV UTF-8",
    "rows.csv.gz": "is compressed (gzip): unpack it first",
    "pretty.json": "is one JSON object over several lines: write one object a line, as jq -c .",
    "wrapped.json": "is one JSON object that holds the rows: write one object a line, as jq -c '.data[]'",
    "chat.txt": "is an exported chat: write a row for each report of it",
}


@pytest.mark.parametrize("command", ["ingest", "read"])
@pytest.mark.parametrize(("name", "words"), KINDS.items())
def test_it_is_named(satupintu: Satupintu, command: str, name: str, words: str):
    done = satupintu(command, FOLDER / name)
    assert (done.code, done.out, len(done.err)) == (64, [], 1)
    assert f"{name} {words}" in done.err[0]


def test_nothing_is_recorded(satupintu: Satupintu):
    satupintu.ingest(INPUTS / "17" / "rows.csv")
    for name in KINDS:
        satupintu("ingest", FOLDER / name)
    assert satupintu("ledger", "--json").out[0]["all"]["received"] == 2


def test_the_name_of_a_file_reaches_no_terminal_as_a_command(satupintu: Satupintu, tmp_path: Path):
    odd = tmp_path / "a\x1b]0;x\x07.xlsx"
    shutil.copy(FOLDER / "rekap.xlsx", odd)
    (line,) = satupintu("ingest", odd).err
    assert line.isprintable()
