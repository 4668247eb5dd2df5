"""SMS by HTTP at other gateways than Kannel, by field mapping: messages and reports as each brings them, and sends."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors import Forbidden, ProviderConnections, Request, Secret
from connectors._field_paths import nested
from connectors._sms_twilio import sign, signed_form
from schemas import AccountFault, Message, Receipt, Reject, Retry, Unanswered
from tests.channels.recording import channel, raw, read, reply
from tests.channels.sms_gateways import INFOBIP, JASMIN, MESSAGES, OTHER, REPORTS, SARI, as_json, form
from tests.fakes.server import Behaviour, Received, Server, answer


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_read_as_each_gateway_brings_it(name: str) -> None:
    settings, request, native = MESSAGES[name]
    (message,) = read(channel("sms", **settings), raw("sms", request))
    assert isinstance(message, Message)
    assert (message.text, message.conversation, message.native_id) == ("Jalan rusak", SARI, native)


def test_a_text_in_the_networks_own_alphabet_is_read_from_its_bytes() -> None:
    """Jasmin hands on what the centre sent: `@` is NUL there, `_` is 0x11."""
    given = form(
        **JASMIN, coding="0", content="surel ke sari\x11b\0warga.id", binary=b"surel ke sari\x11b\0warga.id".hex()
    )
    (message,) = read(channel("sms", gateway="jasmin"), raw("sms", given))
    assert isinstance(message, Message)
    assert message.text == "surel ke sari_b@warga.id"


def test_messages_of_one_request_are_read_each_and_a_bad_one_spoils_no_other() -> None:
    door = channel("sms", gateway="infobip")
    results = [INFOBIP | {"messageId": str(n), "text": f"nomor {n}"} for n in range(2)] + [{"text": "x"}, "y", None]
    items = list(read(door, raw("sms", as_json({"results": results}))))
    assert [one.text for one in items[:2] if isinstance(one, Message)] == ["nomor 0", "nomor 1"]
    assert [one.code for one in items[2:] if isinstance(one, Reject)] == ["no_sender", "no_text", "no_text"]
    assert [one.code for one in read(door, raw("sms", Request("POST", body=b"{[")))] == ["not_json"]


@pytest.mark.parametrize(
    ("written", "conversation"),
    [("886912345678", "+886912345678"), ("819012345678", "+819012345678"), ("6281200001", "+6281200001"),
     ("1708", "1708"), ("PLN123", "PLN123")],
)  # fmt: skip
def test_a_foreign_number_without_plus_is_nobody_in_indonesia(written: str, conversation: str) -> None:
    given = as_json({"results": [INFOBIP | {"from": written, "text": "Jalan rusak"}]})
    (message,) = read(channel("sms", gateway="infobip"), raw("sms", given))
    assert isinstance(message, Message)
    assert message.conversation == conversation


def test_a_message_with_a_time_and_no_id_has_a_fingerprint() -> None:
    given = {"msisdn": SARI, "content": {"body": "Jalan rusak"}, "at": "2025-08-17T10:06:40+07:00"}
    (message,) = read(channel("sms", **OTHER), raw("sms", as_json({"data": [given]})))
    assert (message.native_id, bool(message.fingerprint), message.sent_at.hour) == ("", True, 10)


@pytest.mark.parametrize(("settings", "hour"), [({}, 3), ({"zone": "Asia/Jayapura"}, 1)], ids=["Jakarta", "Jayapura"])
def test_a_time_without_a_zone_is_that_of_the_account(settings: dict[str, str], hour: int) -> None:
    given = {"msisdn": SARI, "content": {"body": "Jalan rusak"}, "at": "2025-08-17 10:06:40"}
    (message,) = read(channel("sms", **OTHER, **settings), raw("sms", as_json({"data": [given]})))
    assert message.sent_at.astimezone(UTC).hour == hour


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_names_the_reply_and_its_state(name: str) -> None:
    settings, request, known = REPORTS[name]
    (receipt,) = read(channel("sms", **settings), raw("sms", request))
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.reply, receipt.native_id) == known
    assert (receipt.reason is None) is (receipt.state == "delivered")


@pytest.mark.parametrize(
    ("gateway", "accepted"),
    [("kannel", b""), ("jasmin", b"ACK/Jasmin"), ("twilio", b"<Response/>"), ("infobip", b""), ("other", b"")],
)
def test_each_hears_what_it_takes_for_a_yes_and_no_citizen_gets_it(gateway: str, accepted: bytes) -> None:
    assert channel("sms", gateway=gateway).accepted().body == accepted


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"fields": {"pengirim": "x"}}, "fields: pengirim"), ({"send": {"x": "{teks}"}}, "send: {teks}"),
     ({"headers": {"x": "{rahasia}"}}, "headers: {rahasia}"),
     ({"send_as": "json", "send": {"a": "{to}", "a.b": "{text}"}}, "send: a.b does not go together"),
     ({"send_as": "json", "send": {"a.0.to": "{to}", "a.isi": "{text}"}}, "send: a.isi does not go together"),
     ({"send_as": "json", "send": {"a.0.to": "{to}", "a.0.b.1000": "{text}"}}, "send: 1000 is no position")],
)  # fmt: skip
def test_a_mapping_that_cannot_be_is_refused_with_its_setting(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        channel("sms", gateway="other", **settings)


def test_an_empty_value_before_others_of_a_list_moves_none() -> None:
    """The report's address is empty without `public_url`, and an empty field is left out."""
    assert nested({"a.1.to": "x", "b": "y"}) == {"a": [{}, {"to": "x"}], "b": "y"}


