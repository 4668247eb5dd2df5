"""From a bot's chat to the record and back, through a whole hub that polls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.telegram import DATE, TelegramServer
from tests.flow.running_hub import RunningHub, running_hub

SARI = {"id": 811000001, "is_bot": False, "first_name": "Sari"}
CHAT = {"id": 811000001, "type": "private"}
TABLE = """
[tg]
kind = "telegram"
owner = "32.73"
token = "1708:rahasia-bot"
mode = "poll"
poll_wait = 1
api_url = "{url}"
"""


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path / "hub", "memory://") as opened:
        yield opened


@pytest.fixture
async def telegram(hub: RunningHub) -> AsyncIterator[TelegramServer]:
    """Polled by an account that is added while the hub runs."""
    with TelegramServer() as server:
        with hub.settings.channels.open("a") as file:
            file.write(TABLE.format(url=server.url))
        yield server


def press(telegram: TelegramServer, id: str, data: str) -> None:
    message = {"message_id": 9001, "chat": CHAT, "date": DATE}
    telegram.bring("callback_query", id=id, message=message, data=data, chat_instance="1", **{"from": SARI})


def picture(telegram: TelegramServer, number: int, **fields: Any) -> None:
    photo = [{"file_id": f"f{number}", "width": 9, "height": 9}]
    telegram.files[f"f{number}"] = b"\xff\xd8\xff"
    message = {"message_id": number, "chat": CHAT, "date": DATE, "photo": photo, "media_group_id": "7", **fields}
    telegram.bring(**message, **{"from": SARI})


async def test_case_08_an_album_is_one_report_and_its_buttons_ask_and_add(
    hub: RunningHub, telegram: TelegramServer
) -> None:
    picture(telegram, 1, caption="Jalan di depan Pasar Kosambi berlubang besar, sudah dua orang jatuh.")
    picture(telegram, 2)
    picture(telegram, 3)
    await hub.until(lambda: telegram.sent, "the number")
    (copy,), (status, more) = telegram.sent[0]["reply_markup"]["inline_keyboard"]
    press(telegram, "1", status["callback_data"])
    await hub.until(lambda: len(telegram.sent) == 2, "the status")
    press(telegram, "2", more["callback_data"])
    await hub.until(lambda: len(telegram.sent) == 3, "the field for more words")
    telegram.write(4, "Dekat halte, lubangnya dua puluh sentimeter")
    await hub.until(lambda: len(telegram.sent) == 4, "the thanks")
    [complaint] = await hub.complaints()
    assert copy["copy_text"]["text"] == complaint["number"]
    assert telegram.acknowledged == ["1", "2"]
    assert telegram.sent[2]["reply_markup"]["force_reply"] is True
    words = [message["text"] for message in complaint["messages"] if message["direction"] == "in"]
    assert "Dekat halte, lubangnya dua puluh sentimeter" in words
    assert (await hub.ledger())["recorded"] == 1
