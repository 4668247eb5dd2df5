"""A fault of the account costs no citizen his answer or his photo: both wait, and go out once it is mended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors import Http, ProviderConnections
from schemas import AccountFault, Attachment, Held, Reject, Retry
from sink.account_faults import account_faults
from tests.cases.conftest import NUMBER_ID
from tests.channels.recording import channel, reply
from tests.cli.program import satupintu
from tests.fakes.graph import Graph, error, webhook
from tests.fakes.server import answer
from tests.flow.running_hub import RunningHub, running_hub
from tests.programs import whatsapp_body

REPORT = "Jalan rusak di Cihampelas dekat jembatan"
PHOTO = (b"\xff\xd8\xfffoto", "image/jpeg")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """On files, so that commands can look at it."""
    folder = tmp_path / "hub"
    async with running_hub(folder, f"sqlite:///{folder}/bus.db") as opened:
        opened.graph.files["901"] = PHOTO
        yield opened


async def three_citizens_write(hub: RunningHub) -> None:
    picture = {"id": "901", "mime_type": "image/jpeg", "caption": "Pohon tumbang di Dago"}
    message = {"from": "628120001102", "id": "wamid.img", "timestamp": "1755400000", "type": "image", "image": picture}
    await hub.webhook(whatsapp_body("wamid.t", "628120001101", REPORT))
    await hub.webhook(json.dumps(webhook({"messages": [message]}, number=NUMBER_ID)).encode())
    await hub.sms("+6281200001103", "LAPOR lampu jalan mati di Dago", id="k1")
    await hub.settled()


def attachments(hub: RunningHub) -> list[str]:
    with hub.record.read() as connection:
        return list(connection.execute(sa.text("SELECT state FROM attachments")).scalars())


async def faults(hub: RunningHub) -> dict[str, str]:
    return {account: faults[0].code for account, faults in (await hub.io(account_faults, hub.record)).items()}


async def everything_arrived(hub: RunningHub) -> bool:
    return (len(hub.graph.sent), len(hub.kannel.sent), attachments(hub)) == (2, 1, ["fetched"])


@pytest.mark.program
async def test_a_lapsed_token_and_a_changed_password_cost_nothing(hub: RunningHub):
    right, hub.graph.token = hub.graph.token, "another"
    hub.kannel.login = ("u", "changed")
    await three_citizens_write(hub)
    both = {"whatsapp": "token_expired", "sms": "wrong_password"}
    await hub.until(lambda: _equals(faults(hub), both), "both faults")
    assert {reply.state for reply in await hub.replies()} <= {"owed", "claimed"}
    assert attachments(hub) == ["referenced"]

    doctor = await asyncio.to_thread(satupintu, "doctor", data=hub.settings.data)
    said = [line for line in (doctor.stdout + doctor.stderr).splitlines() if "channel whatsapp" in line]
    assert doctor.returncode == 1
    assert "token_expired: enter a new access_token" in said[0]
    assert "2 answers and 1 file wait" in said[0]
    figures = (await hub.request("GET", "/metrics")).text
    alarm = 'satupintu_account_fault{ability="send",account="whatsapp",code="token_expired"}'
    await hub.until(lambda: _in_metrics(hub, alarm), "it")
    assert "satupintu_replies_unsent" in figures

    hub.graph.token, hub.kannel.login = right, ("u", "p")
    await hub.until(lambda: everything_arrived(hub), "two answers, one short message and the photo")
    await hub.until(lambda: _equals(faults(hub), {}), "no fault")


async def test_a_new_edition_of_the_account_mends_it_at_once(hub: RunningHub):
    file = hub.settings.channels
    hub.graph.token = "new-token"
    await three_citizens_write(hub)
    await hub.until(lambda: _equals(faults(hub), {"whatsapp": "token_expired"}), "the fault")
    file.write_text(file.read_text().replace("tests-access", "new-token"))
    await hub.until(lambda: everything_arrived(hub), "the answers and the photo")


FAULTS = {
    **{f"meta {code}": error(status, code) for status, code in (
        (401, 0), (400, 3), (403, 10), (400, 100), (401, 190), (403, 200), (403, 131005), (403, 131031), (400, 131042),
        (400, 131045), (400, 133010), (403, 368),
    )},
    "meta 100.33": error(400, 100, 33),
    **{f"http {status}": answer(status, "not Meta") for status in (301, 302, 401, 403, 404, 410, 451)},
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_is_a_fault_of_the_account(fault: str):
    with Graph() as graph:
        graph.broken = FAULTS[fault]
        async with Http() as http:
            door, outbound = channel("whatsapp", graph_url=graph.graph_url), ProviderConnections(http)
            with pytest.raises(AccountFault):
                await door.send(reply("whatsapp"), outbound)
            with pytest.raises((AccountFault, Retry)):
                await door.fetch(Attachment(native_id="901"), outbound)


async def test_what_keeps_one_answer_back_keeps_no_other_back():
    with Graph() as graph:
        graph.broken = error(400, 131030)  # a test number writes to listed citizens only
        async with Http() as http:
            with pytest.raises(Held):
                await channel("whatsapp", graph_url=graph.graph_url).send(reply("whatsapp"), ProviderConnections(http))


@pytest.mark.parametrize("fault", ["meta 100.33", "http 404"])
async def test_nothing_is_lost_by_it(hub: RunningHub, fault: str):
    hub.graph.broken = FAULTS[fault]
    await three_citizens_write(hub)
    await hub.until(lambda: faults(hub), "the fault")
    assert not await hub.replies(state="failed")
    assert attachments(hub) == ["referenced"]
    hub.graph.broken = None
    await hub.until(lambda: everything_arrived(hub), "the answers and the photo")


@pytest.mark.parametrize("code", [131026, 131047, 131049, 130472, 131051])
async def test_what_meta_says_of_the_citizen_is_none(code: int):
    with Graph() as graph:
        graph.broken = error(400, code)
        async with Http() as http:
            with pytest.raises(Reject):
                await channel("whatsapp", graph_url=graph.graph_url).send(reply("whatsapp"), ProviderConnections(http))


async def test_what_meta_says_of_the_citizen_is_final(hub: RunningHub):
    hub.graph.then(error(400, 131026))
    await hub.webhook(whatsapp_body("wamid.t", "628120001101", REPORT))
    await hub.until(lambda: hub.replies(state="failed"), "the end of it")
    await hub.webhook(whatsapp_body("wamid.u", "628120001109", "Lampu mati di Dago atas"))
    await hub.until(lambda: len(hub.graph.sent) == 1, "the answer to another citizen")
    assert not await faults(hub)


async def _equals(found: object, wanted: object) -> bool:
    return await found == wanted  # type: ignore[misc]


async def _in_metrics(hub: RunningHub, line: str) -> bool:
    return line in (await hub.request("GET", "/metrics")).text
