"""`read` and `match`: rows in, the events that a room makes of them out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.program import satupintu

ROWS = [
    {"id": "1", "text": "Jalan berlubang di depan Pasar Baru Cikapundung", "sender": "+62 812-0000-1234"},
    {"id": "2", "text": "Lampu jalan mati sejak kemarin malam", "sender": "+62 812-0000-1235"},
    {"id": "1", "text": "Jalan berlubang di depan Pasar Baru Cikapundung", "sender": "+62 812-0000-1234"},
    {"id": "3", "text": "jalan berlubang di depan pasar baru cikapundung", "sender": "0812-0000-1234"},
]
OTHERS = {"id": "4", "text": "jalan depan pasar baru cikapundung berlubang", "sender": "0812-0000-9"}


def lines(command: str, rows: list[Any]) -> list[dict[str, Any]]:
    done = satupintu(command, "-", stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


READ = {"id", "class", "sort", "category", "place", "language", "personal", "emergency", "text_read", "extra"}


def test_read_gives_a_line_a_row_in_order() -> None:
    found = lines("read", ROWS)
    assert [one["id"] for one in found] == ["1", "2", "1", "3"]
    assert all(set(one) == READ for one in found)


def test_read_says_where_who_is_named_and_what_was_meant() -> None:
    text = "jln rsk parahhh di Kec. Coblong Kota Bandung, hub sy Sari Dewi 0812-0000-1234"
    (found,) = lines("read", [{"id": "9", "text": text, "loket": "3"}])
    assert found["text_read"] == text.replace("jln rsk parahhh", "jalan rusak parah").replace(
        "Kec.", "Kecamatan"
    ).replace("sy", "saya")
    assert (found["place"]["code"], found["place"]["level"], found["place"]["name"]) == (
        "32.73.02",
        "district",
        "Coblong",
    )
    assert found["place"]["p"] > 0.9
    named = {(one["kind"], found["text_read"][one["start"] : one["end"]]) for one in found["personal"]}
    assert named == {("name", "Sari Dewi"), ("phone", "0812-0000-1234")}
    assert (found["language"], found["emergency"], found["extra"]) == ("id", False, {"loket": "3"})


def test_read_finds_the_ward_in_the_address_inside_the_region_that_was_stated() -> None:
    row = {"id": "1", "text": "lampu padam", "address": "Jl. Rungkut Asri 2, Kalirungkut", "region": "35.78"}
    (found,) = lines("read", [row])
    assert (found["place"]["code"], found["place"]["level"]) == ("35.78.03.1001", "village")


def test_read_says_no_place_where_names_are_equal() -> None:
    (found,) = lines("read", [{"id": "1", "text": "Jalan di Bandung gelap sekali sejak kemarin"}])
    assert found["place"] is None


def test_match_remembers_within_a_call() -> None:
    found = lines("match", [*ROWS, OTHERS])
    assert [list(line) for line in found] == [["id", "kind", "of", "score", "evidence"]] * 5
    assert [(line["id"], line["kind"], line["of"]) for line in found] == [
        ("1", "new", None), ("2", "new", None), ("1", "redelivery", "1"), ("3", "same_report", "1"),
        ("4", "same_incident", "1"),
    ]  # fmt: skip
    assert [line["score"] for line in found[:4]] == [0, 0, 1, 0.5]
    assert found[4]["score"] >= 0.6


@pytest.mark.parametrize("command", ["read", "match", "route"])
def test_a_wrong_row_is_named_has_no_line_and_the_others_pass(command: str) -> None:
    rows = '{"id": "a", "text": "Jalan rusak"}\nno row\n{"id": "c", "text": "Banjir"}\n{"id": "d", "text": ""}\n'
    done = satupintu(command, "-", stdin=rows)
    assert done.returncode == 2
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a", "c"]
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["line 2", "line 4"]


def test_csv_is_known_by_its_heading() -> None:
    done = satupintu("read", "-", stdin="id;text\n7;Air mati\n")
    assert json.loads(done.stdout)["id"] == "7"
