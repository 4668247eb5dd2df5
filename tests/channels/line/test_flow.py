"""From a LINE chat to the record and back, through a whole hub."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakes.line import LineServer
from tests.flow.running_hub import RunningHub, running_hub

SECRET = "rahasia-kanal-line-yang-panjang"
SARI = "U" + "a" * 32
TABLE = """
[garis]
kind = "line"
owner = "32.73"
channel_secret = "{secret}"
access_token = "token-line"
api_url = "{url}"
data_url = "{url}"
"""


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path / "hub", "memory://") as opened:
        yield opened


async def post(hub: RunningHub, *events: dict[str, Any]) -> requests.Response:
    body = json.dumps({"destination": "U", "events": list(events)}).encode()
    signature = b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    return await hub.request("POST", "/in/garis", data=body, headers={"X-Line-Signature": signature})


def words(id: str, text: str, token: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "type": "message", "webhookEventId": id, "timestamp": 1755400000000, "mode": "active", "replyToken": token,
        "source": {"type": "user", "userId": SARI}, "message": {"type": "text", "id": id, "text": text}, **fields,
    }  # fmt: skip


async def test_a_redelivery_is_counted_once_and_standby_is_not_answered(hub: RunningHub) -> None:
    with LineServer() as line:
        with hub.settings.channels.open("a") as file:
            file.write(TABLE.format(url=line.url, secret=SECRET))
        await hub.until(lambda: _exists(hub), "the account")
        story = words("01A", "Jalan di depan Pasar Kosambi berlubang besar, dua orang jatuh.", "token-1")
        again = story | {"deliveryContext": {"isRedelivery": True}}
        answers = [await post(hub, story), await post(hub, again), await post(hub)]
        assert [answer.status_code for answer in answers] == [200] * 3
        await hub.until(lambda: line.sent, "the answer by its token")
        standby = words("01B", "Masih berlubang juga sampai hari ini, mohon dicek", mode="standby")
        await post(hub, standby)
        [complaint] = await hub.complaints()
        ledger = await hub.ledger()
        assert line.sent[0]["replyToken"] == "token-1"
        assert complaint["number"] in line.sent[0]["messages"][0]["text"]
        assert (ledger["recorded"], ledger["redelivered"], ledger["added"], ledger["lost"]) == (1, 1, 1, 0)
        assert len(line.sent) == 1


async def test_an_unsend_and_an_edit_reach_their_report_behind_a_newer_one(hub: RunningHub) -> None:
    with LineServer() as line:
        with hub.settings.channels.open("a") as file:
            file.write(TABLE.format(url=line.url, secret=SECRET))
        await hub.until(lambda: _exists(hub), "the account")
        await post(hub, words("57001", "Jalan di depan Pasar Kosambi berlubang besar, dua orang jatuh.", "token-1"))
        await hub.until(lambda: _recorded(hub, 1), "the first report")
        await post(hub, words("57002", "LAPOR Sampah menumpuk di Jalan Cihampelas sudah seminggu tidak diangkut."))
        await hub.until(lambda: _recorded(hub, 2), "the second report")
        about = words("57001", "Jalan di depan Pasar Kosambi berlubang besar, tiga orang jatuh.")
        await post(hub, about | {"type": "messageEdited", "webhookEventId": "01C"})
        await post(hub, about | {"type": "unsend", "webhookEventId": "01D", "unsend": {"messageId": "57001"}})
        await hub.until(lambda: _settled(hub, 4), "both")
        of = {m["native_id"]: number for number, c in enumerate(await hub.complaints()) for m in c["messages"]}
        assert of["01C"] == of["01D"] == of["57001"] != of["57002"]


async def _recorded(hub: RunningHub, number: int) -> bool:
    return len(await hub.complaints()) == number


async def _settled(hub: RunningHub, number: int) -> bool:
    ledger = await hub.ledger()
    return ledger["recorded"] + ledger["added"] == number


async def _exists(hub: RunningHub) -> bool:
    return (await post(hub)).status_code == 200
