"""What only WhatsApp has: the subscription, siblings, user ids, Meta's errors."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from msgspec.structs import replace

from connectors import Forbidden, Http, Request, Unanswered
from schemas import Attachment, Receipt, Reject, Retry
from tests.channels.recording import cases, channel, raw, read, reply
from tests.fakes import graph as meta
from tests.fakes.graph import Graph
from tests.fakes.server import Told, told

SUBSCRIBE = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="


def test_the_subscription_is_answered_with_its_challenge():
    request = Request("GET", SUBSCRIBE + "rahasia-langganan")
    door = channel("whatsapp")
    door.verify(request)
    answer = door.challenge(request)
    assert (answer.status, answer.body, answer.media_type) == (200, b"1158201444", "text/plain; charset=utf-8")


@pytest.mark.parametrize("query", [SUBSCRIBE + "tebakan", SUBSCRIBE, "hub.challenge=1", ""])
def test_case_12_a_subscription_without_our_word_is_refused(query: str):
    with pytest.raises(Forbidden):
        channel("whatsapp").verify(Request("GET", query))


def test_case_12_without_a_word_of_ours_nobody_subscribes():
    with pytest.raises(Forbidden):
        channel("whatsapp", verify_token="").verify(Request("GET", SUBSCRIBE))


def test_a_post_is_no_handshake():
    assert channel("whatsapp").challenge(Request("POST", SUBSCRIBE)) is None


def test_case_11_the_signature_is_over_the_bytes_as_received():
    body = rb'{"entry":[ ],"x":"\u00e9 \/ \ud83d\ude21 ' + "é😡".encode() + b'"}'
    request = Request("POST", "", signature(body), body)
    channel("whatsapp").verify(request)
    rewritten = json.dumps(json.loads(body)).encode()
    with pytest.raises(Forbidden, match="wrong signature"):
        channel("whatsapp").verify(Request("POST", "", signature(body), rewritten))


def signature(body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(b"rahasia-aplikasi", body, hashlib.sha256).hexdigest()}


def test_case_07_each_conversation_names_the_number_it_is_meant_for():
    request = next(case.request for case in cases("whatsapp") if "case 7" in case.name)
    spoken = channel("whatsapp").conversations(request)
    assert {(s.conversation, s.address) for s in spoken} == {
        ("1068:628120000002", "1068"),
        ("1068:628120000003", "1068"),
        ("2079:628120000004", "2079"),
    }


def test_case_04_the_same_native_id_at_two_accounts_is_two_messages():
    request = Request("POST", "", {}, json.dumps(meta.text("Halo", native="wamid.X")).encode())
    here, there = channel("whatsapp"), channel("whatsapp")
    there.account = "wa-lain"
    assert read(here, raw("whatsapp", request))[0].id != read(there, raw("whatsapp", request))[0].id


@pytest.mark.parametrize("broken", [b"\xff\xfe", rb"\ud83d"])
def test_one_broken_character_does_not_hide_the_other_messages(broken: bytes):
    value = {
        "messages": [{"from": "62812", "id": f"w{n}", "type": "text", "text": {"body": f"HALO{n}"}} for n in (1, 2)]
    }
    body = json.dumps(meta.webhook(value)).encode().replace(b"HALO1", b"Jalan " + broken)
    first, second = read(channel("whatsapp"), raw("whatsapp", Request("POST", "", {}, body)))
    assert (first.text[:6], second.text) == ("Jalan ", "HALO2")


def test_case_09_who_hides_the_number_is_answered_by_user_id():
    with Graph() as graph, Http() as http:
        door = channel("whatsapp", graph_url=graph.graph_url)
        for to in ("whatsapp:ID.2002", "ID.2002", "1068:ID.2002"):
            door.send(reply_to(to), http)
        door.send(reply_to("+628120000001"), http)
        names = [("recipient" in sent, "to" in sent) for sent in graph.sent]
    assert names == [(True, False)] * 3 + [(False, True)]
    assert {sent["recipient"] for sent in graph.sent[:3]} == {"ID.2002"}


def reply_to(to: str):
    return replace(reply("whatsapp"), to=to, conversation="1068:ID.2002")


def test_a_sibling_without_a_number_of_its_own_answers_from_the_one_written_to():
    with Graph() as graph, Http() as http:
        channel("whatsapp", graph_url=graph.graph_url, phone_number_id="").send(reply("whatsapp"), http)
        assert graph.asked[0].path == "/v23.0/1068/messages"


def test_receipts_bring_back_our_own_reference_as_often_as_meta_repeats_them():
    with Graph() as graph, Http() as http:
        door = channel("whatsapp", graph_url=graph.graph_url)
        native = door.send(reply("whatsapp"), http)
        body = json.dumps(graph.statuses("sent", "delivered", "delivered", "read")).encode()
    receipts = read(door, raw("whatsapp", Request("POST", "", {}, body)))
    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert {(r.reply, r.native_id) for r in receipts} == {("balasan-1", native)}
    assert [r.state for r in receipts] == ["sent", "delivered", "delivered", "read"]


def send_into(fault: Told) -> None:
    """Send a reply to a Graph API that answers with the fault."""
    with Graph() as graph, Http() as http:
        graph.then(fault)
        channel("whatsapp", graph_url=graph.graph_url).send(reply("whatsapp"), http)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, 130429, Retry),
        (400, 131056, Retry),
        (400, 80007, Retry),
        (400, 4, Retry),
        (500, 131000, Retry),
        (503, 131016, Retry),
        (500, 999999, Retry),
        (400, 131047, Reject),
        (400, 131026, Reject),
        (401, 190, Reject),
        (401, 0, Reject),
        (400, 100, Reject),
    ],
)
def test_metas_code_says_more_than_the_status(status: int, code: int, error: type):
    with pytest.raises(error) as caught:
        send_into(meta.error(status, code))
    assert type(caught.value) is error
    assert code == 999999 or str(code) in caught.value.reason


def test_the_citizen_is_not_written_to_again_before_meta_allows_it():
    with pytest.raises(Retry) as caught:
        send_into(meta.error(400, 131056))
    assert caught.value.after == 10


def test_an_answer_without_an_id_leaves_it_open_whether_it_was_sent():
    with pytest.raises(Unanswered):
        send_into(told(200, {"messages": []}))


def test_a_picture_is_brought_in_two_steps_with_our_token():
    with Graph() as graph, Http() as http:
        graph.files["901"] = (b"\xff\xd8foto", "image/jpeg")
        door = channel("whatsapp", graph_url=graph.graph_url)
        assert door.fetch(Attachment(native_id="901"), http) == (b"\xff\xd8foto", "image/jpeg")
        assert [asked.path for asked in graph.asked] == ["/v23.0/901", "/bytes/901"]


def test_our_token_does_not_leave_https():
    with Graph() as graph, Http() as http:
        graph.then(told(200, {"url": "ftp://files.example/901"}))
        door = channel("whatsapp", graph_url=graph.graph_url)
        with pytest.raises(Reject, match="scheme"):
            door.fetch(Attachment(native_id="901"), http)


def test_a_missing_app_secret_is_said():
    with pytest.raises(Forbidden, match="no app_secret"):
        channel("whatsapp", app_secret="").verify(Request("POST", "", signature(b"{}"), b"{}"))


def test_a_missing_access_token_is_said():
    with Http() as http, pytest.raises(Reject, match="no access_token"):
        channel("whatsapp", access_token="").send(reply("whatsapp"), http)
