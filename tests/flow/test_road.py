"""From a request at a door to the record, and back through the same door."""

from __future__ import annotations

import hashlib
import json
import re

import sqlalchemy as sa
from stdnum import luhn

from tests.fakes.graph import webhook
from tests.fakes.server import answer
from tests.flow.house import House

STORY = "Jalan di depan Pasar Kosambi berlubang besar, sudah dua orang jatuh minggu ini."
NUMBER = re.compile(r"\b\d{10}\b")


def number_in(text: str) -> str:
    found = NUMBER.search(text)
    assert found, text
    return found.group()


async def test_an_sms_is_recorded_and_answered_with_its_number(home: House) -> None:
    assert (await home.sms("08120000001", f"LAPOR {STORY}", id="k1")).status_code == 200
    [complaint] = await home.complaints()
    await home.until(lambda: home.kannel.sent, "the answer by SMS")
    assert complaint["text"] == f"LAPOR {STORY}"  # as said
    assert complaint["channel"] == "sms"
    assert complaint["place"]["code"] == "32.73"
    assert complaint["status"] == "unverified"
    assert luhn.is_valid(complaint["number"])
    assert number_in(home.kannel.sent[0]["text"]) == complaint["number"]
    assert home.kannel.sent[0]["to"].endswith("628120000001")


async def test_a_whatsapp_message_is_answered_with_our_reference(home: House) -> None:
    assert (await home.whatsapp("wamid.A", "628120000002", STORY)).status_code == 200
    [complaint] = await home.complaints()
    await home.until(lambda: home.graph.sent, "the answer by WhatsApp")
    [sent] = home.graph.sent
    assert sent["to"] == "628120000002"
    assert sent["biz_opaque_callback_data"]
    assert number_in(sent["text"]["body"]) == complaint["number"]
    assert [m["direction"] for m in complaint["messages"]][:1] == ["in"]


async def test_statuses_from_meta_settle_the_reply(home: House) -> None:
    await home.whatsapp("wamid.B", "628120000003", STORY)
    await home.until(lambda: home.graph.sent, "the answer")
    statuses = home.graph.statuses("sent", "delivered", "delivered", number="106540352242922")
    assert (await home.webhook(json.dumps(statuses).encode())).status_code == 200
    ledger = await home.settled()
    assert ledger["receipts"] == 3
    assert ledger["received"] == 1
    assert _states(home) == {"delivered"}


async def test_a_report_by_the_api_gets_its_number_and_shows_its_words_only_to_its_token(home: House) -> None:
    answer = await home.report({"text": STORY, "phone": "0812-0000-004"}, Prefer="wait=5")
    assert answer.status_code == 201
    said = answer.json()
    public = (await home.knock("GET", f"/api/v1/reports/{said['number']}")).json()
    mine = (await home.knock("GET", f"/api/v1/reports/{said['number']}", params={"token": said["token"]})).json()
    phone = (await home.knock("GET", f"/api/v1/reports/{said['number']}", params={"phone": "0004"})).json()
    assert public["status"] == "unverified"
    assert STORY not in str(public)
    assert STORY in str(mine)
    assert STORY in str(phone)


async def test_a_later_message_joins_and_cek_tells_the_status(home: House) -> None:
    await home.sms("08120000005", f"LAPOR {STORY}", id="k5")
    await home.settled()
    await home.sms("08120000005", "Lokasinya persis di depan toko roti.", id="k6")
    [complaint] = await home.complaints()
    await home.sms("08120000005", f"cek {complaint['number']}", id="k7")
    ledger = await home.settled()
    await home.until(lambda: len(home.kannel.sent) == 3, "three answers")
    assert (ledger["recorded"], ledger["added"]) == (1, 2)
    assert complaint["number"] in home.kannel.sent[2]["text"]


async def test_case_01_the_same_whatsapp_id_again_is_a_redelivery(home: House) -> None:
    await home.whatsapp("wamid.same", "628120000006", STORY)
    await home.settled()
    await home.whatsapp("wamid.same", "628120000006", STORY)
    ledger = await home.settled()
    assert (ledger["recorded"], ledger["redelivered"]) == (1, 1)
    await home.until(lambda: home.graph.sent, "the answer")
    assert len(home.graph.sent) == 1


async def test_case_22_a_stranger_with_our_number_stays_out_of_the_case(home: House) -> None:
    await home.sms("08120000007", f"LAPOR {STORY}", id="k8")
    [complaint] = await home.complaints()
    await home.sms("08120000008", f"TL {complaint['number']} saya orang lain yang ikut campur di sini", id="k9")
    await home.whatsapp("wamid.C", "628120000009", f"TL {complaint['number']} saya juga orang lain sama sekali")
    complaints = await home.complaints()
    theirs = next(c for c in complaints if c["number"] == complaint["number"])
    assert len(complaints) == 3
    assert "ikut campur" not in str(theirs)
    assert "juga orang lain" not in str(theirs)


