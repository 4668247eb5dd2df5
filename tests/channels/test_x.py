"""Peculiarities of X: pages and cursors, edits, the month's budget across restarts, limits, answers in public."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import Http, HttpRequest, HttpResponse, PollResult, ProviderConnections, Request
from connectors._x_budget import OTHER, POST, cost_of
from connectors._x_polling import Place, advance, mentions, request_of
from hub.commands._channel_test import try_channel
from schemas import AccountFault, Attachment, Message, Reject, Retry, Unanswered
from tests.channels.recording import channel, raw, read, reply
from tests.examples import examples
from tests.fakes.server import Accepted, Fault, answer
from tests.fakes.xapi import XServer, post

START = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer() as server:
        yield server


def account(x: XServer, clock: Clock | None = None, **settings: Any) -> Any:
    door = channel("x", api_url=x.url, **settings)
    door.now = clock or Clock()
    return door


async def poll(door: Any, cursor: str | None, outbound: ProviderConnections) -> tuple[list[Message], str]:
    """Poll until nothing more is there: the messages, and the cursor."""
    found: list[Message] = []
    polled = PollResult((), cursor, more=True)
    while polled.more:
        polled = await door.poll(polled.cursor, outbound)
        found += [item for request in polled.requests for item in read(door, raw("x", request))]
    return found, polled.cursor or ""


def texts(found: list[Message]) -> list[str]:
    return [message.text for message in found]


async def test_every_mention_is_taken_in_once(x: XServer, outbound: ProviderConnections):
    door = account(x)
    x.posts = [post(n, f"nomor {n}") for n in range(1, 4)]
    found, cursor = await poll(door, None, outbound)
    assert texts(found) == ["@dinas nomor 1", "@dinas nomor 2", "@dinas nomor 3"]
    assert (await poll(door, cursor, outbound))[0] == []
    x.posts.append(post(4, "nomor 4"))
    found, cursor = await poll(door, cursor, outbound)
    assert texts(found) == ["@dinas nomor 4"]


async def test_a_burst_over_several_pages_is_taken_in_whole(x: XServer, outbound: ProviderConnections):
    x.posts = [post(1)]
    _, cursor = await poll(account(x), None, outbound)
    x.posts += [post(n, f"nomor {n}") for n in range(2, 252)]
    found, cursor = await poll(account(x), cursor, outbound)
    assert sorted(message.native_id for message in found) == [one["id"] for one in x.posts[1:]]
    assert (await poll(account(x), cursor, outbound))[0] == []


async def test_what_is_killed_between_pages_goes_on_where_it_was(x: XServer, outbound: ProviderConnections):
    x.posts = [post(1)]
    _, cursor = await poll(account(x), None, outbound)
    x.posts += [post(n) for n in range(2, 202)]
    first = await account(x).poll(cursor, outbound)
    assert first.more
    rest, _ = await poll(account(x), first.cursor, outbound)
    taken = read(account(x), raw("x", first.requests[0])) + rest
    assert sorted({m.native_id for m in taken}) == [one["id"] for one in x.posts[1:]]


async def test_a_page_that_x_does_not_give_any_more_is_read_from_the_newest_on(
    x: XServer, outbound: ProviderConnections
):
    """Else every later poll would ask for it, and bring nothing for ever."""
    x.posts = [post(1)]
    _, cursor = await poll(account(x), None, outbound)
    x.posts += [post(n) for n in range(2, 202)]
    first = await account(x).poll(cursor, outbound)
    x.broken = answer(
        400, {"title": "Invalid Request", "errors": [{"message": "pagination_token is not a valid token"}]}
    )
    refused = await account(x).poll(first.cursor, outbound)
    assert (refused.requests, refused.more) == ((), False)
    x.broken = None
    rest, _ = await poll(account(x), refused.cursor, outbound)
    taken = read(account(x), raw("x", first.requests[0])) + rest
    assert sorted(m.native_id for m in taken) == [one["id"] for one in x.posts[1:]]


async def test_the_first_burst_of_a_new_account_is_taken_in_whole(x: XServer, outbound: ProviderConnections):
    _, cursor = await poll(account(x), None, outbound)
    x.posts = [post(n) for n in range(1, 252)]
    found, cursor = await poll(account(x), cursor, outbound)
    assert sorted(message.native_id for message in found) == [one["id"] for one in x.posts]
    assert (await poll(account(x), cursor, outbound))[0] == []


async def test_a_post_that_shows_up_late_is_found_by_looking_back(x: XServer, outbound: ProviderConnections):
    door = account(x)
    minute = 60_000 << 22
    late, newer = (dict(post(1, word), id=str(1900000000000000000 + at * minute)) for word, at in (("a", 1), ("b", 3)))
    x.posts = [newer]
    _, cursor = await poll(door, None, outbound)
    x.posts.insert(0, late)
    found: list[Message] = []
    for _ in range(16):
        more, cursor = await poll(door, cursor, outbound)
        found += more
    assert texts(found) == ["@dinas a"]


async def test_half_an_emoji_in_a_post_does_not_hold_up_the_polls(x: XServer, outbound: ProviderConnections):
    x.posts = [post(1, "jalan rusak \ud83d")]
    found, _ = await poll(account(x), None, outbound)
    assert texts(found) == ["@dinas jalan rusak \ufffd"]


@given(answered=st.recursive(
    st.none() | st.integers() | st.sampled_from(["1900000000000000001", "٣", "next"]),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(
        st.sampled_from(["data", "id", "meta", "next_token", "includes", "users", "edit_history_tweet_ids"]), v),
))  # fmt: skip
@examples(150)
def test_no_answer_stops_the_polls(answered: object):
    answer = answered if isinstance(answered, dict) else {"data": answered}
    source, place = mentions("5001", 5, names=False), Place(since="7", seen={"1900000000000000001": ""})
    request_of(answer, b"", place.seen)
    cost_of(answer, 5, lambda id: False)
    after, _ = advance(source, place, answer, "2026-11-29")
    assert int(after.since) >= 7


async def test_an_edit_that_we_first_see_edited_is_a_post(x: XServer, outbound: ProviderConnections):
    door = account(x)
    x.posts = [post(2, "lampu mati", edit_history_tweet_ids=[post(1)["id"], post(2)["id"]])]
    found, cursor = await poll(door, None, outbound)
    x.posts.append(post(3, "lampu mati semua", edit_history_tweet_ids=[post(n)["id"] for n in (1, 2, 3)]))
    edited, _ = await poll(door, cursor, outbound)
    assert [(m.kind, m.refers_to) for m in found + edited] == [("text", None), ("edit", post(2)["id"])]


async def test_direct_messages_are_read_after_the_mentions_and_not_at_every_poll(
    x: XServer, outbound: ProviderConnections
):
    clock = Clock()
    door = account(x, clock, direct_messages=True)
    x.direct = [{"id": "41", "event_type": "MessageCreate", "text": "Halo", "sender_id": "7001"}]
    found, cursor = await poll(door, None, outbound)
    assert [(m.conversation, m.text) for m in found] == [("dm:7001", "Halo")]
    x.direct.append({"id": "42", "event_type": "MessageCreate", "text": "Jalan rusak", "sender_id": "7001"})
    assert (await poll(door, cursor, outbound))[0] == []
    clock.at += timedelta(minutes=5)
    found, cursor = await poll(door, cursor, outbound)
    assert texts(found) == ["Jalan rusak"]
    x.direct.append({"id": "43", "event_type": "MessageCreate", "text": "Lampu mati", "sender_id": "7001"})
    clock.at -= timedelta(days=2)  # it was ahead
    assert texts((await poll(door, cursor, outbound))[0]) == ["Lampu mati"]


async def test_a_fault_of_direct_messages_does_not_stop_mentions(x: XServer, outbound: ProviderConnections):
    door = account(x, direct_messages=True)
    x.posts = [post(1)]
    first = await door.poll(None, outbound)
    x.then(answer(403, {"title": "Forbidden", "detail": "no rights"}))
    with pytest.raises(AccountFault):
        await door.poll(first.cursor, outbound)
    x.posts.append(post(2))
    after = await door.poll(first.cursor, outbound)
    assert len(after.requests) == 1


async def test_a_limit_in_the_headers_is_waited_for(x: XServer, outbound: ProviderConnections):
    clock = Clock()
    door = account(x, clock)
    until = int((START + timedelta(minutes=10)).timestamp())
    x.then(answer(200, {"meta": {}}, x_rate_limit_remaining="0", x_rate_limit_reset=str(until)))
    polled = await door.poll(None, outbound)
    with pytest.raises(Retry) as waiting:
        await door.poll(polled.cursor, outbound)
    assert (waiting.value.after, len(x.received)) == (600.0, 1)
    clock.at += timedelta(minutes=11)
    await door.poll(polled.cursor, outbound)
    x.then(answer(429, {}, x_rate_limit_reset=str(until + 900)))
    with pytest.raises(Retry) as limited:
        await door.poll(polled.cursor, outbound)
    assert limited.value.after == 840.0
    capped = {"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap",
              "type": "https://api.twitter.com/2/problems/usage-capped"}  # fmt: skip
    clock.at += timedelta(minutes=15)
    x.then(answer(429, capped, x_rate_limit_remaining="39999"))
    with pytest.raises(AccountFault, match="usage_capped"):
        await door.poll(polled.cursor, outbound)


async def test_an_answer_is_signed_and_holds_no_link(x: XServer, outbound: ProviderConnections):
    door = account(x)
    assert (await door.send(reply("x"), outbound)).native_ids == ("1900000000000009001",)
    for words in ("lihat https://a.example", "lihat bandung.go.id ya", "www.a"):
        with pytest.raises(Reject, match="link_in_answer"):
            await door.send(reply("x", words), outbound)
    assert len(x.sent) == 1
    with pytest.raises(AccountFault):
        await account(x, access_secret="salah").send(reply("x"), outbound)


async def test_who_did_not_address_us_is_not_answered(x: XServer, outbound: ProviderConnections):
    door = account(x)
    body = {"data": [post(1, entities={}), post(2)]}
    stranger, citizen = read(door, raw("x", Request(body=json.dumps(body).encode())))
    assert (stranger.answerable, citizen.answerable) == (False, True)
    assert door.reply_address(citizen) == f"post:{post(2)['id']}"
    with pytest.raises(Reject, match="not_addressed"):
        await door.send(reply("x", to=door.reply_address(stranger), template="officer_answer"), outbound)
    assert x.received == []


async def test_a_direct_message_points_to_another_door(x: XServer, outbound: ProviderConnections):
    door = account(x, other_door="Lebih aman lewat WhatsApp 0811-0000-0000.")
    await door.send(reply("x", to="dm:7001"), outbound)
    assert x.sent[0]["path"] == "dm_conversations/with/7001/messages"
    assert x.sent[0]["text"].endswith("\nLebih aman lewat WhatsApp 0811-0000-0000.")
    assert door.answers_publicly("post:1", "number_given")
    assert not door.answers_publicly("dm:7001", "number_given")


async def test_the_account_is_known_by_its_token(x: XServer, outbound: ProviderConnections):
    (own, budget) = await account(x).check(outbound)
    assert (own.failed, budget.failed) == (False, True)
    no_keys = dict.fromkeys(("consumer_key", "consumer_secret", "access_token", "access_secret"), "")
    (reads, _) = await account(x, user_id="5001", **no_keys).check(outbound)
    assert (reads.text, reads.failed) == ("bearer_token is taken", False)
    (unknown,) = await account(x, user_id="6001", **no_keys).check(outbound)
    assert unknown.failed
    found = [f.words async for f in try_channel(account(x, user_id="5001", **no_keys), None)]
    assert "cannot answer: set consumer_key" in found[0]
    assert (found[1], "a poll works" in found[-1]) == ("bearer_token is taken", True)
    (wrong,) = await account(x, user_id="6001").check(outbound)
    assert wrong.failed
    assert account(x, user_id="").settings.user == "5001"
    with pytest.raises(AccountFault, match="setting_missing"):
        await account(x, user_id="", access_token="").poll(None, outbound)


async def test_money_is_reserved_before_it_is_spent(x: XServer, outbound: ProviderConnections):
    door = account(x, monthly_budget=5)
    x.posts = [post(1)]
    with pytest.raises(Retry, match="reserves"):
        await door.send(reply("x"), outbound)
    first = await door.poll(None, outbound)
    assert (first.requests, first.more, x.received) == ((), True, [])
    second = await door.poll(first.cursor, outbound)
    assert len(second.requests) == 1
    await door.send(reply("x"), outbound)
    assert x.billed == 15


async def test_a_spent_budget_is_an_account_fault_until_next_month(x: XServer, outbound: ProviderConnections):
    clock = Clock()
    door = account(x, clock, monthly_budget=0.62)
    _, cursor = await poll(door, None, outbound)
    for _ in range(5):
        await door.send(reply("x"), outbound)
    with pytest.raises(AccountFault, match="budget_spent") as spent:
        await door.poll(cursor, outbound)
    assert spent.value.after == 40 * 3600.0 + 60.0
    clock.at = datetime(2026, 12, 1, 0, 1, tzinfo=UTC)
    _, cursor = await poll(door, cursor, outbound)
    await door.poll(cursor, outbound)
    await door.send(reply("x"), outbound)
    assert len(x.sent) == 6


@pytest.mark.parametrize("seed", range(6))
async def test_no_order_of_crashes_and_takeovers_overruns_the_budget(
    seed: int, x: XServer, outbound: ProviderConnections
):
    """A process dies between a call and the saving of the cursor, answers are lost, another process takes over while
    the old one still sends."""
    chance, clock = random.Random(seed), Clock()
    saved: str | None = None
    doors = [account(x, clock, monthly_budget=2)]
    for step in range(150):
        x.posts.append(post(step))
        if chance.random() < 0.05:
            doors = [account(x, clock, monthly_budget=2), *doors[:1]]
        if chance.random() < 0.1:
            x.then(Accepted(Fault.DROP))
        for door in doors[: chance.randint(1, 2)]:
            with suppress(Retry, AccountFault):
                await door.send(reply("x"), outbound)
        try:
            polled = await doors[0].poll(saved, outbound)
        except (Retry, AccountFault):
            continue
        if chance.random() < 0.85:
            saved = polled.cursor
        else:
            doors = [account(x, clock, monthly_budget=2)]
        clock.at += timedelta(seconds=60)
    assert x.billed <= 2000
    assert x.sent


async def test_nothing_is_read_or_answered_while_a_month_turns(x: XServer, outbound: ProviderConnections):
    """So no call is billed to another month than the one whose budget paid for it."""
    clock = Clock()
    door = account(x, clock, monthly_budget=5)
    _, cursor = await poll(door, None, outbound)
    asked, december = len(x.received), datetime(2026, 12, 1, tzinfo=UTC)
    for at, wait in ((december - timedelta(minutes=3), 240.0), (december, 60.0)):
        clock.at = at
        for call in (door.send(reply("x"), outbound), _until_asked(door, cursor, outbound)):
            with pytest.raises(Retry, match="month turns") as turning:
                await call
            assert turning.value.after == wait
    assert len(x.received) == asked
    clock.at = december + timedelta(minutes=1)
    await poll(door, cursor, outbound)
    await door.send(reply("x"), outbound)


async def _until_asked(door: Any, cursor: str | None, outbound: ProviderConnections) -> None:
    """The first poll of a month only reserves."""
    for _ in range(2):
        cursor = (await door.poll(cursor, outbound)).cursor


async def test_a_poll_without_an_answer_counts_once_a_day(x: XServer, outbound: ProviderConnections):
    """What X may have billed on a day is billed anew on the next."""
    clock = Clock()
    door = account(x, clock, monthly_budget=5)
    _, cursor = await poll(door, None, outbound)
    most, x.broken = door._budget.spent, Fault.DROP
    for day in (29, 29, 30, 30):
        clock.at = datetime(2026, 11, day, 20, tzinfo=UTC)
        with pytest.raises(Unanswered):
            await _until_asked(door, cursor, outbound)
    assert door._budget.spent == most + 2 * 20 * (POST + 5 * OTHER)


async def test_polls_that_get_no_answer_do_not_use_up_the_budget(x: XServer, outbound: ProviderConnections):
    door = account(x, monthly_budget=3)
    _, cursor = await poll(door, None, outbound)
    x.broken, failed = Fault.DROP, 0
    for _ in range(30):
        try:
            cursor = (await door.poll(cursor, outbound)).cursor
        except Unanswered:
            failed += 1
    x.broken, x.posts = None, [post(1)]
    found, _ = await poll(door, cursor, outbound)
    assert (len(found), failed > 20) == (1, True)


@pytest.mark.parametrize(
    ("host", "public"),
    [("pbs.twimg.com", True), ("video.twimg.com", True), ("media.intern.example", False)],
)
async def test_files_at_xs_own_hosts_come_from_public_addresses_only(host: str, public: bool):
    """One that the operator names may stand in the own network."""
    asked: list[HttpRequest] = []

    class Recorder(Http):
        async def send(self, request: HttpRequest) -> HttpResponse:
            asked.append(request)
            return HttpResponse(200, {}, b"x")

    door = channel("x", api_url="https://api.x.com", file_hosts=["pbs.twimg.com", "video.twimg.com", host])
    file = Attachment(url=f"https://{host}/media/a.jpg", media_type="image/jpeg")
    await door.fetch(file, ProviderConnections(Recorder()))
    assert [request.public for request in asked] == [public]
