"""One bad row never stops a file: it is named by its line, and the others are recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cases.conftest import INPUTS, Satupintu

FOLDER = INPUTS / "01"


@pytest.mark.parametrize(
    ("name", "ledger", "line"),
    [
        ("cr-in-a-cell.csv", {"received": 3, "recorded": 3}, ""),
        ("classic-mac.csv", {"received": 2, "recorded": 2}, ""),
        ("excel-unicode.csv", {"received": 2, "recorded": 2}, ""),
        ("nul-in-a-path.ndjson", {"received": 3, "recorded": 3}, "line 2: attachment a\ufffd.jpg does not exist"),
        ("photo-as-base64.ndjson", {"received": 3, "recorded": 3}, "line 2: attachment iVBORw0KGgo"),
        ("deep.ndjson", {"received": 3, "recorded": 2, "dead": 1}, "line 2: a row is one JSON object"),
    ],
)
def test_every_row_is_recorded_or_named(satupintu: Satupintu, name: str, ledger: dict[str, int], line: str):
    found, lines = satupintu.ingest(FOLDER / name)
    assert found == ledger
    assert [one[: len(line)] for one in lines] == ([line] if line else [])
    assert all(len(one) < 200 for one in lines)


def test_a_line_break_of_another_kind_stays_in_the_words(satupintu: Satupintu):
    satupintu.ingest(FOLDER / "cr-in-a-cell.csv")
    assert "Lampu mati\ndi gang belakang" in satupintu.texts()


def test_typographic_signs_of_utf_16_are_right(satupintu: Satupintu):
    satupintu.ingest(FOLDER / "excel-unicode.csv")
    assert satupintu.texts() == ["Jalan rusak – “parah”", "Lampu mati"]


def test_a_row_over_16_mib_is_named_and_the_next_one_recorded(satupintu: Satupintu, tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text(f"id,text\n1,{'x' * (17 * 2**20)}\n2,Lampu mati\n")
    assert satupintu.ingest(file) == ({"received": 2, "recorded": 1, "dead": 1}, ["line 2: it is over 16 MiB"])


ATTACHMENTS = {
    "../secret.txt": "lies outside the file's folder",
    "circle": "cannot be read",
    "folder": "is no file",
    ".env": "is hidden",
    "var/keys.toml": "belongs to the hub itself",
    "var/channels.toml": "belongs to the hub itself",
    "link-to-keys": "belongs to the hub itself",
    "x" * 5000: "does not exist",
    "a\x1b]0;title\x07.jpg": "does not exist",
}


def test_a_file_that_may_not_be_taken_is_named_and_its_row_goes_on(satupintu: Satupintu, tmp_path: Path):
    satupintu("ingest", FOLDER / "cr-in-a-cell.csv")  # makes the keys
    (tmp_path / "folder").mkdir()
    (tmp_path / ".env").write_text("SECRET=1")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "link-to-keys").symlink_to(tmp_path / "var" / "keys.toml")
    rows = [{"text": f"Jalan rusak {n}", "attachments": [path]} for n, path in enumerate(ATTACHMENTS)]
    (tmp_path / "rows.ndjson").write_text("\n".join(map(json.dumps, rows)))
    ledger, lines = satupintu.ingest(tmp_path / "rows.ndjson")
    assert ledger == {"received": len(rows), "recorded": len(rows)}
    for number, (line, fault) in enumerate(zip(lines, ATTACHMENTS.values(), strict=True), 1):
        assert line.startswith(f"line {number}: attachment ")
        assert line.endswith(f"{fault}; the row goes on without it")
        assert line.isprintable()
    assert not [path for path in (satupintu.folder / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("command", ["read", "match", "route"])
def test_the_commands_that_store_nothing_go_on_too(satupintu: Satupintu, command: str):
    done = satupintu(command, FOLDER / "deep.ndjson")
    assert (done.code, len(done.out), done.err) == (2, 2, ["line 2: a row is one JSON object: this one is not"])
