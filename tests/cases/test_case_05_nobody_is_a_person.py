"""A word that stands for "no number" makes no two strangers one person."""

from __future__ import annotations

import json

from tests.cases.conftest import INPUTS, Satupintu
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "05"


def test_placeholders_are_no_identities(satupintu: Satupintu):
    matched = satupintu("match", FOLDER / "placeholders.csv").out
    assert len({found["id"] for found in matched}) == 18
    assert {found["kind"] for found in matched} <= {"new", "same_incident"}
    assert not any("sender" in (found["evidence"] or "") for found in matched)
    senders = [found["sender"] for found in satupintu("parse", "file", FOLDER / "placeholders.csv").out]
    assert not any(sender.get("phone") or sender.get("user") or sender.get("email") for sender in senders)
    assert {sender["phone_written"] for sender in senders} == {
        "6.28E+12", "-", "Anonim", "000000000000", "0", "#N/A", "tidak ada", "nan", "08xxxxxxxxxx",
    }  # fmt: skip


async def test_two_callers_with_a_phone_of_zeros_get_two_numbers(hub: RunningHub):
    bodies = [json.loads((FOLDER / f"api-{n}.json").read_text()) for n in (1, 2)]
    answers = [await hub.report(body, Prefer="wait=5") for body in bodies]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["number"] for answer in answers}) == 2
    complaints = await hub.complaints()
    assert len(complaints) == 2
    assert not any(complaint["reporter"]["phone"] for complaint in complaints)
    assert not any(complaint["matches"] for complaint in complaints)
