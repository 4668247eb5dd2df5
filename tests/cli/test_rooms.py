"""`read` and `match`: rows in, the events that a room makes of them out."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.program import satupintu

ROWS = [
    {"id": "1", "text": "Jalan berlubang di depan Pasar Baru", "sender": "+62 812-0000-1234"},
    {"id": "2", "text": "Lampu jalan mati sejak kemarin malam", "sender": "+62 812-0000-1235"},
    {"id": "1", "text": "Jalan berlubang di depan Pasar Baru", "sender": "+62 812-0000-1234"},
    {"id": "3", "text": "jalan berlubang di depan pasar baru", "sender": "0812-0000-1234"},
]


def lines(command: str, rows: list[Any]) -> list[dict[str, Any]]:
    done = satupintu(command, "-", stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_read_gives_a_message_a_row() -> None:
    messages = lines("read", ROWS)
    assert [m["id"] for m in messages] == ["file/file/1", "file/file/2", "file/file/1", "file/file/3"]
    assert messages[3]["sender"]["phone"] == "+6281200001234"


def test_match_remembers_within_a_call() -> None:
    complaints = lines("match", ROWS)
    assert [c["outcome"] for c in complaints] == ["recorded", "recorded", "redelivered", "recorded"]
    assert complaints[2]["id"] == complaints[0]["id"]
    assert all(len(c["number"]) == 10 for c in (complaints[0], complaints[3]))


def test_a_wrong_row_is_named_and_the_others_pass() -> None:
    done = satupintu("read", "-", stdin='{"text": "Jalan rusak"}\nno row\n{"text": "Banjir"}\n')
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.startswith("line 2: ")


def test_csv_is_known_by_its_heading() -> None:
    done = satupintu("read", "-", stdin="id;text\n7;Air mati\n")
    assert json.loads(done.stdout)["id"] == "file/file/7"