AUTH_TOKEN, PUBLIC_URL = "token-twilio-untuk-uji", "https://aduan.example.go.id"
SIGNED: dict[str, tuple[str, bytes, str]] = {
    "a message": (
        "token=rahasia-gerbang",
        b"ToCountry=ID&From=%2B628120000001&To=1708&Body=Jalan+rusak+%26+gelap+%F0%9F%98%A1&MessageSid=SM1&NumMedia=0&Kosong=",
        "2P76qZXb78TWMbbq90gQWk1hHgY=",
    ),
    "the port in the signed address": (
        "token=rahasia-gerbang", b"From=%2B628120000001&Body=x&MessageSid=SM2", "gX+lQzok/uoE6x5eL+28c4irt0Q=",
    ),
    "a report": (
        "token=rahasia-gerbang&ref=balasan-1", b"MessageSid=SM9&MessageStatus=delivered",
        "7vA6JweC3h5Y0bIRzI7cLmEkmNA=",
    ),
}  # fmt: skip


def signed(query: str, body: bytes, signature: str | None) -> Request:
    return Request("POST", "", query, {} if signature is None else {"x-twilio-signature": signature}, body)


@pytest.mark.parametrize("name", SIGNED)
def test_twilios_signature_is_taken_and_nothing_else_is_where_its_token_is_known(name: str) -> None:
    query, body, signature = SIGNED[name]
    door = channel("sms", gateway="twilio", auth_token=AUTH_TOKEN, public_url=PUBLIC_URL)
    door.verify(signed(query, body, signature))
    for forged in (
        signed(query, body, None), signed(query, body, ""), signed(query, body, "é" * 28),
        signed(query, body + b"x", signature),
        signed(f"{query}&x=1", body, signature), signed(query, body, signature[::-1]),
        signed(query.replace("rahasia-gerbang", "tebakan"), body, signature),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            door.verify(forged)
    channel("sms", gateway="twilio", public_url=PUBLIC_URL).verify(signed(query, body, None))


def test_the_signature_is_that_of_twilios_documentation() -> None:
    form = signed_form(
        b"Digits=1234&To=%2B18005551212&From=%2B12349013030&Caller=%2B12349013030&CallSid=CA1234567890ABCDE"
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign(Secret("12345"), url, form) == b"0/KCTR6DLpKmkAf8muzZqo1nDgQ="


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"gateway": "twilio", "public_url": ""}, "public_url"),
        ({"gateway": "jasmin"}, "auth_token"),
        ({}, "auth_token"),
    ],
)
def test_a_signature_that_could_never_be_right_is_refused_at_the_start(settings: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}: "):
        channel("sms", auth_token=AUTH_TOKEN, **settings)


class Gateway(Server):
    """Answers as it is told; `asked` is the last request."""

    def __init__(self) -> None:
        super().__init__(lambda _: self.behaviour_of)
        self.behaviour_of: Behaviour = answer(200)

    @property
    def asked(self) -> Received:
        return self.received[-1]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        yield server