async def test_case_22_what_a_stranger_asked_leads_nobody_into_the_case(home: House) -> None:
    await home.sms("08120000014", f"LAPOR {STORY}", id="k14")
    [complaint] = await home.complaints()
    await home.whatsapp("wamid.ask", "628120000015", f"CEK {complaint['number']}")
    await home.settled()
    said = {"from": "628120000015", "id": "wamid.edit", "timestamp": "1767600009", "type": "reaction"}
    said["reaction"] = {"message_id": "wamid.ask", "emoji": "\U0001f44d"}
    await home.webhook(json.dumps(webhook({"messages": [said]}, number="106540352242922")).encode())
    [theirs] = await home.complaints()
    assert [m["native_id"] for m in theirs["messages"] if m["direction"] == "in"] == ["k14"]


async def test_case_22_nobody_edits_what_another_said(home: House) -> None:
    await home.whatsapp("wamid.own", "628120000018", STORY)
    await home.settled()
    said = {"from": "628120000019", "id": "wamid.theirs", "timestamp": "1767600009", "type": "reaction"}
    said["reaction"] = {"message_id": "wamid.own", "emoji": "x"}
    await home.webhook(json.dumps(webhook({"messages": [said]}, number="106540352242922")).encode())
    [complaint] = await home.complaints()
    assert [m["native_id"] for m in complaint["messages"] if m["direction"] == "in"] == ["wamid.own"]


async def test_case_22_a_claimed_phone_and_the_same_story_show_nobody_the_words(home: House) -> None:
    await home.sms("08120000017", STORY, id="k17")
    await home.settled()
    await home.sms("08120000017", "Nama saya Rahasia Sekali, rumah nomor 12.", id="k18")
    [complaint] = await home.complaints()
    said = (await home.report({"text": STORY, "phone": "08120000017"}, Prefer="wait=5")).json()
    seen = await home.knock("GET", f"/api/v1/reports/{complaint['number']}", params={"token": said["token"]})
    assert seen.json()["proven"] is False
    assert "Rahasia Sekali" not in seen.text


async def test_an_album_is_answered_once(home: House) -> None:
    for n, caption in enumerate([STORY, "", ""]):
        image = {"id": f"media{n}", "mime_type": "image/jpeg", "sha256": "x"} | (
            {"caption": caption} if caption else {}
        )
        said = {"from": "628120000016", "id": f"wamid.album{n}", "timestamp": "1767600000", "type": "image"}
        await home.webhook(
            json.dumps(webhook({"messages": [said | {"image": image}]}, number="106540352242922")).encode()
        )
    [complaint] = await home.complaints()
    await home.until(lambda: home.graph.sent, "the answer")
    await home.settled()
    assert len([m for m in complaint["messages"] if m["direction"] == "in"]) == 3
    assert len(home.graph.sent) == 1


async def test_an_unreadable_body_is_dead_and_blocks_nobody(home: House) -> None:
    assert (await home.webhook(b'{"object": "whatsapp_business_account", "entry": [')).status_code == 200
    await home.whatsapp("wamid.D", "628120000010", STORY)
    ledger = await home.settled()
    assert (ledger["dead"], ledger["recorded"]) == (1, 1)


async def test_meta_busy_or_failing_is_tried_again_and_answered_once(home: House) -> None:
    home.graph.then(answer(429, {}, retry_after="1"), answer(500, "broken"))
    await home.whatsapp("wamid.E", "628120000011", STORY)
    await home.until(lambda: home.graph.sent, "the second try", within=30)
    await home.settled()
    assert len(home.graph.sent) == 1


async def test_a_picture_is_fetched_and_kept_by_its_hash(home: House) -> None:
    picture = b"\xff\xd8\xff\xe0 bukan foto sungguhan"
    home.graph.files["media1"] = (picture, "image/jpeg")
    image = {"id": "media1", "mime_type": "image/jpeg", "sha256": "x", "caption": STORY}
    said = {"from": "628120000012", "id": "wamid.F", "timestamp": "1767600000", "type": "image", "image": image}
    await home.webhook(json.dumps(webhook({"messages": [said]}, number="106540352242922")).encode())
    [complaint] = await home.complaints()
    digest = hashlib.sha256(picture).hexdigest()
    await home.until(lambda: home.hub.blobs.path(digest).exists(), "the picture")
    assert complaint["text"] == STORY


def _states(home: House) -> set[str]:
    with home.hub.record.read() as connection:
        return {state for (state,) in connection.execute(sa.text("SELECT state FROM outbox"))}
