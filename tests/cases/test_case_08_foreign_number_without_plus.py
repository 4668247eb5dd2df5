"""A number without plus is the number that the gateway wrote, also where it is a foreign one."""

from __future__ import annotations

import pytest

from tests.cases.conftest import INPUTS, Satupintu
from tests.flow.running_hub import RunningHub
from tests.programs import whatsapp_body

LINES = (INPUTS / "08" / "sms.txt").read_text().split()
PHONES = ["+60123456789", "+6591234567", "+6281200000801"]


@pytest.mark.parametrize(("query", "phone"), list(zip(LINES, PHONES, strict=True)))
def test_conversation_and_phone_agree(satupintu: Satupintu, query: str, phone: str):
    (message,) = satupintu("parse", "sms", "--query", query).out
    assert (message["conversation"], message["sender"]["phone"]) == (phone, phone)


async def test_the_same_citizen_is_known_at_the_other_door(hub: RunningHub):
    await hub.request("GET", f"/in/sms?token=tests-sms-token&{LINES[0]}")
    (complaint,) = await hub.complaints()
    await hub.webhook(whatsapp_body("wamid.T", "60123456789", f"TL {complaint['number']} paspor belum kembali"))
    (complaint,) = await hub.complaints()
    assert complaint["timeline"][-1]["what"] == "added"
