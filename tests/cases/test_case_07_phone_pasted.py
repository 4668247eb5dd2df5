"""A phone pasted from WhatsApp, a list of contacts or a spreadsheet is the number that is seen."""

from __future__ import annotations

import json

from tests.cases.conftest import INPUTS, Satupintu
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "07"


def test_what_shows_nothing_is_taken_out_of_a_rows_phone(satupintu: Satupintu):
    senders = [message["sender"] for message in satupintu("parse", "file", FOLDER / "pasted.csv").out]
    assert [sender["phone"] for sender in senders] == [f"+628120000070{n}" for n in range(1, 7)]
    assert not any(sender.get("user") for sender in senders)


async def test_the_api_reads_the_same_forms(hub: RunningHub):
    report = json.loads((FOLDER / "api.json").read_text(encoding="utf-8"))
    answer = await hub.report(report, Prefer="wait=5")
    assert answer.status_code == 201
    shown = await hub.request("GET", f"/api/v1/reports/{answer.json()['number']}", params={"phone": "0707"})
    assert shown.json()["proven"] is True
