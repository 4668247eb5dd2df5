"""Messenger, Instagram and pages: windows, private and public answers, both logins of Instagram, files, checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors import ProviderConnections, Request
from connectors._meta_check import check_token
from schemas import AccountFault, Attachment, Reject, Unanswered
from tests.channels.recording import cases, channel, raw, read, reply
from tests.fakes.graph import error
from tests.fakes.pages import PageGraph
from tests.fakes.server import Fault

NOW = datetime(2026, 11, 29, tzinfo=UTC)
KINDS = ["messenger", "facebook", "instagram"]


@pytest.fixture
def graph() -> Iterator[PageGraph]:
    with PageGraph() as graph:
        yield graph


async def test_past_24_hours_only_what_a_person_wrote_is_sent(graph: PageGraph, outbound: ProviderConnections):
    door = channel("messenger", graph_url=graph.graph_url)
    graph.late.add("900001")
    with pytest.raises(Reject, match="window_closed"):
        await door.send(reply("messenger"), outbound)
    by_officer = await door.send(answer_of_officer("messenger"), outbound)
    assert by_officer.native_ids == ("m_sent.1",)
    assert (graph.sent[0]["messaging_type"], graph.sent[0]["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")


@pytest.mark.parametrize("settings", [{"human_agent": False}, {}], ids=["switched off", "not granted"])
async def test_without_the_feature_an_officers_answer_waits_for_nobody(
    graph: PageGraph, outbound: ProviderConnections, settings: dict
):
    graph.late.add("900001")
    graph.human_agent = False
    door = channel("messenger", graph_url=graph.graph_url, **settings)
    with pytest.raises(Reject, match="window_closed"):
        await door.send(answer_of_officer("messenger"), outbound)


async def test_a_comment_is_answered_once_in_private_and_later_in_public(
    graph: PageGraph, outbound: ProviderConnections
):
    door = channel("facebook", graph_url=graph.graph_url)
    await door.send(reply("facebook"), outbound)
    assert graph.sent[0]["recipient"] == {"comment_id": "77_1"}
    with pytest.raises(Reject, match="private_reply_used"):
        await door.send(reply("facebook"), outbound)
    later = await door.send(answer_of_officer("facebook", "Laporan nomor 4719360285 sudah dijawab."), outbound)
    assert graph.comments == [("77_1", "Laporan nomor 4719360285 sudah dijawab.")]
    assert later.native_ids == ("77_1_1",)


@pytest.mark.parametrize(
    ("kind", "to", "template", "settings", "public"),
    [
        ("facebook", "1080:comment:77_1", "number_given", {}, False),
        ("facebook", "1080:comment:77_1", "number_given", {"comment_answers": "public"}, True),
        ("facebook", "1080:post:1080_78", "status_changed", {}, True),
        ("facebook", "1080:comment:77_1", "finished", {}, True),
        ("instagram", "17840:comment:180_1", "officer_answer", {}, True),
        ("facebook", "1080:unsigned:77_1", "number_given", {"comment_answers": "public"}, False),
        ("facebook", "1080:unsigned:77_1", "officer_answer", {}, True),
        ("messenger", "1080:900001", "officer_answer", {"comment_answers": "public"}, False),
    ],
)
def test_what_everybody_reads_is_known_before_it_is_worded(kind, to, template, settings, public):
    assert channel(kind, **settings).answers_publicly(to, template) is public


@pytest.mark.parametrize(
    ("kind", "to"),
    [("facebook", "1080:comment:77_1"), ("instagram", "17840:comment:180_1"), ("messenger", "1080:900001")],
)
def test_an_answer_goes_to_the_comment_or_to_the_person(kind: str, to: str):
    first = {c.name: c for c in cases(kind)}
    case = next(case for name, case in first.items() if "comment" in name or kind == "messenger")
    message = read(channel(kind), raw(kind, case.request))[0]
    assert channel(kind).reply_address(message) == to


async def test_a_comment_without_its_author_which_may_be_our_own_is_answered_in_private(
    graph: PageGraph, outbound: ProviderConnections
):
    value = {"item": "comment", "verb": "add", "comment_id": "77_8", "post_id": "1080_77", "message": "Lampu mati"}
    entry = {"id": "1080", "time": 1755400100, "changes": [{"field": "feed", "value": value}]}
    door = channel("facebook", graph_url=graph.graph_url, comment_answers="public")
    (message,) = read(door, raw("facebook", Request(body=json.dumps({"object": "page", "entry": [entry]}).encode())))
    await door.send(reply("facebook", to=door.reply_address(message)), outbound)
    assert (graph.sent[0]["recipient"], graph.comments) == ({"comment_id": "77_8"}, [])


async def test_a_page_that_no_account_has_stops_no_answer_of_our_own(graph: PageGraph, outbound: ProviderConnections):
    door = channel("messenger", graph_url=graph.graph_url)
    graph.then(error(400, 100, 33), error(400, 100, 33))
    with pytest.raises(Reject, match="other_sender"):
        await door.send(reply("messenger", to="2080:900001"), outbound)
    with pytest.raises(AccountFault, match="wrong_page"):
        await door.send(reply("messenger"), outbound)


async def test_what_meta_lets_nobody_answer_does_not_stop_the_account(graph: PageGraph, outbound: ProviderConnections):
    case = next(case for case in cases("facebook") if "mentions elsewhere" in case.name)
    door = channel("facebook", graph_url=graph.graph_url)
    for message in read(door, raw("facebook", case.request)):
        with pytest.raises(Reject, match="not_answerable"):
            await door.send(reply("facebook", to=door.reply_address(message)), outbound)
    assert graph.received == []


def test_what_the_account_wrote_itself_is_no_report_whatever_id_it_has_there():
    author = {"id": "990", "username": "dinas", "self_ig_scoped_id": "990"}
    comment = {"field": "comments", "value": {"id": "180_9", "from": author, "text": "Kami cek ya"}}
    pressed = {"sender": {"id": "990"}, "recipient": {"id": "991"}, "timestamp": 1755400100000, "is_self": True,
               "postback": {"mid": "m_9", "title": "Mulai", "payload": "LAPOR"}}  # fmt: skip
    entry = {"id": "17840", "time": 1755400100, "changes": [comment], "messaging": [pressed]}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    items = read(channel("instagram"), raw("instagram", Request(body=body)))
    assert [item.refusal for item in items] == ["echo of our own"] * 2


async def test_instagram_sends_by_the_account_or_by_its_page(graph: PageGraph, outbound: ProviderConnections):
    for settings in ({}, {"page_id": "1080"}):
        await channel("instagram", graph_url=graph.graph_url, **settings).send(reply("instagram"), outbound)
    to = reply("instagram", to="17840:comment:180_1")
    public = channel("instagram", graph_url=graph.graph_url, comment_answers="public")
    await public.send(to, outbound)
    assert [r.path for r in graph.received] == [
        "/v25.0/17840/messages", "/v25.0/1080/messages", "/v25.0/180_1/replies",
    ]  # fmt: skip


async def test_a_long_answer_is_sent_in_pieces_that_meta_takes(graph: PageGraph, outbound: ProviderConnections):
    text = "Jalan sudah ditambal é " * 200
    sent = await channel("instagram", graph_url=graph.graph_url).send(reply("instagram", text), outbound)
    pieces = [message["message"]["text"] for message in graph.sent]
    assert sent.native_ids == tuple(f"m_sent.{n}" for n in range(1, len(pieces) + 1))
    assert max(len(piece.encode()) for piece in pieces) <= 1000
    assert " ".join(pieces).split() == text.split()


async def test_of_a_long_answer_the_rest_of_which_fails_nothing_is_sent_twice(
    graph: PageGraph, outbound: ProviderConnections
):
    door = channel("messenger", graph_url=graph.graph_url)
    await door.send(reply("messenger", "pendek"), outbound)
    graph.late.add("900001")
    graph.then(graph._message({"recipient": {"id": "2"}, "message": {"text": "x"}}))
    with pytest.raises(Unanswered):
        await door.send(reply("messenger", "kata " * 900), outbound)


async def test_an_address_that_holds_a_path_stays_one_segment(graph: PageGraph, outbound: ProviderConnections):
    door = channel("facebook", graph_url=graph.graph_url, comment_answers="public")
    await door.send(reply("facebook", to="1080:comment:me/accounts?a"), outbound)
    assert [(r.path, r.params) for r in graph.received] == [("/v25.0/me%2Faccounts%3Fa/comments", {})]


async def test_our_token_does_not_go_to_file_servers(outbound: ProviderConnections):
    with PageGraph() as graph:
        door = channel("messenger", graph_url=graph.graph_url)
        graph.then(Fault.DROP)
        with pytest.raises(Unanswered):
            await door.fetch(Attachment(url=f"{graph.url}/foto.jpg"), outbound)
        assert "authorization" not in graph.received[0].headers
        for elsewhere in ("http://fbcdn.net.example/a", "http://evilfbcdn.net/a", "ftp://a.fbcdn.net/a", "", "a"):
            with pytest.raises(Reject, match="file_elsewhere"):
                await door.fetch(Attachment(url=elsewhere), outbound)


HEALTHY = {
    "me": {"id": "1080", "user_id": "17840", "name": "Dinas"},
    "debug_token": {"data": {"is_valid": True, "expires_at": 0, "scopes": [
        "pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content",
        "pages_manage_engagement"]}},
    "1080/subscribed_apps": {"data": [{"subscribed_fields": [
        "messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_echoes", "standby", "feed",
        "mention"]}]},
    "17840/subscribed_apps": {"data": [{"subscribed_fields": ["messages", "comments"]}]},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_an_account_that_is_set_up_has_no_finding_that_failed(
    kind: str, graph: PageGraph, outbound: ProviderConnections
):
    graph.nodes = HEALTHY
    found = await channel(kind, graph_url=graph.graph_url).check(outbound)
    assert found
    assert not [text for text, failed in found if failed]


@pytest.mark.parametrize(
    ("node", "facts", "words"),
    [
        ("me", {"id": "2090"}, "or enter the right token"),
        ("debug_token", {"data": {"is_valid": False}}, "no longer valid"),
        ("debug_token", {"data": {"is_valid": True, "scopes": ["pages_messaging"]}}, "lacks pages_manage_metadata"),
        ("1080/subscribed_apps", {"data": []}, "no app is subscribed"),
        ("1080/subscribed_apps", {"data": [{"subscribed_fields": ["messages"]}]}, "not subscribed to messaging_postb"),
    ],
)
async def test_a_check_says_what_is_wrong_and_what_to_do(
    node: str, facts: dict, words: str, graph: PageGraph, outbound: ProviderConnections
):
    graph.nodes = HEALTHY | {node: facts}
    if node == "me":
        graph.nodes |= {"2090/subscribed_apps": HEALTHY["1080/subscribed_apps"]}
    found = await channel("messenger", graph_url=graph.graph_url).check(outbound)
    assert [text for text, failed in found if failed and words in text]
    assert "token-graph" not in str(found)


@pytest.mark.parametrize(
    ("settings", "ends", "words"),
    [
        ({}, None, "cannot be asked: write it into token_ends"),
        ({"token_ends": "2020-01-31"}, datetime(2020, 1, 31, tzinfo=UTC), "make a new one now"),
        ({"token_ends": "2999-01-31"}, datetime(2999, 1, 31, tzinfo=UTC), "ends on 2999-01-31"),
    ],
)
async def test_a_token_of_instagrams_own_login_ends_when_its_settings_say(
    settings: dict, ends: datetime | None, words: str, graph: PageGraph, outbound: ProviderConnections
):
    graph.nodes = HEALTHY
    door = channel("instagram", graph_url=graph.graph_url, **settings)
    assert await door.token_end(outbound) == ends
    assert words in (await door.check(outbound))[-1].text
    with pytest.raises(ValueError, match="token_ends takes a date"):
        channel("instagram", token_ends="31 Januari")


@pytest.mark.parametrize("missing", ["debug_token", "1080/subscribed_apps"])
async def test_a_check_that_meta_refuses_names_the_settings_and_no_file(
    missing: str, graph: PageGraph, outbound: ProviderConnections
):
    graph.nodes = {name: facts for name, facts in HEALTHY.items() if name != missing}
    found = await channel("messenger", graph_url=graph.graph_url).check(outbound)
    (words,) = [text for text, failed in found if failed]
    assert "check the account's id, the token's rights and graph_url" in words


@pytest.mark.parametrize(("days", "failed"), [(13, True), (15, False)])
async def test_a_token_that_ends_is_seen_two_weeks_before(
    days: int, failed: bool, graph: PageGraph, outbound: ProviderConnections
):
    end = int(NOW.timestamp()) + days * 86400 + 60
    graph.nodes = {"debug_token": {"data": {"is_valid": True, "expires_at": end, "scopes": []}}}
    found = await check_token(channel("messenger", graph_url=graph.graph_url), outbound, (), lambda: NOW)
    assert (f"in {days} days" in found[0].text, found[0].failed) == (True, failed)


def answer_of_officer(kind: str, text: str = "Jalan sudah kami tambal."):
    return reply(kind, text, template="officer_answer")
