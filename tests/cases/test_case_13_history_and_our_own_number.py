"""The past, and we ourselves, are no citizens: refused without an answer."""

from __future__ import annotations

import json

import pytest

from connectors._numbers import is_same_number
from tests.cases.conftest import INPUTS, NUMBER_ID, Satupintu, webhook_of
from tests.fakes.graph import text, webhook
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "13"
REFUSED = {
    "history-photo.json": "history",
    "history-of-ours.json": "echo of our own",
    "own-number.json": "echo of our own",
}


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_it_is_read_as_what_it_is(satupintu: Satupintu, name: str, reason: str):
    (message,) = satupintu("parse", "whatsapp", FOLDER / name).out
    assert message["refusal"] == reason


async def test_nothing_of_it_opens_a_report_or_is_answered(hub: RunningHub):
    for name in REFUSED:
        assert (await hub.webhook(webhook_of(FOLDER / name))).status_code == 200
    line = (FOLDER / "sms-from-ourselves.txt").read_text().strip()
    await hub.request("GET", f"/in/sms?token=tests-sms-token&{line}")
    ledger = await hub.settled()
    assert (ledger["received"], ledger["refused"]) == (4, 4)
    assert not await hub.complaints()
    assert not await hub.replies()


@pytest.mark.parametrize("shown", ["622100001068", "+62 21 0000-1068", "02100001068"])
async def test_our_number_is_known_in_any_form(hub: RunningHub, shown: str):
    made = text("Terima kasih, laporan Anda kami terima", sender="622100001068", number=NUMBER_ID)
    made["entry"][0]["changes"][0]["value"]["metadata"]["display_phone_number"] = shown
    await hub.webhook(json.dumps(made).encode())
    assert (await hub.settled())["refused"] == 1


async def test_a_gateway_that_hands_in_our_answers_is_not_answered(hub: RunningHub):
    await hub.sms("+622100001708", "Laporan Anda kami terima", to="02100001708", id="o2")
    await hub.sms("1708", "Laporan Anda kami terima", to="081200001303", id="o3")
    await hub.sms("+621708", "Laporan Anda kami terima", to="081200001303", id="o4")
    assert (await hub.settled())["refused"] == 3


def test_a_short_code_is_known_in_any_form_and_is_nobody_elses():
    assert all(is_same_number(form, "1708") for form in ("1708", "01708", "+621708", "62 1708", "00621708"))
    others = ("", "021708", "+62217081", "081708", "+65 1708", "PLN1708", "6281200001708")
    assert not any(is_same_number(other, "1708") for other in others)
    assert not is_same_number("", "")


async def test_a_citizen_who_writes_during_the_import_is_heard(hub: RunningHub):
    message = {"from": "628120001309", "id": "wamid.now", "type": "text", "text": {"body": "Jalan rusak di Dago"}}
    await hub.webhook(json.dumps(webhook({"messages": [message]}, number=NUMBER_ID)).encode())
    assert len(await hub.complaints()) == 1
