"""Answers against a Bot API with its rules: lengths, topics, groups that move, buttons, and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import ProviderConnections
from connectors._long_text import cut_text
from schemas import Attachment, Reject, Unanswered
from tests.channels.recording import channel, reply
from tests.fakes.server import Fault
from tests.fakes.telegram import TelegramServer, done, error

SARI = 811000001


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


async def send(telegram: TelegramServer, outbound: ProviderConnections, text: str = "Nomor", **fields: Any) -> Any:
    to = fields.pop("to", str(SARI))
    made = reply("telegram", text, to=to, conversation=to, **{"in_reply_to": None} | fields)
    return await channel("telegram", api_url=telegram.url).send(made, outbound)


async def test_a_long_answer_is_cut_and_the_buttons_stand_under_its_end(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    text = "\n".join(f"Baris {number} 😡" for number in range(900))
    sent = await send(telegram, outbound, text)
    assert len(sent.native_ids) == len(telegram.sent) > 1
    assert "\n".join(one["text"] for one in telegram.sent) == text
    assert ["reply_markup" in one for one in telegram.sent] == [False] * (len(telegram.sent) - 1) + [True]


@settings(max_examples=30)
@given(st.text(st.sampled_from("a 😡\n"), max_size=12_000))
def test_cut_texts_fit_and_hold_every_letter(text: str) -> None:
    parts = list(cut_text(text, 4096))
    assert all(len(part.encode("utf-16-le")) <= 2 * 4096 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


async def test_a_second_part_that_fails_is_no_reason_to_send_the_first_again(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    telegram.then(done({"message_id": 1, "chat": {"id": SARI}}), error(429, "Too Many Requests", retry_after=3))
    with pytest.raises(Unanswered, match="1 of 2 parts"):
        await send(telegram, outbound, "a" * 5000)


async def test_in_a_topic_that_is_gone_the_answer_goes_beside_it(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    telegram.topics = {3}
    await send(telegram, outbound, to=f"{SARI}.3")
    await send(telegram, outbound, to=f"{SARI}.4")
    assert [one.get("message_thread_id") for one in telegram.sent] == [3, None]


async def test_a_group_that_moved_is_followed(telegram: TelegramServer, outbound: ProviderConnections) -> None:
    telegram.moved = {-4001: -1002000001}
    sent = await send(telegram, outbound, to=f"-4001:{SARI}")
    assert (telegram.sent[0]["chat_id"], sent.native_ids) == (-1002000001, ("-1002000001:9001",))


async def test_in_a_group_that_moved_the_answer_quotes_nobody_else(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    telegram.moved = {-4001: -1002000001}
    await send(telegram, outbound, "a" * 5000, to=f"-4001:{SARI}", in_reply_to="-4001:17")
    assert [one.get("reply_parameters") for one in telegram.sent] == [None, None]


@pytest.mark.parametrize(
    ("to", "fields"),
    [
        (f"-1002000001.7:{SARI}", {"chat_id": -1002000001, "message_thread_id": 7}),
        (f"-1002000010.d9:{SARI}", {"chat_id": -1002000010, "direct_messages_topic_id": 9}),
        (f"{SARI}@Kx_9", {"chat_id": SARI, "business_connection_id": "Kx_9"}),
    ],
    ids=["topic of a group", "a channel's direct messages", "business account"],
)
async def test_an_answer_goes_where_the_citizen_wrote(
    telegram: TelegramServer, outbound: ProviderConnections, to: str, fields: dict[str, Any]
) -> None:
    telegram.topics = {7}
    await send(telegram, outbound, to=to)
    assert {name: telegram.sent[0].get(name) for name in fields} == fields


async def test_a_pressed_button_is_acknowledged_and_the_answer_counts(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    await send(telegram, outbound, in_reply_to="callback:990001")
    telegram.then(error(400, "Bad Request: query is too old"))
    await send(telegram, outbound, in_reply_to="callback:990002")
    assert (telegram.acknowledged, len(telegram.sent)) == (["990001"], 2)
    assert "reply_parameters" not in telegram.sent[0]


async def test_a_citizen_asked_for_words_gets_a_field_for_them(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    await send(telegram, outbound, template="awaiting_words")
    await send(telegram, outbound, complaint=None)
    assert [one.get("reply_markup", {}).get("force_reply") for one in telegram.sent] == [True, None]


@pytest.mark.parametrize("to", [f"{SARI}@Kx_9", f"-1002000010.d9:{SARI}"], ids=["business account", "direct messages"])
async def test_a_citizen_is_asked_for_words_without_a_field_where_telegram_refuses_one(
    telegram: TelegramServer, outbound: ProviderConnections, to: str
) -> None:
    await send(telegram, outbound, template="awaiting_words", to=to)
    assert "reply_markup" not in telegram.sent[0]


async def test_a_citizen_who_blocked_the_bot_is_told_nothing(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    telegram.blocked = {SARI}
    with pytest.raises(Reject, match="blocked"):
        await send(telegram, outbound)
    with pytest.raises(Reject, match="no_address"):
        await send(telegram, outbound, to="Sari")


async def test_only_in_groups_everybody_reads_the_answer() -> None:
    door = channel("telegram")
    assert [door.answers_publicly(to, "status") for to in (f"-1002000001:{SARI}", str(SARI))] == [True, False]


async def test_files_come_by_two_calls_and_large_ones_not_at_all(
    telegram: TelegramServer, outbound: ProviderConnections
) -> None:
    telegram.files["f 1"] = b"foto"
    door = channel("telegram", api_url=telegram.url)
    assert (await door.fetch(Attachment(native_id="f 1", media_type="image/jpeg"), outbound)).body == b"foto"
    asked = len(telegram.received)
    with pytest.raises(Reject, match="file_too_large"):
        await door.fetch(Attachment(native_id="f 1", size=52428800), outbound)
    assert len(telegram.received) == asked
    telegram.then(Fault.DROP)
    with pytest.raises(Unanswered):
        await door.fetch(Attachment(native_id="f 1"), outbound)
