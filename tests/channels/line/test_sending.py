"""Answers against LINE with its rules: reply tokens that work once, retry keys, the month's quota; and files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors import ProviderConnections
from connectors.line import LineChannel
from hub.commands._channel_test import try_channel
from schemas import AccountFault, Attachment, Reject, Retry, Unanswered
from tests.channels.recording import AT, channel, raw, read, reply
from tests.channels.recording import cases as recorded_cases
from tests.fakes.line import LineServer
from tests.fakes.server import Accepted, Fault, answer

SARI = "U" + "a" * 32
TOKEN = f"{SARI}|token-1|{int(AT.timestamp() * 1000)}"


@pytest.fixture
def line() -> Iterator[LineServer]:
    with LineServer() as server:
        yield server


class Clock:
    """So many seconds after the citizen wrote."""

    def __init__(self, seconds: float) -> None:
        self._at = AT + timedelta(seconds=seconds)

    def __call__(self) -> Any:
        return self._at


async def send(
    line: LineServer, outbound: ProviderConnections, to: str = TOKEN, *, after: float = 3, **fields: Any
) -> tuple[str, ...]:
    door: LineChannel = channel("line", api_url=line.url)
    door.now = Clock(after)  # type: ignore[misc]
    return (await door.send(reply("line", to=to, conversation=SARI, **fields), outbound)).native_ids


def paths(line: LineServer) -> list[str]:
    return [received.path.rpartition("/")[2] for received in line.received]


async def test_a_young_reply_token_is_used_and_costs_nothing(line: LineServer, outbound: ProviderConnections) -> None:
    assert await send(line, outbound) == ("10",)
    assert (paths(line), line.pushed) == (["reply"], 0)


@pytest.mark.parametrize(("to", "after"), [(TOKEN, 55), (SARI, 3)], ids=["too old", "none"])
async def test_without_a_young_token_it_is_pushed(
    line: LineServer, outbound: ProviderConnections, to: str, after: float
) -> None:
    assert await send(line, outbound, to, after=after) == ("10",)
    assert (paths(line), line.pushed, line.sent[0]["to"]) == (["push"], 1, SARI)


async def test_a_token_that_is_spent_is_followed_by_a_push(line: LineServer, outbound: ProviderConnections) -> None:
    line.reply_tokens.clear()
    assert await send(line, outbound) == ("10",)
    assert paths(line) == ["reply", "push"]


async def test_a_plan_without_pushes_stops_no_answer_by_token(line: LineServer, outbound: ProviderConnections) -> None:
    line.then(answer(403, {"message": "Access to this API is not available for your account"}))
    with pytest.raises(Reject, match="push_forbidden"):
        await send(line, outbound, SARI)
    assert await send(line, outbound) == ("10",)


async def test_a_reply_by_token_that_may_have_arrived_is_not_pushed(
    line: LineServer, outbound: ProviderConnections
) -> None:
    line.then(Accepted(Fault.DROP))
    with pytest.raises(Unanswered):
        await send(line, outbound)
    assert paths(line) == ["reply"]


@pytest.mark.parametrize(
    "fault",
    [answer(500, "<html>"), answer(200, "<html>"), Fault.DROP, Fault.HALF],
    ids=["500", "no JSON", "dropped", "half"],
)
async def test_a_push_whose_answer_was_lost_is_made_again_and_arrives_once(
    line: LineServer, outbound: ProviderConnections, fault: Any
) -> None:
    line.then(Accepted(fault))
    with pytest.raises(Retry) as lost:
        await send(line, outbound, SARI)
    assert not isinstance(lost.value, Unanswered)
    assert await send(line, outbound, SARI) == ("10",)  # the 409 tells the ids of the first
    assert len(line.sent) == 1


async def test_a_reply_that_was_being_sent_when_its_process_ended_arrives_once(
    line: LineServer, outbound: ProviderConnections
) -> None:
    line.then(Accepted(Fault.DROP))
    with pytest.raises(Retry):
        await send(line, outbound, SARI)
    assert await send(line, outbound, SARI, repeated=True) == ("10",)
    with pytest.raises(Unanswered):  # its token may have been used before
        await send(line, outbound, TOKEN, after=300, repeated=True)
    assert len(line.sent) == 1


async def test_two_replies_have_two_retry_keys(line: LineServer, outbound: ProviderConnections) -> None:
    own = "8b2e6f34-0c1d-5e7a-8f52-6a9d4c3b1e70"
    await send(line, outbound, SARI, id=own)
    await send(line, outbound, SARI, id="balasan-2")
    assert [r.headers["x-line-retry-key"] == own for r in line.received] == [True, False]
    assert len(line.sent) == 2


async def test_a_spent_quota_fails_this_reply_and_not_the_account(
    line: LineServer, outbound: ProviderConnections
) -> None:
    line.quota = 0
    with pytest.raises(Reject, match="quota_spent"):
        await send(line, outbound, SARI)
    assert await send(line, outbound) == ("10",)


async def test_an_answer_stands_in_up_to_five_messages(line: LineServer, outbound: ProviderConnections) -> None:
    ids = await send(line, outbound, text="😡 " * 4000)
    assert len(ids) == len(line.sent[0]["messages"]) == 3
    assert ["quickReply" in message for message in line.sent[0]["messages"]] == [False, False, True]
    with pytest.raises(Reject, match="text_too_long"):
        await send(line, outbound, text="a " * 15_000)


def test_the_address_of_an_answer_holds_the_token_and_when_it_came() -> None:
    door = channel("line")
    words, *_ = recorded_cases("line")
    (message,) = read(door, raw("line", words.request))
    assert door.reply_address(message) == TOKEN


async def test_in_a_group_everybody_reads_the_answer(line: LineServer, outbound: ProviderConnections) -> None:
    group = "C" + "c" * 32
    await send(line, outbound, f"{group}:{SARI}")
    assert line.sent[0]["to"] == group
    door = channel("line")
    assert [door.answers_publicly(to, "status") for to in (f"{group}:{SARI}", SARI)] == [True, False]


async def test_a_file_is_fetched_once_line_has_prepared_it(line: LineServer, outbound: ProviderConnections) -> None:
    door = channel("line", data_url=line.url)
    line.files["570004"] = None
    with pytest.raises(Retry) as not_yet:
        await door.fetch(Attachment(native_id="570004"), outbound)
    line.files["570004"] = b"foto"
    assert (not_yet.value.after, await door.fetch(Attachment(native_id="570004"), outbound)) == (
        10, (b"foto", "image/jpeg"),
    )  # fmt: skip


async def test_a_file_elsewhere_and_one_too_large_are_not_fetched(
    line: LineServer, outbound: ProviderConnections
) -> None:
    door = channel("line", data_url=line.url)
    for file in (Attachment(url="http://10.0.0.1/a.jpg"), Attachment(native_id="1", size=2**30)):
        with pytest.raises(Reject):
            await door.fetch(file, outbound)
    assert line.received == []


async def findings(line: LineServer, **settings: Any) -> dict[str, bool]:
    """Words to whether they need somebody."""
    door = channel("line", api_url=line.url, data_url=line.url, **settings)
    return {finding.words: finding.wrong async for finding in try_channel(door, None)}


async def test_trying_an_account_that_works(line: LineServer) -> None:
    line.pushed = 17
    found = await findings(line)
    assert not any(found.values())
    assert {
        "the access token is that of Aduan Kota (@aduan)", "chats by hand are off",
        "the webhook leads to aduan.example.go.id/in/rekam", "17 of 200 pushes are spent this month",
    } <= set(found)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"webhook": {"endpoint": "https://lain.example/x", "active": True}}, "and not to /in/rekam"),
        ({"webhook": {"endpoint": "https://aduan.example.go.id/in/rekam", "active": False}}, "switched off"),
        ({"webhook": {}}, "no webhook URL is set"),
        ({"info": {"chatMode": "chat"}}, "switch them off"),
        ({"pushed": 200}, "buy more"),
    ],
    ids=["elsewhere", "off", "none", "chats", "quota"],
)
async def test_trying_an_account_that_needs_somebody(line: LineServer, change: dict[str, Any], words: str) -> None:
    for name, value in change.items():
        setattr(line, name, value)
    wrong = [text for text, wrong in (await findings(line)).items() if wrong]
    assert [words in text for text in wrong] == [True]


async def test_a_wrong_token_is_a_fault_of_the_account(line: LineServer, outbound: ProviderConnections) -> None:
    door = channel("line", api_url=line.url, access_token="salah")
    with pytest.raises(AccountFault, match="token_invalid"):
        await door.check(outbound)
