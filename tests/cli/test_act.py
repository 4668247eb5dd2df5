"""`act`, `due`, `calendar` and `numbers`, as an officer of a region calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli import run_command
from tests.cli.program import satupintu

ROWS = [
    {"id": f"r{n}", "text": f"Lampu jalan nomor {n} di Jalan Melati mati", "sender": f"+62 812-0000-20{n:02}"}
    for n in range(6)
]
ROWS[5]["region"] = "32.73"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("act")
    (folder / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    done = satupintu("ingest", str(folder / "rows.ndjson"), data=folder / "var")
    assert done.returncode == 0, done.stderr
    exported = satupintu("export", data=folder / "var").stdout
    (folder / "numbers").write_text("\n".join(json.loads(line)["number"] for line in exported.splitlines()))
    return folder


def run(folder: Path, *words: str, code: int = 0) -> str:
    done = satupintu(*words, data=folder / "var")
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def number_of(folder: Path, position: int) -> str:
    return (folder / "numbers").read_text().splitlines()[position]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_officer_verifies_and_the_same_again_changes_nothing(folder: Path) -> None:
    number = number_of(folder, 0)
    done = json.loads(run(folder, "act", number, "verify"))
    assert (done["outcome"], done["status"]) == ("added", "verified")
    assert "has that status already" in run(folder, "act", number, "verify", code=1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("1708000012", "verify"), "no report has the number"),
        (("", "archive"), "needs words"),
    ],
    ids=["unknown number", "no reason"],
)
def test_a_wrong_call_says_what_to_do(folder: Path, words: tuple[str, ...], says: str) -> None:
    number = words[0] or number_of(folder, 3)
    assert says in run(folder, "act", number, *words[1:], code=64)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("due", "1708000012"), "no report has the number 1708000012"),
        (("due", "--region", "Bandung"), "'Bandung' is no region: write its code, as 32 or 32.73"),
        (("numbers", "--region", "32.99"), "'32.99' is no region"),
        (("numbers", "--region", "32.73.01"), "write 32.73"),
        (("replies", "list", "--account", "fil"), "fil is no account of this hub (did you mean file?)"),
        (("replies", "resend", "--state", "failed", "--account", "fil"), "fil is no account"),
        (("dead", "list", "--account", "fil"), "fil is no account"),
        (("forwards", "list", "--account", "fil"), "fil is no account"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_is_not_known_here_is_no_empty_answer(
    folder: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert run_command([*words, "--data", str(folder / "var")]) == 64
    assert says in capfd.readouterr().err


def test_a_region_is_asked_for_by_where_its_reports_are(folder: Path) -> None:
    (cell,) = lines(run(folder, "numbers", "--all", "--region", "3273"))
    nothing = run(folder, "numbers", "--csv", "--since", "2999-01")
    assert nothing == f"{','.join(cell)}\n"
    assert (cell["region"], cell["received"]) == ("32.73", 1)
    assert {clock["region"] for clock in lines(run(folder, "due", "--region", "32.73", "--within", "99"))} == {"32.73"}


def test_a_finished_report_shows_its_clocks_and_is_in_the_numbers(folder: Path) -> None:
    number = number_of(folder, 4)
    run(folder, "act", number, "finish", "--text", "Sudah menyala.")
    clocks = {clock["clock"]: clock["state"] for clock in lines(run(folder, "due", number))}
    assert clocks == {
        "verification": "met", "first_answer": "met", "completion": "met", "closing": "running", "reopening": "running",
    }  # fmt: skip
    (cell,) = lines(run(folder, "numbers", "--by", "channel"))
    assert (cell["channel"], cell["received"], cell["finished"]) == ("file", 6, 1)


def test_a_decree_is_taken_in_and_shown_with_its_region(folder: Path) -> None:
    decree = folder / "skb.csv"
    decree.write_text("calendar,date,kind,name,decree\n32,2026-12-02,local,Hari Jadi,SK Gubernur 1/2026\n")
    assert (
        "nothing was written" in satupintu("calendar", "import", str(decree), "--dry-run", data=folder / "var").stderr
    )
    assert "1 days new" in satupintu("calendar", "import", str(decree), data=folder / "var").stderr
    assert "SK Gubernur 1/2026" in run(folder, "calendar", "list", "--year", "2026", "--region", "32.73")
