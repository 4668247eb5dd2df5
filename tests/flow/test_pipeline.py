"""From a request at a door to the record, and back through the same door."""

from __future__ import annotations

import hashlib
import json
import re

import sqlalchemy as sa
from stdnum import luhn

from sink.account_faults import account_faults
from tests.fakes.graph import webhook
from tests.fakes.server import answer
from tests.flow.running_hub import RunningHub

STORY = "Jalan di depan Pasar Kosambi berlubang besar, sudah dua orang jatuh minggu ini."
NUMBER = re.compile(r"\b\d{10}\b")


def number_in(text: str) -> str:
    found = NUMBER.search(text)
    assert found, text
    return found.group()


async def test_an_sms_is_recorded_and_answered_with_its_number(hub: RunningHub) -> None:
    assert (await hub.sms("08120000001", f"LAPOR {STORY}", id="k1")).status_code == 200
    [complaint] = await hub.complaints()
    await hub.until(lambda: hub.kannel.sent, "the answer by SMS")
    assert complaint["text"] == f"LAPOR {STORY}"  # as it was written
    assert complaint["channel"] == "sms"
    assert complaint["place"]["code"] == "32.73"
    assert complaint["status"] == "unverified"
    assert luhn.is_valid(complaint["number"])
    assert number_in(hub.kannel.sent[0]["text"]) == complaint["number"]
    assert hub.kannel.sent[0]["to"].endswith("628120000001")


async def test_a_whatsapp_message_is_answered_with_our_reference(hub: RunningHub) -> None:
    assert (await hub.whatsapp("wamid.A", "628120000002", STORY)).status_code == 200
    [complaint] = await hub.complaints()
    await hub.until(lambda: hub.graph.sent, "the answer by WhatsApp")
    [sent] = hub.graph.sent
    assert sent["to"] == "628120000002"
    assert sent["biz_opaque_callback_data"]
    assert number_in(sent["text"]["body"]) == complaint["number"]
    assert [m["direction"] for m in complaint["messages"]][:1] == ["in"]


async def test_statuses_from_meta_settle_the_reply(hub: RunningHub) -> None:
    await hub.whatsapp("wamid.B", "628120000003", STORY)
    await hub.until(lambda: hub.graph.sent, "the answer")
    statuses = hub.graph.statuses("sent", "delivered", "delivered", number="106540352242922")
    assert (await hub.webhook(json.dumps(statuses).encode())).status_code == 200
    ledger = await hub.settled()
    assert ledger["receipts"] == 3
    assert ledger["received"] == 1
    assert _states(hub) == {"delivered"}


async def test_a_report_by_the_api_gets_its_number_and_shows_its_words_only_to_its_token(hub: RunningHub) -> None:
    answer = await hub.report({"text": STORY, "phone": "0812-0000-004"}, Prefer="wait=5")
    assert answer.status_code == 201
    filed = answer.json()
    public = (await hub.request("GET", f"/api/v1/reports/{filed['number']}")).json()
    mine = (await hub.request("GET", f"/api/v1/reports/{filed['number']}", params={"token": filed["token"]})).json()
    phone = (await hub.request("GET", f"/api/v1/reports/{filed['number']}", params={"phone": "0004"})).json()
    assert public["status"] == "unverified"
    assert STORY not in str(public)
    assert STORY in str(mine)
    assert STORY in str(phone)


async def test_a_later_message_joins_and_cek_tells_the_status(hub: RunningHub) -> None:
    await hub.sms("08120000005", f"LAPOR {STORY}", id="k5")
    await hub.settled()
    await hub.sms("08120000005", "Lokasinya persis di depan toko roti.", id="k6")
    [complaint] = await hub.complaints()
    await hub.sms("08120000005", f"cek {complaint['number']}", id="k7")
    ledger = await hub.settled()
    await hub.until(lambda: len(hub.kannel.sent) == 2, "two answers: words within seconds of the report need none")
    assert (ledger["recorded"], ledger["added"], ledger["asked"]) == (1, 1, 1)
    assert complaint["number"] in hub.kannel.sent[1]["text"]


async def test_case_01_the_same_whatsapp_id_again_is_a_redelivery(hub: RunningHub) -> None:
    await hub.whatsapp("wamid.same", "628120000006", STORY)
    await hub.settled()
    await hub.whatsapp("wamid.same", "628120000006", STORY)
    ledger = await hub.settled()
    assert (ledger["recorded"], ledger["redelivered"]) == (1, 1)
    await hub.until(lambda: hub.graph.sent, "the answer")
    assert len(hub.graph.sent) == 1


async def test_case_22_a_stranger_with_our_number_stays_out_of_the_case(hub: RunningHub) -> None:
    await hub.sms("08120000007", f"LAPOR {STORY}", id="k8")
    [complaint] = await hub.complaints()
    await hub.sms("08120000008", f"TL {complaint['number']} saya orang lain yang ikut campur di sini", id="k9")
    await hub.whatsapp("wamid.C", "628120000009", f"TL {complaint['number']} saya juga orang lain sama sekali")
    complaints = await hub.complaints()
    theirs = next(c for c in complaints if c["number"] == complaint["number"])
    assert len(complaints) == 3
    assert "ikut campur" not in str(theirs)
    assert "juga orang lain" not in str(theirs)


