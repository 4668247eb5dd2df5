"""What quotes a message belongs to that message's report, also by the other form of its id."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from tests.cases.conftest import NUMBER_ID
from tests.fakes.graph import webhook
from tests.flow.running_hub import RunningHub

PHONE, USER = "628120001201", "ID.13491208655300001201"


def wamid(sender: str, inner: str) -> str:
    """Meta's form: the sender's number or user id stands inside."""
    packed = bytes([0x1C, 0x18, len(sender)]) + sender.encode() + bytes([0x15, 2, 0, 0x12, 0x18, len(inner)])
    return "wamid." + b64encode(packed + inner.encode() + b"\0").decode()


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text}}


async def say(hub: RunningHub, native: str, content: dict[str, Any], **more: Any) -> None:
    message = {"from": PHONE, "from_user_id": USER, "id": native, "timestamp": "1755400000", **content, **more}
    value = {"contacts": [{"wa_id": PHONE, "user_id": USER}], "messages": [message]}
    answer = await hub.webhook(json.dumps(webhook(value, number=NUMBER_ID)).encode())
    assert answer.status_code == 200
    await hub.settled()


async def test_all_five_join_the_first_report(hub: RunningHub):
    first, by_user = wamid(PHONE, "3EB0A1B2C3D4E5F60701"), wamid(USER, "3EB0A1B2C3D4E5F60701")
    await say(hub, first, words("LAPOR Jalan berlubang di Cihampelas depan pasar"))
    await hub.until(lambda: hub.graph.sent, "the answer to the first")
    await hub.until(lambda: _sent(hub), "its id to be stored")
    await say(hub, wamid(PHONE, "3EB0A1B2C3D4E5F60702"), words("LAPOR Lampu PJU mati di Dago atas"))
    await say(hub, "wamid.a", words("Masih berlubang, kemarin ada motor jatuh"), context={"id": "wamid.sent.1"})
    await say(hub, "wamid.b", words("Yang ini, dekat halte"), context={"from": PHONE, "id": first})
    picture = {"type": "image", "image": {"id": "901", "mime_type": "image/jpeg"}}
    await say(hub, "wamid.c", picture, context={"from": PHONE, "id": by_user})
    await say(hub, "wamid.d", {"type": "reaction", "reaction": {"message_id": by_user, "emoji": "🙏"}})
    edit = {"original_message_id": by_user, "message": words("LAPOR Jalan berlubang di Cihampelas depan SD")}
    await say(hub, "wamid.e", {"type": "edit", "edit": edit})
    complaints = sorted(await hub.complaints(), key=lambda complaint: complaint["received_at"])
    assert [sum(m["direction"] == "in" for m in complaint["messages"]) for complaint in complaints] == [6, 1]


async def _sent(hub: RunningHub) -> bool:
    return bool(await hub.replies(state="sent"))


async def test_a_stranger_who_quotes_joins_nothing_of_another(hub: RunningHub):
    first = wamid(PHONE, "3EB0A1B2C3D4E5F60701")
    await say(hub, first, words("LAPOR Jalan berlubang di Cihampelas depan pasar"))
    other = {"from": "628120001299", "id": "wamid.x", "timestamp": "1755400000", **words("Saya juga lihat di Dago")}
    value = {"messages": [{**other, "context": {"from": PHONE, "id": first}}]}
    await hub.webhook(json.dumps(webhook(value, number=NUMBER_ID)).encode())
    assert len(await hub.complaints()) == 2
