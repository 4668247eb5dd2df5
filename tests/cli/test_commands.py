"""Commands on a filled data folder: a file is ingested once, and every command reads the result."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import one_line, satupintu

ROWS = [
    {"id": "a1", "text": "Jalan berlubang di depan Pasar Baru", "sender": "+62 812-0000-1234", "name": "Siti Aminah"},
    {"id": "a2", "text": "Lampu jalan mati sejak kemarin malam", "sender": "+62 812-0000-1235"},
    {"id": "a1", "text": "Jalan berlubang di depan Pasar Baru", "sender": "+62 812-0000-1234"},
    {"id": "a3", "text": "jalan berlubang di depan pasar baru", "sender": "0812-0000-1234"},
    {"text": "Air PDAM tidak mengalir di RT 04", "attachments": ["foto.jpg", "hilang.jpg"]},
    {"text": "Air PDAM tidak mengalir di RT 04"},
]
COLUMNS = [
    "received", "recorded", "added", "asked", "redelivered", "refused", "dead", "in_flight", "lost", "receipts",
    "empty",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a file of six good rows and two wrong ones in it."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "foto.jpg").write_bytes(b"\xff\xd8\xff picture")
    lines = [json.dumps(row) for row in ROWS] + ["this is no row", '{"text": "", "id": "a9"}']
    (folder / "rows.ndjson").write_text("\n".join(lines) + "\n")
    done = satupintu("ingest", str(folder / "rows.ndjson"), data=folder / "var")
    (folder / "out.json").write_text(done.stdout)
    (folder / "err.txt").write_text(done.stderr)
    assert done.returncode == 0, done.stderr
    return folder


def output(folder: Path, *words: str, code: int = 0) -> Any:
    done = satupintu(*words, data=folder / "var")
    assert done.returncode == code, done.stderr
    return (
        json.loads(done.stdout) if done.stdout.startswith(("{", "[")) and done.stdout.count("\n") == 1 else done.stdout
    )


def test_ingest_prints_the_ledger_of_its_file(folder: Path) -> None:
    tally = json.loads((folder / "out.json").read_text())
    assert list(tally) == COLUMNS
    assert tally | {"received": 8, "recorded": 5, "added": 0, "redelivered": 1, "dead": 2} == tally
    assert tally["in_flight"] == tally["lost"] == 0


def test_ingest_names_wrong_rows_by_line(folder: Path) -> None:
    errors = (folder / "err.txt").read_text()
    assert sorted(re.findall(r"^line (\d+): ", errors, re.MULTILINE)) == ["5", "7", "8"]
    assert "hilang.jpg does not exist" in errors


def test_attachments_are_with_the_blobs(folder: Path) -> None:
    stored = [path for path in (folder / "var" / "blobs").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in stored] == [b"\xff\xd8\xff picture"]


def test_the_ledger_is_whole(folder: Path) -> None:
    ledger = output(folder, "ledger", "--json")
    assert list(ledger["accounts"]["file"]) == COLUMNS
    assert ledger["all"]["received"] == 8
    assert ledger["all"]["lost"] == ledger["all"]["in_flight"] == 0


def test_the_ledger_for_people_is_a_table(folder: Path) -> None:
    head, file, total = output(folder, "ledger").splitlines()
    assert head.split() == ["account", *COLUMNS]
    assert (file.split()[:2], total.split()[:2]) == (["file", "8"], ["all", "8"])


def test_export_is_the_interfaces_form(folder: Path) -> None:
    complaints = [json.loads(line) for line in output(folder, "export").splitlines()]
    assert len(complaints) == 5
    first = next(c for c in complaints if c["messages"][0]["native_id"] == "a1")
    assert len(first["messages"]) == 1
    assert "81200001234" not in json.dumps(first["reporter"])


def test_export_since_leaves_out_what_is_older(folder: Path) -> None:
    assert output(folder, "export", "--since", "2099-01-01") == ""


def test_dead_letters_are_listed_shown_and_replayed(folder: Path) -> None:
    letters = [json.loads(line) for line in output(folder, "dead", "list").splitlines()]
    assert sorted(re.findall(r"line \d", letter["detail"])[0] for letter in letters) == ["line 7", "line 8"]
    one = output(folder, "dead", "show", letters[0]["id"])
    assert (one["code"], one["detail"]) == (letters[0]["code"], letters[0]["detail"])
    done = satupintu("dead", "replay", letters[0]["id"], data=folder / "var")
    assert json.loads(done.stdout)["applied"] is False
    assert "--apply" in done.stderr


@pytest.mark.parametrize(("limit", "says"), [("1", "these are 1, and there may be more"), ("1000", "")])
def test_a_list_that_was_cut_says_so(folder: Path, limit: str, says: str) -> None:
    done = satupintu("dead", "list", "--limit", limit, data=folder / "var")
    assert len(done.stdout.splitlines()) == min(int(limit), 2)
    assert (says in done.stderr) if says else not done.stderr


def test_a_dead_letter_replayed_is_in_flight_again_and_ends_dead_again(folder: Path) -> None:
    letter = json.loads(output(folder, "dead", "list").splitlines()[0])
    output(folder, "dead", "replay", letter["id"], "--apply")
    (folder / "none.ndjson").write_text("")
    output(folder, "ingest", str(folder / "none.ndjson"))
    ledger = output(folder, "ledger", "--json")["all"]
    assert (ledger["received"], ledger["dead"], ledger["lost"]) == (8, 2, 0)


def test_replay_of_the_same_reader_changes_nothing(folder: Path) -> None:
    assert output(folder, "replay", "--since", "2020-01-01").splitlines()[-1].startswith("0 of ")


def test_replay_names_which_and_how_without_words_and_applies_it_when_told_to(folder: Path) -> None:
    with sqlite3.connect(folder / "var" / "record.db") as record:
        changed = "UPDATE messages SET kind = 'image', text = 'Lampu' WHERE raw = (SELECT min(raw) FROM messages)"
        record.execute(changed)
    record.close()
    changes = output(folder, "replay", "--since", "2020-01-01").splitlines()
    assert re.fullmatch(r"\d{10}: kind image -> text, text", changes[0])
    assert changes[1] == "1 of 8 would change"
    assert output(folder, "replay", "--since", "2020-01-01", "--apply").splitlines()[-1] == "1 of 8 changed"
    assert output(folder, "replay", "--since", "2020-01-01").splitlines() == ["0 of 8 would change"]


def test_a_replay_that_meets_a_damaged_file_is_none(folder: Path) -> None:
    archive = folder / "var" / "archive"
    archive.mkdir(exist_ok=True)
    damaged = archive / "2025-08-18.0.jsonl.gz"
    damaged.write_bytes(b"no gzip" * 9)
    with (archive / "SHA256SUMS").open("a") as checksums:
        checksums.write(f"{'0' * 64}  {damaged.name}\n")
    done = satupintu("replay", "--since", "2025-01-01", data=folder / "var")
    damaged.unlink()
    assert done.returncode == 1
    assert done.stdout == "0 of 8 would change\n"
    assert f"archive: {damaged.name} is damaged" in done.stderr


def test_the_same_file_again_is_redelivered(folder: Path) -> None:
    tally = json.loads(satupintu("ingest", str(folder / "rows.ndjson"), data=folder / "var").stdout)
    assert (tally["received"], tally["redelivered"], tally["dead"]) == (8, 6, 2)


def test_channels_keep_their_secrets(folder: Path) -> None:
    accounts = output(folder, "channels", "--json")
    assert set(accounts[0]) == {
        "account", "kind", "owner", "url", "state", "settings", "secrets", "health", "last_message_at", "last_error",
        "waiting",
    }  # fmt: skip
    assert all(account["secrets"] == {} for account in accounts)
    revealed = output(folder, "channels", "--json", "--secrets")
    assert next(a for a in revealed if a["kind"] == "sms")["secrets"]["token"]


def test_doctor_finds_nothing_wrong(folder: Path) -> None:
    done = satupintu("doctor", "--listen", "127.0.0.1:9", data=folder / "var")
    verdicts = {
        what.split(":")[0]: verdict for verdict, what in (x.split(maxsplit=1) for x in done.stdout.splitlines())
    }
    assert verdicts.pop("dead letters") == "warn"  # the file's wrong rows
    assert set(verdicts.values()) == {"ok"}
    assert set(verdicts) >= {"settings", "disk", "record", "bus", "clock", "keys", "rules", "listen", "channel sms"}


def test_doctor_changes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "var").rglob("*")}
    satupintu("doctor", "--listen", "127.0.0.1:9", data=folder / "var")
    assert {path: path.stat().st_mtime_ns for path in (folder / "var").rglob("*")} == before


def test_doctor_finds_damaged_and_other_keys(folder: Path, tmp_path: Path) -> None:
    satupintu("ingest", "/dev/null", data=tmp_path / "other")
    (tmp_path / "bad.toml").write_text("key = 5")
    (tmp_path / "bad.toml").chmod(0o600)
    for keys, says in ((tmp_path / "bad.toml", "no"), (tmp_path / "other" / "keys.toml", "does not fit")):
        done = satupintu("doctor", "--listen", "127.0.0.1:9", "--keys", str(keys), data=folder / "var")
        assert done.returncode == 1
        assert re.search(f"^WRONG +keys: .*{says}.* backup$", done.stdout, re.MULTILINE)


def test_no_such_letter_is_one_line(folder: Path) -> None:
    for words in (["show", "none"], ["replay", "none", "--apply"]):
        assert "dead list" in one_line(satupintu("dead", *words, data=folder / "var"), 64)


def test_doctor_sees_keys_that_others_can_read(folder: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_bytes((folder / "var" / "keys.toml").read_bytes())
    keys.chmod(0o644)
    done = satupintu("doctor", "--keys", str(keys), data=folder / "var")
    assert done.returncode == 1
    assert "chmod 600" in done.stdout


def test_l10_doctor_sees_a_channels_file_that_others_can_read(folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    channels = tmp_path / "channels.toml"
    channels.write_bytes((folder / "var" / "channels.toml").read_bytes())
    channels.chmod(0o644)
    done = satupintu("doctor", "--channels", str(channels), data=folder / "var")
    assert done.returncode == 1
    assert f"chmod 600 {channels}" in done.stdout


def test_l15_doctor_sees_a_proof_that_can_be_guessed(folder: Path, tmp_path: Path) -> None:
    channels = tmp_path / "channels.toml"
    channels.write_text('[sms]\nkind = "sms"\nowner = "32.73"\ntoken = "1708"\n')
    done = satupintu("doctor", "--channels", str(channels), data=folder / "var")
    assert re.search(r"^warn   channel sms: token has fewer than 12 characters", done.stdout, re.MULTILINE)


def test_other_keys_are_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    satupintu("ingest", "/dev/null", data=tmp_path / "other")
    done = satupintu("ledger", "--keys", str(tmp_path / "other" / "keys.toml"), data=folder / "var")
    assert "keys" in one_line(done, 64)


def test_the_ledger_alarms_when_a_row_is_gone(folder: Path) -> None:
    with sqlite3.connect(folder / "var" / "record.db") as record:
        record.execute("DELETE FROM outcomes WHERE raw = (SELECT min(raw) FROM outcomes)")
    record.close()
    done = satupintu("ledger", "--json", data=folder / "var")
    assert done.returncode == 1
    assert json.loads(done.stdout)["accounts"]["file"]["lost"] == 1
    assert "1 lost, of file" in done.stderr
