"""The same id with other words, or of somebody else, is another message, and is said to be one."""

from __future__ import annotations

from pathlib import Path

from tests.cases.conftest import INPUTS, Satupintu
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "04"
SAID = "its id came before with other words, or of somebody else: recorded on its own"


def test_ids_that_begin_again_each_month_are_reports_of_their_own(satupintu: Satupintu):
    assert satupintu.ingest(FOLDER / "agustus.csv") == ({"received": 2, "recorded": 2}, [])
    ledger, lines = satupintu.ingest(FOLDER / "september.csv")
    assert (ledger, sorted(lines)) == ({"received": 3, "recorded": 3}, [f"line 2: {SAID}", f"line 3: {SAID}"])
    assert len(satupintu.texts()) == 5
    for file in ("agustus.csv", "september.csv"):
        (ledger, lines) = satupintu.ingest(FOLDER / file)
        assert (ledger["redelivered"], lines) == (ledger["received"], [])


def test_ids_that_begin_again_in_a_recap_with_answers_hide_nobody(satupintu: Satupintu, tmp_path: Path):
    words = {"agustus": "Jalan berlubang di Cihampelas", "september": "Banjir di Gedebage"}
    for month, text in words.items():
        (tmp_path / f"{month}.csv").write_text(f"id,text,answer\n1,{text},Sudah kami tangani\n")
        assert satupintu.ingest(tmp_path / f"{month}.csv")[0] == {"received": 2, "recorded": 1, "added": 1}
    answered = [one["text"] for one in satupintu("export").out for step in one["timeline"] if step["what"] == "answer"]
    assert sorted(answered) == sorted(words.values())
    for month in words:
        assert satupintu.ingest(tmp_path / f"{month}.csv")[0] == {"received": 2, "redelivered": 2}


def test_an_id_that_stands_twice_in_one_file_is_two_reports(satupintu: Satupintu):
    assert satupintu.ingest(FOLDER / "one-file.csv") == ({"received": 2, "recorded": 2}, [f"line 3: {SAID}"])


async def test_a_gateway_that_counts_anew_loses_nobody(hub: RunningHub):
    for line in (FOLDER / "sms.txt").read_text().split() * 2:
        await hub.request("GET", f"/in/sms?token=tests-sms-token&{line}")
        await hub.settled()
    ledger = await hub.ledger()
    assert (ledger["recorded"], ledger["redelivered"]) == (2, 2)
    await hub.until(lambda: len(hub.kannel.sent) == 2, "two answers")
    assert {sent["to"] for sent in hub.kannel.sent} == {"+6281200000406", "+6281200000407"}
