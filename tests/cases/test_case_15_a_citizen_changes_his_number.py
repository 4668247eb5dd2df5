"""A citizen whose number changes stays one citizen, because Meta says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cases.conftest import INPUTS, webhook_of
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "15"
OLD, NEW = "628120001501", "628120001599"


def notice(system: dict[str, Any], **message: Any) -> bytes:
    """The system message of the input, with another notice inside."""
    body = json.loads(webhook_of(FOLDER / "2-system.json"))
    inside = body["entry"][0]["changes"][0]["value"]["messages"][0]
    inside["system"] = system
    inside |= message
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "system",
    [
        {"type": "user_changed_number", "wa_id": NEW, "body": "…"},
        {"type": "user_changed_number", "new_wa_id": NEW, "body": "…"},
        {"type": "customer_changed_number", "new_wa_id": f"+{NEW}"},
    ],
)
async def test_his_words_from_the_new_number_join_his_report(hub: RunningHub, system: dict[str, Any]):
    await hub.webhook(webhook_of(FOLDER / "1-report.json"))
    (complaint,) = await hub.complaints()
    await hub.webhook(notice(system))
    assert (await hub.settled())["refused"] == 1
    await hub.webhook(webhook_of(FOLDER / "3-words.json"))
    await hub.settled()
    text = f"TL {complaint['number']} sudah seminggu"
    later = webhook_of(FOLDER / "3-words.json").replace(b"Masih berlubang, tambah dalam", text.encode())
    await hub.webhook(later.replace(b"wamid.n3", b"wamid.n4"))
    (complaint,) = await hub.complaints()
    joined = [message["text"] for message in complaint["messages"] if message["direction"] == "in"]
    assert joined[1:] == ["Masih berlubang, tambah dalam", text]
    assert complaint["timeline"][-1]["why"] == "TL by its reporter"


async def test_a_notice_about_a_business_scoped_id_is_heard_too(hub: RunningHub):
    await hub.webhook(webhook_of(FOLDER / "1-report.json").replace(OLD.encode(), b"ID.1501"))
    await hub.settled()
    await hub.webhook(notice({"type": "user_changed_user_id", "user_id": "ID.1599"}, **{"from": "ID.1501"}))
    await hub.settled()
    await hub.webhook(webhook_of(FOLDER / "3-words.json").replace(NEW.encode(), b"ID.1599"))
    assert len(await hub.complaints()) == 1


async def test_only_the_notice_itself_is_believed(hub: RunningHub):
    await hub.webhook(webhook_of(FOLDER / "1-report.json"))
    await hub.settled()
    await hub.webhook(notice({"type": "customer_identity_changed", "body": f"Sari changed from {OLD} to {NEW}"}))
    await hub.settled()
    await hub.webhook(webhook_of(FOLDER / "3-words.json"))
    assert len(await hub.complaints()) == 2
