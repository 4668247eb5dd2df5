"""A finished report is reopened and rated by buttons where a channel has them; a button says what a citizen types."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from connectors import Request
from connectors._telegram_sending import keyboard_of
from connectors.line import messages_of
from normalizer.keywords import Keywords
from schemas import Reply
from tests.channels.recording import channel, raw, read

NUMBER = "1234567897"
FINISHED = Reply(
    id="r1", account="a", channel="telegram", conversation="811000001", to="811000001", text="Selesai.",
    template="finished", complaint="c", number=NUMBER, created_at=datetime(2026, 2, 2, tzinfo=UTC),
)  # fmt: skip


def telegram() -> list[str]:
    """The words under which each press arrives."""
    keyboard = keyboard_of(FINISHED)
    assert keyboard is not None
    data = [b["callback_data"] for row in keyboard["inline_keyboard"] for b in row if "callback_data" in b]
    sari, chat = {"id": 811000001, "is_bot": False, "first_name": "Sari"}, {"id": 811000001, "type": "private"}
    message = {"message_id": 9, "chat": chat, "date": 1755400000}
    presses = [
        {"update_id": n, "callback_query": {"id": str(n), "from": sari, "message": message, "data": one}}
        for n, one in enumerate(data)
    ]
    return [
        item.text for item in read(channel("telegram"), raw("telegram", Request(body=json.dumps(presses).encode())))
    ]


def line() -> list[str]:
    items = messages_of(FINISHED)[-1]["quickReply"]["items"]
    assert len(items) <= 13  # LINE takes no more
    return [item["action"]["text"] for item in items if "text" in item["action"]]


@pytest.mark.parametrize("buttons", [telegram, line])
def test_buttons_under_a_finished_report_reopen_and_rate_it(buttons: Callable[[], list[str]]) -> None:
    found = [Keywords({}).parse(words) for words in buttons()]
    assert {one.number for one in found} == {NUMBER}
    assert [(one.command, one.rating) for one in found] == [
        ("BELUM", None), ("TL", None), *(("NILAI", stars) for stars in (1, 2, 3, 4, 5)),
    ]  # fmt: skip
