"""`ingest`: files as offices have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.commands.ingest import Remarks
from tests.cli.program import one_line, satupintu


def ledger_of(path: Path, data: Path) -> dict[str, int]:
    done = satupintu("ingest", str(path), data=data)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_csv_of_a_spreadsheet_with_mark_semicolons_and_line_breaks(tmp_path: Path) -> None:
    rows = 'id;text;sender;anonymous\n1;"Jalan rusak;\nparah sekali";0812-0000-1234;ya\n2;Banjir di RT 04;;\n'
    (tmp_path / "rows.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    assert ledger_of(tmp_path / "rows.csv", tmp_path / "var")["recorded"] == 2
    complaints = [json.loads(x) for x in satupintu("export", data=tmp_path / "var").stdout.splitlines()]
    assert sorted(c["text"] for c in complaints) == ["Banjir di RT 04", "Jalan rusak;\nparah sekali"]
    assert sorted(c["anonymous"] for c in complaints) == [False, True]


def test_a_wrong_row_of_csv_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id,text,latitude\n1,"Jalan\nrusak",\n2,Banjir,north\n')
    done = satupintu("ingest", str(tmp_path / "rows.csv"), data=tmp_path / "var")
    assert done.stderr.startswith('line 4: "latitude" takes degrees')
    assert json.loads(done.stdout)["dead"] == 1


def test_unknown_fields_leave_with_export_beside_the_known_ones(tmp_path: Path) -> None:
    rows = [{"id": "r1", "text": "Jalan rusak di depan pasar", "foo": "bar"}, {"id": "r2", "text": "Lampu jalan mati"}]
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ledger_of(tmp_path / "rows.ndjson", tmp_path / "var")
    complaints = [json.loads(x) for x in satupintu("export", data=tmp_path / "var").stdout.splitlines()]
    assert {c["messages"][0]["native_id"]: c["extra"] for c in complaints} == {"r1": {"foo": "bar"}, "r2": {}}


def test_one_message_has_one_id_and_rows_of_sms_are_hashed_alike_wherever_they_leave(tmp_path: Path) -> None:
    row = json.dumps({"id": "abc1", "text": "Jalan rusak di depan pasar", "channel": "sms"})
    (tmp_path / "rows.ndjson").write_text(f"{row}\n{row}\n")
    assert ledger_of(tmp_path / "rows.ndjson", tmp_path / "var")["redelivered"] == 1
    [complaint] = [json.loads(x) for x in satupintu("export", data=tmp_path / "var").stdout.splitlines()]
    [message] = complaint["messages"]
    assert [(m["kind"], m["of"]) for m in complaint["matches"]] == [("redelivery", message["id"])]
    assert message["id"].startswith("sms/file/%23")
    assert "abc1" not in json.dumps(complaint)
    found = [json.loads(x) for x in satupintu("find", "abc1", data=tmp_path / "var").stdout.splitlines()]
    assert {(one["by"], one["number"]) for one in found} == {("id", complaint["number"])}


def test_remarks_are_said_in_the_order_of_lines_however_rows_end(capsys: pytest.CaptureFixture[str]) -> None:
    remarks = Remarks()
    for line in (6, 9, 8):
        remarks.add(line, f"line {line}")
    remarks.say(before=7)
    assert capsys.readouterr().err.split("\n") == ["line 6", ""]
    remarks.add(7, "line 7")
    remarks.say(before=None)
    assert capsys.readouterr().err.split("\n") == ["line 7", "line 8", "line 9", ""]


def test_wrong_rows_are_named_in_the_order_of_their_lines(tmp_path: Path) -> None:
    rows = [json.dumps({"id": str(n), "text": "" if n % 3 else "Jalan rusak"}) for n in range(1, 61)]
    (tmp_path / "rows.ndjson").write_text("\n".join(rows))
    done = satupintu("ingest", str(tmp_path / "rows.ndjson"), data=tmp_path / "var")
    named = [int(line.removeprefix("line ").partition(":")[0]) for line in done.stderr.splitlines()]
    assert named == [n for n in range(1, 61) if n % 3]
    assert (done.returncode, json.loads(done.stdout)["dead"]) == (0, 40)


def test_windows_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes("text\nPasar “Baru” kotor – mohon dibersihkan\n".encode("cp1252"))
    ledger_of(tmp_path / "rows.csv", tmp_path / "var")
    assert "“Baru”" in json.loads(satupintu("export", data=tmp_path / "var").stdout)["text"]


def test_csv_without_a_text_column_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,isi\n1,Jalan rusak\n")
    assert "no column `text`" in one_line(satupintu("ingest", str(tmp_path / "rows.csv"), data=tmp_path / "var"), 64)


def test_a_json_array_is_a_wrong_call_that_tells_the_way(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"text": "Jalan rusak"}]')
    assert "one object a line" in one_line(satupintu("ingest", str(tmp_path / "rows.json"), data=tmp_path / "var"), 64)


def test_an_attachment_outside_the_folder_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "rows.ndjson").write_text('{"text": "Jalan rusak", "attachments": ["../secret.txt"]}\n')
    done = satupintu("ingest", str(tmp_path / "in" / "rows.ndjson"), data=tmp_path / "var")
    assert "outside the file's folder" in done.stderr
    assert not [path for path in (tmp_path / "var" / "blobs").rglob("*") if path.is_file()]


def test_m7_no_file_of_the_hub_itself_is_taken(tmp_path: Path) -> None:
    row = '{"text": "Jalan rusak", "attachments": ["var/keys.toml", "var/channels.toml", "var/./keys.toml"]}\n'
    (tmp_path / "rows.ndjson").write_text(row)
    done = satupintu("ingest", str(tmp_path / "rows.ndjson"), data=tmp_path / "var")
    assert done.stderr.count("belongs to the hub itself") == 3
    assert not [path for path in (tmp_path / "var" / "blobs").rglob("*") if path.is_file()]


def test_l1_an_attachment_with_an_impossible_name_does_not_stop_the_other_rows(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    names = ["a\0b", "x" * 5000, "circle", "a\x1b]0;title"]
    rows = [json.dumps({"id": str(n), "text": "Jalan rusak", "attachments": [name]}) for n, name in enumerate(names)]
    (tmp_path / "rows.ndjson").write_text("\n".join(rows))
    done = satupintu("ingest", str(tmp_path / "rows.ndjson"), data=tmp_path / "var")
    assert json.loads(done.stdout)["received"] == 4
    assert done.stderr.count("the row goes on without it") == 4
    assert "\x1b" not in done.stderr


def test_an_account_of_another_kind_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "rows.ndjson").write_text('{"text": "Jalan rusak"}\n')
    done = satupintu("ingest", str(tmp_path / "rows.ndjson"), "--account", "sms", data=tmp_path / "var")
    assert "name one of file" in one_line(done, 64)


def test_more_rows_than_may_be_in_flight_at_once(tmp_path: Path) -> None:
    lines = (json.dumps({"id": str(n), "text": f"Lampu jalan nomor {n} mati"}) for n in range(5000))
    (tmp_path / "rows.ndjson").write_text("\n".join(lines))
    assert ledger_of(tmp_path / "rows.ndjson", tmp_path / "var")["recorded"] == 5000