def account(at: Gateway, **settings: Any) -> Any:
    known = {"username": "AC1", "password": "sandi", "sender": "1708", "public_url": "https://aduan.example.go.id"}
    path = settings.pop("path", "/kirim")
    return channel("sms", send_url=f"{at.url}{path}", **known | settings)


def asked_form(received: Received) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(received.body.decode()).items()}


async def test_jasmin_gets_a_form_and_tells_its_id_in_words(gateway: Gateway, outbound: ProviderConnections) -> None:
    gateway.behaviour_of = answer(200, 'Success "07033084-5cfd"')
    door, to = account(gateway, gateway="jasmin"), {"to": SARI, "conversation": SARI}
    assert (await door.send(reply("sms", "Nomor 4719", **to), outbound)).native_ids == ("07033084-5cfd",)
    sent = asked_form(gateway.asked)
    assert (sent["content"], sent["coding"], sent["to"], "hex-content" in sent) == ("Nomor 4719", "0", SARI, False)
    assert sent["dlr-url"].startswith("https://aduan.example.go.id/in/rekam?token=")
    await door.send(reply("sms", "Terima kasih 🙏", **to), outbound)
    sent = asked_form(gateway.asked)
    assert bytes.fromhex(sent["hex-content"]).decode("utf-16-be") == "Terima kasih 🙏"
    assert (sent["coding"], "content" in sent) == ("8", False)


async def test_twilio_gets_a_form_with_a_basic_login(gateway: Gateway, outbound: ProviderConnections) -> None:
    gateway.behaviour_of = answer(201, {"sid": "SM9", "status": "queued"})
    one = reply("sms", "Nomor 4719", to=SARI, conversation=SARI)
    assert (await account(gateway, gateway="twilio").send(one, outbound)).native_ids == ("SM9",)
    sent = asked_form(gateway.asked)
    assert (sent["To"], sent["From"], sent["Body"]) == (SARI, "1708", "Nomor 4719")
    assert f"ref={one.id}" in sent["StatusCallback"]
    assert b64decode(gateway.asked.headers["authorization"].removeprefix("Basic ")) == b"AC1:sandi"


