"""The whole circle: a citizen's message, its office, LAPOR!, the answer there, the citizen's phone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from hub.clock import utc_now
from sink.forward_repair import ForwardLine, decide_stands, list_forwards
from tests.fakes.graph import text, webhook
from tests.fakes.lapor import LaporServer
from tests.fakes.server import Accepted, Fault
from tests.flow.lapor_drill import account, with_accounts
from tests.flow.running_hub import RunningHub, running_hub
from tests.programs import APP_SECRET, signed

PHOTO = BytesIO()
Image.new("RGB", (60, 40), "red").save(PHOTO, "JPEG")
STORY = "Lampu jalan di Jalan Kaliurang KM 9, Ngaglik, mati sejak hari Senin dan gelap sekali."
SLEMAN = f"""
[wa-sleman]
kind = "whatsapp"
owner = "34.04"
app_secret = "{APP_SECRET}"
verify_token = "tests-verify"
phone_number_id = "106540352242923"
access_token = "tests-access"
graph_url = "GRAPH"
"""


@pytest.fixture
def lapor() -> Iterator[LaporServer]:
    with LaporServer() as server:
        yield server


@pytest.fixture
async def hub(tmp_path: Path, lapor: LaporServer) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path / "hub", "sqlite:///{data}/bus.db") as opened:
        await with_accounts(opened, SLEMAN.replace("GRAPH", opened.graph.graph_url) + account(lapor))
        yield opened


async def test_from_a_message_in_sleman_by_lapor_and_its_office_back_to_the_phone(
    hub: RunningHub, lapor: LaporServer
) -> None:
    # a citizen of Sleman sends a photo by WhatsApp, with words, and gets a number
    hub.graph.files["foto"] = (PHOTO.getvalue(), "image/jpeg")
    await write(hub, "wamid.sleman", STORY, photo="foto")
    [complaint] = await hub.complaints()
    await hub.until(lambda: hub.graph.sent, "the number by WhatsApp")

    # the report stands in LAPOR! by itself, once, with our number
    [there] = await hub.until(lambda: lapor.holding(complaint["number"]), "the report in LAPOR!")
    assert STORY in there.text
    assert there.body["disposition_id"] == 77
    assert there.body["attachments"] == "[11]."
    kind, photo = lapor.files[11]
    assert (kind, Image.open(BytesIO(photo)).size) == ("image/jpeg", (60, 40))
    assert complaint["number"] in there.body["tags_raw"]
    [complaint] = await hub.until(lambda: _with_sp4n(hub), "LAPOR!'s number on our report")
    assert complaint["external_ids"] == {"sp4n": there.id}

    # the citizen adds something: it stands in LAPOR! too, and does not come back as news
    await write(hub, "wamid.more", "Lampu di gang sebelah, dekat masjid, juga mati.")
    await hub.until(lambda: [f for f in there.followups if "gang sebelah" in f["content"]], "the addition in LAPOR!")
    await hub.until(lambda: _refused(hub, "an echo of our own"), "our own words, recognised")

    # the office works on it there, and answers there
    lapor.set_status(there.id, "Dalam Proses")
    lapor.say(there.id, "Lampu sudah diganti hari ini. Terima kasih.", by="Dinas Perhubungan Sleman")
    lapor.set_status(there.id, "Selesai")

    # the answer is on the citizen's phone, once
    await hub.until(lambda: _on_the_phone(hub, "Lampu sudah diganti hari ini"), "the answer by WhatsApp")
    await hub.until(lambda: _status(hub, "done"), "the status")
    await hub.settled()
    assert len(_on_the_phone(hub, "Lampu sudah diganti hari ini")) == 1
    assert all(sent["to"] == "6281200000340" for sent in hub.graph.sent)

    assert (await hub.settled())["lost"] == 0
    assert len(lapor.complaints) == 1


async def test_case_25_where_nothing_tells_what_became_of_a_create_a_person_decides(
    hub: RunningHub, lapor: LaporServer
) -> None:
    channels = hub.settings.channels
    channels.write_text(channels.read_text().replace('find_path = "/complaints?search={number}"', 'find_path = ""'))
    await hub.until(lambda: not hub.opened.current.accounts["lapor"].settings.find_path, "the new edition")
    lapor.then(Accepted(Fault.DROP))
    await write(hub, "wamid.doubt", STORY)
    line = await hub.until(lambda: _needs_person(hub), "the create to wait for a person")
    [there] = lapor.complaints
    to = hub.opened.current.accounts.snapshot.forwarding[0]
    # the new edition may have the job looked at once more; meanwhile nobody may decide
    await hub.until(lambda: hub.io(decide_stands, hub.record, line.id, there, to, utc_now()), "the decision")
    await hub.until(lambda: hub.io(list_forwards, hub.record, ["done"]), "the job to be done")
    assert [c["external_ids"] for c in await hub.complaints()] == [{"sp4n": there}]
    assert len(lapor.complaints) == 1


async def write(hub: RunningHub, native: str, words: str, photo: str | None = None) -> None:
    """The citizen writes to the number of Sleman."""
    message = text(words, sender="6281200000340", native=native, number="106540352242923")
    if photo is not None:
        image = {"id": photo, "mime_type": "image/jpeg", "sha256": "x", "caption": words}
        sent = {"from": "6281200000340", "id": native, "timestamp": "1755400000", "type": "image", "image": image}
        message = webhook({"messages": [sent]}, number="106540352242923")
    body = json.dumps(message).encode()
    taken = await hub.request("POST", "/in/wa-sleman", data=body, headers=signed(body))
    assert taken.status_code == 200


async def _needs_person(hub: RunningHub) -> ForwardLine | None:
    lines = await hub.io(list_forwards, hub.record, ["unknown"])
    return next((line for line in lines if line.code == "needs_person"), None)


async def _with_sp4n(hub: RunningHub) -> list[dict]:
    return [c for c in await hub.complaints() if c["external_ids"].get("sp4n")]


def _on_the_phone(hub: RunningHub, words: str) -> list[dict]:
    return [sent for sent in hub.graph.sent if words in sent["text"]["body"]]


async def _status(hub: RunningHub, status: str) -> bool:
    return [c["status"] for c in await hub.complaints()] == [status]


def _refused(hub: RunningHub, reason: str) -> int:
    with hub.record.read() as connection:
        sql = "SELECT count(*) FROM outcomes WHERE outcome = 'refused' AND reason = :reason"
        return int(connection.execute(sa.text(sql), {"reason": reason}).scalar_one())
