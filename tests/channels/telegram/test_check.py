"""`channels test`: what getMe and getWebhookInfo say, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import Http, ProviderConnections
from connectors._telegram_updates import ALLOWED
from hub.commands._channel_test import try_channel
from tests.channels.recording import channel
from tests.fakes.telegram import TelegramServer

OURS = "https://aduan.example.go.id/in/rekam"


async def findings(webhook: dict[str, Any], **settings: Any) -> dict[str, bool]:
    """Text to whether it failed."""
    with TelegramServer() as telegram:
        telegram.webhook |= webhook
        async with Http(total=5) as http:
            door = channel("telegram", api_url=telegram.url, **settings)
            return dict(await door.check(ProviderConnections(http)))


@pytest.mark.parametrize(
    ("webhook", "words"),
    [
        ({"url": ""}, "no webhook is set"),
        ({"url": "https://lama.example/hook"}, "and not to /in/rekam"),
        ({"url": OURS, "allowed_updates": ["message"]}, "leaves out business_connection"),
        (
            {
                "url": OURS,
                "pending_update_count": 7,
                "last_error_message": "Wrong response: 403",
                "last_error_date": 1755400000,
            },
            "at 2025-08-17 03:06 UTC (Wrong response: 403)",
        ),
    ],
    ids=["none", "elsewhere", "too few kinds", "failing"],
)
async def test_a_webhook_that_does_not_work_says_what_to_do(webhook: dict[str, Any], words: str) -> None:
    failed = [text for text, failed in (await findings(webhook)).items() if failed]
    assert [words in text and "setWebhook" in text for text in failed] == [True]


async def test_a_webhook_that_works() -> None:
    found = await findings({"url": OURS, "allowed_updates": list(ALLOWED), "pending_update_count": 2})
    assert not any(found.values())
    assert {"the token is that of @aduan_bot", "the webhook leads to aduan.example.go.id/in/rekam"} <= set(found)


async def test_a_webhook_beside_polls_is_wrong_and_none_is_right() -> None:
    assert [t for t, failed in (await findings({"url": OURS}, mode="poll")).items() if failed and "deleteWebhook" in t]
    assert not any((await findings({}, mode="poll")).values())


async def test_trying_the_account_takes_no_poll_from_a_running_hub() -> None:
    with TelegramServer() as telegram:
        telegram.write(1, "Satu")
        found = [finding async for finding in try_channel(channel("telegram", api_url=telegram.url, mode="poll"), None)]
        assert not [finding for finding in found if finding.wrong]
        assert not [received for received in telegram.received if received.path.endswith("getUpdates")]


async def test_a_wrong_token_says_so_without_showing_it() -> None:
    with TelegramServer() as telegram:
        door = channel("telegram", api_url=telegram.url, token="1708:salah")
        words = [finding.words for finding in [f async for f in try_channel(door, None)] if finding.wrong]
    assert words == ["a check failed: token_invalid: enter the token that BotFather shows"]