async def test_case_22_what_a_stranger_asked_leads_nobody_into_the_case(hub: RunningHub) -> None:
    await hub.sms("08120000014", f"LAPOR {STORY}", id="k14")
    [complaint] = await hub.complaints()
    await hub.whatsapp("wamid.ask", "628120000015", f"CEK {complaint['number']}")
    await hub.settled()
    message = {"from": "628120000015", "id": "wamid.edit", "timestamp": "1767600009", "type": "reaction"}
    message["reaction"] = {"message_id": "wamid.ask", "emoji": "\U0001f44d"}
    await hub.webhook(json.dumps(webhook({"messages": [message]}, number="106540352242922")).encode())
    [theirs] = await hub.complaints()
    assert [m["text"] for m in theirs["messages"] if m["direction"] == "in"] == [f"LAPOR {STORY}"]


async def test_case_22_nobody_edits_the_message_of_another(hub: RunningHub) -> None:
    await hub.whatsapp("wamid.own", "628120000018", STORY)
    await hub.settled()
    message = {"from": "628120000019", "id": "wamid.theirs", "timestamp": "1767600009", "type": "reaction"}
    message["reaction"] = {"message_id": "wamid.own", "emoji": "x"}
    await hub.webhook(json.dumps(webhook({"messages": [message]}, number="106540352242922")).encode())
    [complaint] = await hub.complaints()
    assert [m["kind"] for m in complaint["messages"] if m["direction"] == "in"] == ["text"]


async def test_case_22_a_claimed_phone_and_the_same_story_show_nobody_the_words(hub: RunningHub) -> None:
    await hub.sms("08120000017", STORY, id="k17")
    await hub.settled()
    await hub.sms("08120000017", "Nama saya Rahasia Sekali, rumah nomor 12.", id="k18")
    [complaint] = await hub.complaints()
    filed = (await hub.report({"text": STORY, "phone": "08120000017"}, Prefer="wait=5")).json()
    seen = await hub.request("GET", f"/api/v1/reports/{complaint['number']}", params={"token": filed["token"]})
    assert seen.json()["proven"] is False
    assert "Rahasia Sekali" not in seen.text


async def test_an_album_is_answered_once(hub: RunningHub) -> None:
    for n, caption in enumerate([STORY, "", ""]):
        image = {"id": f"media{n}", "mime_type": "image/jpeg", "sha256": "x"} | (
            {"caption": caption} if caption else {}
        )
        message = {"from": "628120000016", "id": f"wamid.album{n}", "timestamp": "1767600000", "type": "image"}
        await hub.webhook(
            json.dumps(webhook({"messages": [message | {"image": image}]}, number="106540352242922")).encode()
        )
    [complaint] = await hub.complaints()
    await hub.until(lambda: hub.graph.sent, "the answer")
    await hub.settled()
    assert len([m for m in complaint["messages"] if m["direction"] == "in"]) == 3
    assert len(hub.graph.sent) == 1


async def test_an_unreadable_body_is_dead_and_blocks_nobody(hub: RunningHub) -> None:
    assert (await hub.webhook(b'{"object": "whatsapp_business_account", "entry": [')).status_code == 200
    await hub.whatsapp("wamid.D", "628120000010", STORY)
    ledger = await hub.settled()
    assert (ledger["dead"], ledger["recorded"]) == (1, 1)


async def test_a_provider_that_is_busy_is_asked_again_and_answered_once(hub: RunningHub) -> None:
    hub.graph.then(answer(429, {}, retry_after="1"))
    await hub.whatsapp("wamid.E", "628120000011", STORY)
    await hub.until(lambda: hub.graph.sent, "the second try")
    await hub.until(lambda: _states(hub) == {"sent"}, "the result")
    assert len(hub.graph.sent) == 1


async def test_a_provider_that_fails_after_it_was_sent_the_reply_gets_it_once(hub: RunningHub) -> None:
    hub.graph.then(answer(500, "broken"))
    await hub.whatsapp("wamid.F", "628120000013", STORY)
    await hub.until(lambda: _states(hub) == {"unknown"}, "the reply to be in doubt")
    await hub.whatsapp("wamid.G", "628120000014", STORY)
    await hub.until(lambda: hub.graph.sent, "the next citizen's answer")
    assert [sent["to"] for sent in hub.graph.sent] == ["628120000014"]


async def test_what_is_owed_waits_while_the_account_is_at_fault_and_goes_out_once_it_is_mended(hub: RunningHub) -> None:
    hub.graph.token = "another"
    await hub.whatsapp("wamid.H", "628120000015", STORY)
    await hub.until(lambda: hub.io(account_faults, hub.record), "the account's fault to be stored")
    assert _states(hub) <= {"owed", "claimed"}
    hub.graph.token = "renewed"
    channels = hub.settings.channels
    channels.write_text(channels.read_text().replace("tests-access", "renewed"))
    await hub.until(lambda: hub.graph.sent, "the answer, within seconds of the new edition", within=8)
    await hub.until(lambda: _states(hub) == {"sent"}, "the result")
    assert await hub.io(account_faults, hub.record) == {}


async def test_a_picture_is_fetched_and_kept_by_its_hash(hub: RunningHub) -> None:
    picture = b"\xff\xd8\xff\xe0 bukan foto sungguhan"
    hub.graph.files["media1"] = (picture, "image/jpeg")
    image = {"id": "media1", "mime_type": "image/jpeg", "sha256": "x", "caption": STORY}
    message = {"from": "628120000012", "id": "wamid.F", "timestamp": "1767600000", "type": "image", "image": image}
    await hub.webhook(json.dumps(webhook({"messages": [message]}, number="106540352242922")).encode())
    [complaint] = await hub.complaints()
    digest = hashlib.sha256(picture).hexdigest()
    await hub.until(lambda: hub.opened.storage.blobs.path(digest).exists(), "the picture")
    assert complaint["text"] == STORY


def _states(hub: RunningHub) -> set[str]:
    with hub.record.read() as connection:
        return {state for (state,) in connection.execute(sa.text("SELECT state FROM outbox"))}
