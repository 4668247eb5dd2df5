"""What officers do reaches the citizen by the report's own door, and what citizens say to it comes back."""

from __future__ import annotations

import re
from typing import Any

from hub.commands.act import do_act
from hub.officers import Request
from tests.flow.running_hub import RunningHub

LAMP = "LAPOR Lampu jalan di depan Pasar Kosambi mati sejak Senin malam."


async def act(hub: RunningHub, number: str, *request: str) -> dict[str, object]:
    return await do_act(number, Request(*request), hub.settings, hub.opened)  # type: ignore[arg-type]


async def reopened(hub: RunningHub) -> bool:
    return [complaint["status"] for complaint in await hub.complaints()] == ["in_progress"]


async def two_reports(hub: RunningHub) -> list[dict[str, Any]]:
    """By SMS and by WhatsApp."""
    found = await hub.complaints()
    return sorted(found, key=lambda complaint: str(complaint["channel"])) if len(found) == 2 else []


async def refused(hub: RunningHub) -> bool:
    return (await hub.settled())["refused"] == 2


async def rated(hub: RunningHub) -> list[tuple[str, str]]:
    """The steps of the report, once it is rated."""
    [complaint] = await hub.complaints()
    steps = [(step["what"], step["why"]) for step in complaint["timeline"]]
    return steps if "rated" in dict(steps) else []


async def test_an_answer_goes_back_by_the_same_door_and_the_citizen_reopens_and_rates(hub: RunningHub) -> None:
    await hub.sms("08120000061", LAMP, id="o1")
    [complaint] = await hub.until(hub.complaints, "the report")
    number = complaint["number"]
    assert (await act(hub, number, "verify"))["status"] == "verified"
    answered = await act(hub, number, "answer", "Petugas kami datang besok.")
    assert (answered["outcome"], answered["status"]) == ("added", "in_progress")
    await hub.until(lambda: any("besok" in sent["text"] for sent in hub.kannel.sent), "the answer by SMS")
    await act(hub, number, "finish", "Lampu sudah menyala.")
    await hub.until(lambda: any("menyala" in sent["text"] for sent in hub.kannel.sent), "the end by SMS")
    assert f"BELUM {number}" in hub.kannel.sent[-1]["text"]
    assert {sent["to"] for sent in hub.kannel.sent} == {hub.kannel.sent[0]["to"]}
    await hub.sms("08120000061", f"BELUM {number} masih mati", id="o2")
    await hub.until(lambda: reopened(hub), "the report to be reopened")
    await hub.sms("08120000061", f"NILAI {number} 2", id="o3")
    steps = await hub.until(lambda: rated(hub), "the rating")
    assert ("rated", "2") in steps
    assert [what for what, _ in steps].count("disagreed") == 1


async def test_a_stranger_neither_reopens_nor_rates(hub: RunningHub) -> None:
    await hub.sms("08120000062", LAMP, id="o4")
    [complaint] = await hub.until(hub.complaints, "the report")
    number = complaint["number"]
    await act(hub, number, "finish", "Selesai.")
    await hub.sms("08120000063", f"BELUM {number}", id="o5")
    await hub.sms("08120000063", f"NILAI {number} 1", id="o6")
    await hub.until(lambda: refused(hub), "two refusals")
    [complaint] = await hub.complaints()
    assert complaint["status"] == "done"
    assert "rated" not in [step["what"] for step in complaint["timeline"]]


async def test_one_answer_to_an_incident_goes_once_to_each_reporter_on_the_own_door(hub: RunningHub) -> None:
    await hub.sms("08120000064", LAMP, id="o7")
    await hub.whatsapp("wamid.o8", "628120000065", "Lampu di Pasar Kosambi padam, gelap sekali kalau malam.")
    first, second = await hub.until(lambda: two_reports(hub), "two reports")
    assert (await act(hub, first["number"], "link", "", second["number"]))["outcome"] == "added"
    await act(hub, first["number"], "answer", "Gardu sudah diperbaiki.")
    await hub.until(lambda: len(hub.graph.sent) == 2, "the answer by WhatsApp")
    await hub.until(lambda: len(hub.kannel.sent) == 2, "the answer by SMS")
    sms, whatsapp = hub.kannel.sent[-1]["text"], hub.graph.sent[-1]["text"]["body"]
    assert "Gardu" in sms
    assert "Gardu" in whatsapp
    assert re.findall(r"\d{10}", sms) == [first["number"]]
    assert set(re.findall(r"\d{10}", whatsapp)) == {second["number"]}
    other = next(c for c in await hub.complaints() if c["number"] == second["number"])
    assert other["status"] == "unverified"
    assert [step["why"] for step in other["timeline"] if step["what"] == "answer"] == ["Gardu sudah diperbaiki."]
    await act(hub, first["number"], "unlink", "", second["number"])
    await act(hub, first["number"], "answer", "Terima kasih.")
    await hub.until(lambda: len(hub.kannel.sent) == 3, "the second answer by SMS")
    await hub.settled()
    assert len(hub.graph.sent) == 2
