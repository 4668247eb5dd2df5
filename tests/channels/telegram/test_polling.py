"""Long polling against a Bot API that forgets what an offset confirms: through kills, a second poller and a new bot."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from connectors import Http, ProviderConnections, Secret
from connectors.telegram import TelegramChannel, TelegramSettings
from hub.accounts import Accounts
from sink.account_faults import account_faults
from tests.fakes.server import Fault, answer
from tests.fakes.telegram import TelegramServer, done, error
from tests.flow.account_processes import AccountProcess, World, until

TOKEN = "1708:rahasia-bot"


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer(TOKEN) as server:
        yield server


def account(server: TelegramServer, mode: Any = "poll", wait: int = 1, token: str = TOKEN) -> TelegramChannel:
    settings = TelegramSettings(token=Secret(token), mode=mode, api_url=server.url, poll_wait=wait)
    return TelegramChannel("tg", "32.73", settings)


async def texts(world: World) -> list[str]:
    """As they were taken in."""
    return [json.loads(raw.body)["message"]["text"] for raw in await world.raws()]


async def test_an_offset_is_confirmed_only_when_what_lies_before_it_is_durable(
    world: World, processes: list[AccountProcess], telegram: TelegramServer
) -> None:
    first = world.process(Accounts.of(account(telegram)))
    first.before["save_cursor"] = first.kill
    telegram.write(1, "Satu")
    telegram.write(2, "Dua")
    processes.append(first.start())
    await until(world.raws, "the first poll")
    assert telegram.confirmed == []
    processes.append(world.process(Accounts.of(account(telegram))).start())
    await until(lambda: telegram.confirmed == [5001, 5002], "the second process")
    assert await texts(world) == ["Satu", "Dua"] * 2  # the repeats have the same message ids


async def test_a_poll_killed_before_anything_is_stored_loses_nothing(
    world: World, processes: list[AccountProcess], telegram: TelegramServer
) -> None:
    first = world.process(Accounts.of(account(telegram)))
    first.after["load_cursor"] = first.kill
    telegram.write(1, "Satu")
    processes.append(first.start())
    await asyncio.sleep(0.3)
    assert await world.raws() == []
    processes.append(world.process(Accounts.of(account(telegram))).start())
    await until(lambda: telegram.confirmed == [5001], "the second process")
    assert await texts(world) == ["Satu"]


async def test_more_than_one_poll_holds_is_taken_in_order(
    world: World, processes: list[AccountProcess], telegram: TelegramServer
) -> None:
    for number in range(1, 251):
        telegram.write(number, f"Pesan {number}")
    processes.append(world.process(Accounts.of(account(telegram))).start())
    await until(lambda: len(telegram.confirmed) == 250, "all to be confirmed")
    assert await texts(world) == [f"Pesan {number}" for number in range(1, 251)]


@pytest.mark.parametrize(
    "fault",
    [error(409, "Conflict: terminated by other getUpdates request"), Fault.HALF, answer(200, "<html>")],
    ids=["second poller", "half", "a page"],
)
async def test_a_poll_that_fails_is_made_again(
    world: World, processes: list[AccountProcess], telegram: TelegramServer, fault: Any, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.write(1, "Satu")
    telegram.then(fault)
    processes.append(world.process(Accounts.of(account(telegram))).start())
    await until(lambda: telegram.confirmed == [5001], "the poll after the fault")
    assert await texts(world) == ["Satu"]
    assert "rahasia-bot" not in caplog.text


async def test_a_webhook_that_is_set_is_a_fault_of_the_account_with_what_to_do(
    world: World, processes: list[AccountProcess], telegram: TelegramServer
) -> None:
    telegram.webhook["url"] = "https://lama.example/hook"
    processes.append(world.process(Accounts.of(account(telegram))).start())
    faults = await until(lambda: world.pools.io(account_faults, world.record), "the fault")
    assert (faults["tg"][0].code, "deleteWebhook" in faults["tg"][0].detail) == ("webhook_set", True)


async def test_an_account_with_a_webhook_never_polls(
    world: World, processes: list[AccountProcess], telegram: TelegramServer
) -> None:
    telegram.write(1, "Satu")
    processes.append(world.process(Accounts.of(account(telegram, "webhook"))).start())
    await world.owe("tg", "811000001", "a", channel="telegram")
    await until(lambda: telegram.sent, "the reply")
    assert [received.path for received in telegram.received] == [f"/bot{TOKEN}/sendMessage"]


async def polled(telegram: TelegramServer, cursor: str | None, token: str = TOKEN) -> tuple[int, str | None, Any]:
    """How many came, the next cursor, and the offset that was asked for."""
    async with Http(total=5) as http:
        result = await account(telegram, wait=0, token=token).poll(cursor, ProviderConnections(http))
    return len(result.requests), result.cursor, telegram.received[-1].json.get("offset")


async def test_after_half_a_day_of_silence_one_poll_names_no_update(telegram: TelegramServer) -> None:
    door, asked = account(telegram, wait=0), []
    began = door.monotonic()
    async with Http(total=5) as http:
        for hours, waiting in [(1, []), (13, [{"update_id": 17, "message": {}}]), (14, []), (15, [])]:
            telegram.updates = waiting  # Telegram may count from anywhere
            door.monotonic = lambda at=began + hours * 3600.0: at  # type: ignore[method-assign]
            result = await door.poll("1708:5200", ProviderConnections(http))
            asked.append((telegram.received[-1].json.get("offset"), result.cursor))
    assert asked == [(5200, None), (None, "1708:18"), (5200, None), (5200, None)]


async def test_an_update_without_a_number_does_not_hold_up_those_beside_it(telegram: TelegramServer) -> None:
    telegram.write(1, "Satu")
    telegram.then(done(["rusak", *telegram.updates, {"message": {}}]))
    assert await polled(telegram, None) == (3, "1708:5002", None)


async def test_half_an_emoji_in_an_update_does_not_hold_up_the_polls(telegram: TelegramServer) -> None:
    telegram.write(1, "Satu")
    telegram.then(done([*telegram.updates, {"update_id": 5002, "message": {"text": "\ud83d"}}]))
    assert await polled(telegram, None) == (2, "1708:5003", None)


async def test_another_bot_begins_anew() -> None:
    with TelegramServer("42:lain") as other:
        other.write(1, "Satu")
        assert await polled(other, "1708:999999", "42:lain") == (1, "42:5002", None)


async def test_the_kinds_of_updates_are_named(telegram: TelegramServer) -> None:
    await polled(telegram, None)
    asked = telegram.received[-1].json["allowed_updates"]
    assert {
        "message",
        "edited_message",
        "callback_query",
        "message_reaction",
        "business_message",
        "guest_message",
    } <= set(asked)
