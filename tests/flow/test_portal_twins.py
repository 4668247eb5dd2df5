"""One complaint in three systems: whichever came first, an answer given in one of them reaches the others once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.clock import utc_now
from tests.channels.portal.accounts import MANIFEST
from tests.fakes.lapor import Complaint, LaporServer
from tests.fakes.portal import PortalServer
from tests.flow.lapor_drill import account, with_accounts
from tests.flow.running_hub import RunningHub, running_hub

OFFICER = "tests-officer-key"
PORTAL = """
[{name}]
kind = "portal"
owner = "32.73"
manifest = "{manifest}"
url = "{url}"
poll_every = "0.2s"
secrets = {{ username = "satupintu", password = "sandi-portal" }}
"""
CONSOLE = f"""
[petugas]
kind = "console"
owner = "32.73"
api_keys = ["{OFFICER}"]
"""


@pytest.fixture
def systems() -> Iterator[tuple[LaporServer, PortalServer, PortalServer]]:
    with LaporServer() as lapor, PortalServer() as town, PortalServer() as agency:
        town.at = agency.at = utc_now() - timedelta(hours=1)
        yield lapor, town, agency


@pytest.fixture
async def hub(tmp_path: Path, systems: Any) -> AsyncIterator[RunningHub]:
    lapor, town, agency = systems
    portals = "".join(
        PORTAL.format(name=name, manifest=MANIFEST, url=server.url)
        for name, server in (("kota", town), ("dinas", agency))
    )
    async with running_hub(tmp_path / "hub", "memory://") as opened:
        await with_accounts(opened, portals + CONSOLE + account(lapor))
        yield opened


async def test_a_portals_row_that_names_lapors_number_is_our_complaint(hub: RunningHub, systems: Any) -> None:
    lapor, town, _ = systems
    assert (await hub.sms("081200000177", "LAPOR Pohon tumbang di Jalan Dago dekat pasar", id="k1")).status_code == 200
    complaint = await hub.until(lambda: _complaint_with_id_of(hub, "sp4n"), "our complaint in LAPOR!")
    there = lapor.complaints[complaint["external_ids"]["sp4n"]]
    town.add("aduan", nomor="A1", uraian="Pohon tumbang di Jalan Dago", sp4n=there.id)
    complaint = await hub.until(lambda: _complaint_with_id_of(hub, "kota"), "the portal's row to join")
    assert complaint["external_ids"] == {"sp4n": there.id, "kota": "A1"}

    # an answer of the portal is on the phone and in the national record
    town.add("balasan", id=1, aduan="A1", isi="Pohonnya sudah kami angkat")
    await hub.until(lambda: _texted(hub, "sudah kami angkat"), "the portal's answer on the phone")
    await hub.until(lambda: _followups(there, "sudah kami angkat"), "the portal's answer in LAPOR!")

    # an answer given here is in the portal and in the national record
    await _answer(hub, complaint["number"], "Jalannya sudah dibuka lagi")
    await hub.until(lambda: _told(town, "sudah dibuka lagi"), "our answer in the portal")
    await hub.until(lambda: _followups(there, "sudah dibuka lagi"), "our answer in LAPOR!")

    # our own words come back in the portal's list, and go no further
    town.add("balasan", id=2, aduan="A1", isi=town.told[0]["isi"])
    await hub.until(lambda: _echoes(hub), "the echo to be recognised")
    await hub.settled()
    assert len(_followups(there, "sudah dibuka lagi")) == len(_followups(there, "sudah kami angkat")) == 1
    assert len(town.told) == len(_texted(hub, "sudah dibuka lagi")) == len(_texted(hub, "sudah kami angkat")) == 1
    assert len(await hub.complaints()) == len(lapor.complaints) == 1


async def test_a_complaint_of_a_portal_is_joined_by_its_twin_of_another(hub: RunningHub, systems: Any) -> None:
    lapor, town, agency = systems
    there = lapor.complaints["7100500"] = Complaint("7100500", {"content": "Lampu mati di Jalan Braga"})
    town.add("aduan", nomor="A2", uraian="Lampu mati di Jalan Braga", sp4n=there.id)
    await hub.until(lambda: _complaint_with_id_of(hub, "kota"), "the first portal's complaint")
    agency.add("aduan", nomor="B9", uraian="Lampu jalan mati, Braga", sp4n=there.id)
    complaint = await hub.until(lambda: _complaint_with_id_of(hub, "dinas"), "the second portal's row to join")
    assert complaint["external_ids"] == {"kota": "A2", "dinas": "B9", "sp4n": there.id}

    # the second portal's office answers: the first and the national record hear of it, the second does not again
    agency.add("balasan", id=1, aduan="B9", isi="Lampunya sudah diganti")
    await hub.until(lambda: _told(town, "sudah diganti"), "the answer in the other portal")
    await hub.until(lambda: _followups(there, "sudah diganti"), "the answer in LAPOR!")
    await hub.settled()
    assert (len(town.told), len(agency.told), len(there.followups)) == (1, 0, 1)
    assert len(await hub.complaints()) == len(lapor.complaints) == 1


async def _complaint_with_id_of(hub: RunningHub, system: str) -> dict[str, Any] | None:
    return next((one for one in await hub.complaints() if system in one["external_ids"]), None)


async def _answer(hub: RunningHub, number: str, words: str) -> None:
    given = await hub.request(
        "POST", f"/api/v1/reports/{number}/actions", json={"act": "answer", "text": words},
        headers={"Authorization": f"Bearer {OFFICER}"},
    )  # fmt: skip
    assert given.status_code == 202


def _texted(hub: RunningHub, words: str) -> list[Any]:
    return [sent for sent in list(hub.kannel.sent) if words in sent["text"]]


def _followups(there: Complaint, words: str) -> list[Any]:
    return [one for one in list(there.followups) if words in one["content"]]


def _told(portal: PortalServer, words: str) -> list[Any]:
    return [one for one in list(portal.told) if words in one["isi"]]


def _echoes(hub: RunningHub) -> int:
    with hub.record.read() as connection:
        sql = "SELECT count(*) FROM outcomes WHERE reason = 'an echo of our own' AND account = 'kota'"
        return int(connection.execute(sa.text(sql)).scalar_one())