@pytest.mark.parametrize(
    ("name", "words", "most"), [("twilio", "Sudah ditambal. ", 1600), ("jasmin", "Sudah ditambal. ", 5 * 153),
                                   ("jasmin", "Terima kasih 🙏 ", 5 * 67)],
)  # fmt: skip
async def test_a_text_longer_than_a_gateway_takes_goes_in_several(
    name: str, words: str, most: int, gateway: Gateway, outbound: ProviderConnections
) -> None:
    gateway.behaviour_of = answer(200, {"sid": "SM9"} if name == "twilio" else 'Success "SM9"')
    one = reply("sms", words * 120, to=SARI, conversation=SARI)
    sent = await account(gateway, gateway=name).send(one, outbound)
    forms = [asked_form(received) for received in gateway.received]
    texts = [f.get("Body") or f.get("content") or bytes.fromhex(f["hex-content"]).decode("utf-16-be") for f in forms]
    assert " ".join(texts).split() == one.text.split()
    assert max(len(text.encode("utf-16-le")) // 2 for text in texts) <= most
    assert len(sent.native_ids) == len(texts) > 1
    gateway.then(answer(200, {"sid": "SM9"} if name == "twilio" else 'Success "SM9"'))
    gateway.behaviour_of = answer(400, "")
    with pytest.raises(Unanswered):
        await account(gateway, gateway=name).send(one, outbound)


async def test_infobip_gets_json_and_may_refuse_with_200(gateway: Gateway, outbound: ProviderConnections) -> None:
    door, one = account(gateway, gateway="infobip", public_url=""), reply("sms", "Halo", to=SARI, conversation=SARI)
    gateway.behaviour_of = answer(200, {"messages": [{"messageId": "9", "status": {"groupName": "PENDING"}}]})
    assert (await door.send(one, outbound)).native_ids == ("9",)
    (sent,) = gateway.asked.json["messages"]
    assert sent == {
        "sender": "1708", "destinations": [{"to": SARI[1:]}], "content": {"text": "Halo"},
        "webhooks": {"contentType": "application/json", "callbackData": one.id},
    }  # fmt: skip
    assert gateway.asked.headers["authorization"] == "App sandi"
    gateway.behaviour_of = answer(200, {"messages": [{"messageId": "9", "status": {"groupName": "REJECTED"}}]})
    with pytest.raises(Reject, match="refused_by_gateway"):
        await door.send(one, outbound)
    no_credit = {"groupName": "REJECTED", "name": "REJECTED_NOT_ENOUGH_CREDITS"}
    gateway.behaviour_of = answer(200, {"messages": [{"messageId": "9", "status": no_credit}]})
    with pytest.raises(AccountFault, match="no_credit"):
        await door.send(one, outbound)


async def test_infobips_older_api_gets_its_own_fields(gateway: Gateway, outbound: ProviderConnections) -> None:
    door = account(gateway, gateway="infobip", path="/sms/2/text/advanced")
    gateway.behaviour_of = answer(200, {"messages": [{"messageId": "9", "status": {"groupName": "PENDING"}}]})
    await door.send(one := reply("sms", "Halo", to=SARI, conversation=SARI), outbound)
    (sent,) = gateway.asked.json["messages"]
    assert (sent["from"], sent["text"], sent["callbackData"]) == ("1708", "Halo", one.id)
    assert sent["notifyUrl"].startswith("https://aduan.example.go.id/in/")


async def test_any_other_gateway_gets_what_its_mapping_says(gateway: Gateway, outbound: ProviderConnections) -> None:
    gateway.behaviour_of = answer(200, {"result": {"ref": 12}})
    one = reply("sms", "Halo", to=SARI, conversation=SARI)
    assert (await account(gateway, **OTHER).send(one, outbound)).native_ids == ("12",)
    assert gateway.asked.params == {"dest": SARI[1:], "pesan": "Halo", "key": "sandi"}
    assert gateway.asked.headers["x-key"] == "Kunci sandi"


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (401, {"code": 20003}, AccountFault, "wrong_password"),
        (403, 'Error "Authentication failure"', AccountFault, "wrong_password"),
        (404, "", AccountFault, "wrong_send_url"),
        (402, "", AccountFault, "no_credit"),
        (400, {"code": 21606}, AccountFault, "sender_missing"),
        (400, {"code": 21408}, AccountFault, "region_closed"),
        (400, {"code": 21608}, AccountFault, "trial_account"),
        (400, {"code": 21611}, Retry, "queue_full"),
        (400, {"code": 21610}, Reject, "unsubscribed"),
        (400, {"code": 21614}, Reject, "wrong_recipient"),
        (403, 'Error "User throughput exceeded"', Retry, "throttled"),
        (403, 'Error "Cannot charge submit_sm, check RouterPB log file for details"', AccountFault, "no_credit"),
        (400, {"code": 21617}, Reject, "http_400"),
        (412, 'Error "No route found"', Reject, "not_routable"),
        (429, "", Retry, "http_429"),
        (500, "", Unanswered, "500"),
    ],
)
async def test_what_a_gateway_refuses_with(
    status: int, body: Any, error: type[Exception], code: str, gateway: Gateway, outbound: ProviderConnections
) -> None:
    gateway.behaviour_of = answer(status, body)
    with pytest.raises(error, match=code):
        await account(gateway, gateway="twilio").send(reply("sms", "x", to=SARI, conversation=SARI), outbound)


@pytest.mark.parametrize("name", ["kannel", "jasmin", "twilio", "infobip", "other"])
async def test_an_answer_that_is_none_of_the_gateways_leaves_open_what_arrived(
    name: str, gateway: Gateway, outbound: ProviderConnections
) -> None:
    gateway.behaviour_of = answer(200, '<html lang="id">Sedang dalam pemeliharaan</html>')
    with pytest.raises(Unanswered):
        await account(gateway, gateway=name).send(reply("sms", "x", to=SARI, conversation=SARI), outbound)


@pytest.mark.parametrize("name", ["jasmin", "twilio", "infobip"])
async def test_an_answer_without_an_id_leaves_open_what_arrived(
    name: str, gateway: Gateway, outbound: ProviderConnections
) -> None:
    gateway.behaviour_of = answer(200, {})
    with pytest.raises(Unanswered):
        await account(gateway, gateway=name).send(reply("sms", "x", to=SARI, conversation=SARI), outbound)
