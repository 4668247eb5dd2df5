"""Peculiarities of WhatsApp: the subscription, accounts of one webhook, user ids, files."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from connectors import Forbidden, ProviderConnections, Request, group_parts
from schemas import AccountFault, Attachment, Held, Receipt, Reject, Retry
from tests.channels.recording import cases, channel, raw, read, reply
from tests.fakes import graph as meta
from tests.fakes.graph import Graph
from tests.fakes.server import answer

SUBSCRIBE = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="


def test_the_subscription_is_answered_with_its_challenge():
    request = Request("GET", "", SUBSCRIBE + "rahasia-langganan")
    door = channel("whatsapp")
    door.verify(request)
    answer = door.challenge(request)
    assert (answer.status, answer.body, answer.media_type) == (200, b"1158201444", "text/plain; charset=utf-8")


@pytest.mark.parametrize("query", [SUBSCRIBE + "tebakan", SUBSCRIBE, "hub.challenge=1", ""])
def test_case_12_a_subscription_without_our_word_is_refused(query: str):
    with pytest.raises(Forbidden):
        channel("whatsapp").verify(Request("GET", "", query))


def test_case_12_without_a_word_of_ours_nothing_subscribes():
    with pytest.raises(Forbidden):
        channel("whatsapp", verify_token="").verify(Request("GET", "", SUBSCRIBE))


def test_a_post_is_no_handshake():
    assert channel("whatsapp").challenge(Request("POST", "", SUBSCRIBE)) is None


def test_case_11_the_signature_is_over_the_bytes_as_received():
    body = rb'{"entry":[ ],"x":"\u00e9 \/ \ud83d\ude21 ' + "é😡".encode() + b'"}'
    request = Request("POST", "", "", signature(body), body)
    channel("whatsapp").verify(request)
    rewritten = json.dumps(json.loads(body)).encode()
    with pytest.raises(Forbidden, match="wrong signature"):
        channel("whatsapp").verify(Request("POST", "", "", signature(body), rewritten))


def signature(body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(b"rahasia-aplikasi", body, hashlib.sha256).hexdigest()}


def test_case_07_each_group_names_the_number_it_is_meant_for():
    request = next(case.request for case in cases("whatsapp") if "case 7" in case.name)
    assert group_parts(channel("whatsapp"), request) == [
        ("1068:628120000002", "1068", (0, 1)),
        ("1068:628120000003", "1068", (2,)),
        ("2079:628120000004", "2079", (3,)),
    ]


def test_case_04_the_same_native_id_at_two_accounts_is_two_messages():
    request = Request(body=json.dumps(meta.text("Halo", native="wamid.X")).encode())
    here, there = channel("whatsapp"), channel("whatsapp")
    there.account = "wa-lain"
    assert read(here, raw("whatsapp", request))[0].id != read(there, raw("whatsapp", request))[0].id


@pytest.mark.parametrize("broken", [b"\xff\xfe", rb"\ud83d"])
def test_one_broken_character_does_not_hide_the_other_messages(broken: bytes):
    value = {
        "messages": [{"from": "62812", "id": f"w{n}", "type": "text", "text": {"body": f"HALO{n}"}} for n in (1, 2)]
    }
    body = json.dumps(meta.webhook(value)).encode().replace(b"HALO1", b"Jalan " + broken)
    first, second = read(channel("whatsapp"), raw("whatsapp", Request(body=body)))
    assert (first.text[:6], second.text) == ("Jalan ", "HALO2")


@pytest.fixture
def graph() -> Iterator[Graph]:
    with Graph() as graph:
        yield graph


async def test_case_09_a_citizen_who_hides_the_number_is_answered_by_user_id(
    graph: Graph, outbound: ProviderConnections
):
    door = channel("whatsapp", graph_url=graph.graph_url)
    for to in ("whatsapp:ID.2002", "ID.2002", "1068:ID.2002", "+628120000001", "1068:628120000001"):
        await door.send(reply("whatsapp", to=to, conversation="1068:ID.2002"), outbound)
    assert [sent.get("recipient") for sent in graph.sent] == ["ID.2002"] * 3 + [None] * 2
    assert [sent.get("to") for sent in graph.sent] == [None] * 3 + ["628120000001"] * 2


def test_an_answer_goes_to_the_conversation():
    request = Request(body=json.dumps(meta.text("Halo")).encode())
    (message,) = read(channel("whatsapp"), raw("whatsapp", request))
    assert channel("whatsapp").reply_address(message) == message.conversation == "1068:628120000001"


async def test_an_answer_quotes_what_meta_can_quote(graph: Graph, outbound: ProviderConnections):
    door = channel("whatsapp", graph_url=graph.graph_url)
    for written, to in (("wamid.A1", ""), ("wamid.A1~2", ""), ("~raw.0", ""), ("wamid.A1", "group:")):
        wanted = reply("whatsapp", in_reply_to=written, to=f"{to}1068:628120000001")
        await door.send(wanted, outbound)
    assert [sent.get("context") for sent in graph.sent] == [{"message_id": "wamid.A1"}] * 2 + [None] * 2
    assert {sent["to"] for sent in graph.sent} == {"628120000001"}


def test_the_address_of_a_citizen_in_a_group_says_so():
    value = {"messages": [{"from": "62812", "group_id": "g", "id": "w", "type": "text", "text": {"body": "Halo"}}]}
    (message,) = read(channel("whatsapp"), raw("whatsapp", Request(body=json.dumps(meta.webhook(value)).encode())))
    assert channel("whatsapp").reply_address(message) == "group:1068:62812"


@pytest.mark.parametrize("code", [100, 131009])
async def test_an_answer_whose_quote_meta_refuses_goes_without_it(
    code: int, graph: Graph, outbound: ProviderConnections
):
    words = {"code": code, "error_data": {"details": "Message id invalid"}}
    graph.then(answer(400, {"error": words}))
    sent = await channel("whatsapp", graph_url=graph.graph_url).send(reply("whatsapp"), outbound)
    assert (sent.native_ids, graph.sent[0].get("context")) == (("wamid.sent.1",), None)


async def test_a_file_that_metas_server_refuses_blames_no_account(graph: Graph, outbound: ProviderConnections):
    graph.files["901"] = (b"foto", "image/jpeg")
    graph.then(answer(200, {"url": f"{graph.url}/bytes/901"}), answer(403, "Forbidden"))
    with pytest.raises(Retry, match="file_missing"):
        await channel("whatsapp", graph_url=graph.graph_url).fetch(Attachment(native_id="901"), outbound)


async def test_an_account_without_a_number_of_its_own_answers_from_the_one_written_to(
    graph: Graph, outbound: ProviderConnections
):
    await channel("whatsapp", graph_url=graph.graph_url, phone_number_id="").send(reply("whatsapp"), outbound)
    assert graph.received[0].path == "/v23.0/1068/messages"


async def test_ids_of_a_webhook_stay_one_segment_of_the_path(graph: Graph, outbound: ProviderConnections):
    door = channel("whatsapp", graph_url=graph.graph_url, phone_number_id="")
    graph.then(meta.error(400, 131026))
    with pytest.raises(Reject):
        await door.send(reply("whatsapp", conversation="me/accounts?a:628120000001"), outbound)
    graph.then(meta.error(400, 131026))
    with pytest.raises(Reject):
        await door.fetch(Attachment(native_id="../me?x"), outbound)
    assert [(r.path, r.params) for r in graph.received] == [
        ("/v23.0/me%2Faccounts%3Fa/messages", {}),
        ("/v23.0/..%2Fme%3Fx", {}),
    ]


async def test_receipts_bring_back_our_own_reference_as_often_as_meta_repeats_them(
    graph: Graph, outbound: ProviderConnections
):
    door = channel("whatsapp", graph_url=graph.graph_url)
    (native,) = (await door.send(reply("whatsapp"), outbound)).native_ids
    body = json.dumps(graph.statuses("sent", "delivered", "delivered", "read")).encode()
    receipts = read(door, raw("whatsapp", Request(body=body)))
    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert {(r.reply, r.native_id) for r in receipts} == {("balasan-1", native)}
    assert [r.state for r in receipts] == ["sent", "delivered", "delivered", "read"]


async def test_a_picture_is_fetched_in_two_steps_with_our_token(graph: Graph, outbound: ProviderConnections):
    graph.files["901"] = (b"\xff\xd8foto", "image/jpeg")
    door = channel("whatsapp", graph_url=graph.graph_url)
    assert await door.fetch(Attachment(native_id="901"), outbound) == (b"\xff\xd8foto", "image/jpeg")
    assert [received.path for received in graph.received] == ["/v23.0/901", "/bytes/901"]


async def test_our_token_goes_to_a_host_that_the_settings_allow(graph: Graph, outbound: ProviderConnections):
    graph.files["901"] = (b"foto", "image/jpeg")
    elsewhere = {"url": graph.url.replace("127.0.0.1", "localhost") + "/bytes/901"}
    for hosts in ([], ["localhost"]):
        graph.then(answer(200, elsewhere))
        door = channel("whatsapp", graph_url=graph.graph_url, file_hosts=hosts)
        if not hosts:
            with pytest.raises(Reject, match="file_elsewhere"):
                await door.fetch(Attachment(native_id="901"), outbound)
        else:
            assert (await door.fetch(Attachment(native_id="901"), outbound)).body == b"foto"
    assert [received.path for received in graph.received] == ["/v23.0/901", "/v23.0/901", "/bytes/901"]


def test_a_missing_app_secret_is_named():
    with pytest.raises(Forbidden, match="no app_secret"):
        channel("whatsapp", app_secret="").verify(Request("POST", "", "", signature(b"{}"), b"{}"))


async def test_a_late_answer_goes_out_in_the_template_that_meta_approved(graph: Graph, outbound: ProviderConnections):
    graph.late.add("628120000001")
    answer_of_officer = reply("whatsapp", "Sudah ditambal.\n\nTerima kasih.", template="officer_answer")
    with pytest.raises(Reject, match="window_closed"):
        await channel("whatsapp", graph_url=graph.graph_url).send(answer_of_officer, outbound)
    door = channel("whatsapp", graph_url=graph.graph_url, late_template="kabar_laporan")
    await door.send(answer_of_officer, outbound)
    template = graph.sent[0]["template"]
    assert (template["name"], template["language"]) == ("kabar_laporan", {"code": "id"})
    assert template["components"][0]["parameters"] == [{"type": "text", "text": "Sudah ditambal. Terima kasih."}]
    await door.send(reply("whatsapp", "Laporan Anda selesai.", template="finished"), outbound)
    assert graph.sent[1]["type"] == "template"
    with pytest.raises(Reject, match="window_closed"):
        await door.send(reply("whatsapp"), outbound)


async def test_what_does_not_fit_into_the_template_goes_as_a_text(graph: Graph, outbound: ProviderConnections):
    door = channel("whatsapp", graph_url=graph.graph_url, late_template="kabar_laporan")
    graph.then(meta.error(400, 132005))
    await door.send(reply("whatsapp", "Sudah ditambal. " * 60, template="officer_answer"), outbound)
    assert [sent["type"] for sent in graph.sent] == ["text"]


async def test_a_number_that_no_account_has_stops_no_answer_of_our_own(graph: Graph, outbound: ProviderConnections):
    door = channel("whatsapp", graph_url=graph.graph_url)
    for code in (33, 131045):
        graph.then(meta.error(400, code))
        with pytest.raises(Reject, match="other_sender: the citizen wrote to 2079"):
            await door.send(reply("whatsapp", conversation="2079:628120000001"), outbound)
    graph.then(meta.error(401, 190))
    with pytest.raises(AccountFault):
        await door.send(reply("whatsapp", conversation="2079:628120000001"), outbound)


@pytest.mark.parametrize("code", [132000, 132001, 132012, 132015, 132016])
async def test_an_answer_whose_template_is_at_fault_waits_alone(code: int, graph: Graph, outbound: ProviderConnections):
    graph.then(meta.error(400, code))
    door = channel("whatsapp", graph_url=graph.graph_url, late_template="kabar_laporan")
    with pytest.raises(Held):
        await door.send(reply("whatsapp", template="officer_answer"), outbound)


@pytest.mark.parametrize(("status", "code"), [
    (400, 17), (400, 100), (400, 102), (400, 341), (400, 2500),
])  # fmt: skip
async def test_a_fault_of_the_account_loses_no_answer(
    status: int, code: int, graph: Graph, outbound: ProviderConnections
):
    graph.then(meta.error(status, code))
    door = channel("whatsapp", graph_url=graph.graph_url, late_template="kabar_laporan")
    with pytest.raises(AccountFault):
        await door.send(reply("whatsapp", template="officer_answer"), outbound)


async def test_a_number_that_whatsapp_refuses_stops_no_other_answer(graph: Graph, outbound: ProviderConnections):
    details = {"messaging_product": "whatsapp", "details": "Parameter Invalid"}
    refused = answer(400, {"error": {"code": 100, "type": "OAuthException", "error_data": details}})
    graph.then(refused, refused)
    with pytest.raises(Reject, match="meta_100"):
        await channel("whatsapp", graph_url=graph.graph_url).send(reply("whatsapp"), outbound)


async def test_a_long_answer_is_sent_in_pieces(graph: Graph, outbound: ProviderConnections):
    door = channel("whatsapp", graph_url=graph.graph_url)
    sent = await door.send(reply("whatsapp", "Jalan sudah ditambal. " * 300), outbound)
    assert len(sent.native_ids) == len(graph.sent) == 2
    assert max(len(message["text"]["body"].encode()) for message in graph.sent) <= 4096


async def test_a_check_names_number_token_and_subscription(graph: Graph, outbound: ProviderConnections):
    scopes = ["whatsapp_business_messaging", "whatsapp_business_management"]
    granular = [{"scope": scopes[1], "target_ids": ["10229"]}]
    graph.nodes = {
        "1068": {"verified_name": "Dinas", "status": "CONNECTED", "quality_rating": "GREEN"},
        "debug_token": {"data": {"is_valid": True, "expires_at": 0, "scopes": scopes, "granular_scopes": granular}},
        "10229/subscribed_apps": {"data": [{"whatsapp_business_api_data": {"id": "1"}}]},
    }
    door = channel("whatsapp", graph_url=graph.graph_url)
    assert [failed for _, failed in await door.check(outbound)] == [False] * 4
    graph.nodes |= {
        "1068": {"status": "BANNED", "quality_rating": "RED"},
        "debug_token": {"data": {"is_valid": True, "scopes": scopes[:1], "granular_scopes": granular}},
        "10229/subscribed_apps": {"data": []},
    }
    texts = [text for text, failed in await door.check(outbound) if failed]
    words = ("status BANNED", "lacks whatsapp_business_management", "no app is subscribed")
    assert [word in text for word, text in zip(words, texts, strict=True)] == [True] * 3
