"""The ingress while the broker is unavailable: open as long as there is room on its own disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from bus import Bus, MemoryBus, Spool, SqliteBus, read_spooled
from bus._drain import DrainSettings
from hub import intake, opening
from hub.ledger import read_ledger_with_spool
from hub.opening import open_hub
from hub.running import metrics
from hub.running.serve import WORK, run_stages
from hub.running.status import ProcessStatus
from hub.settings import Settings, load_settings
from schemas import Raw, Retry
from sink.ledger import book_received
from tests.bus.events import raw
from tests.bus.faulty import Faulty
from tests.bus.test_faults import full_disk
from tests.programs import SMS_TOKEN, channels, signed, whatsapp_body
from tests.services.ports import free_port
from tests.web.conftest import CHANNELS, KEY, Site


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = DrainSettings(look_every=0.05, longest_wait=0.05, pause_rest=0.05)
    monkeypatch.setattr(intake, "Spool", partial(Spool, pace=quick))
    monkeypatch.setattr(metrics, "FRESH", 0.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(channels() + CHANNELS.replace("[web", "[situs"))
    return load_settings({"data": str(tmp_path), "bus": "kafka://127.0.0.1:1", "spool_limit": "1"}, {})


@pytest.fixture
async def remote() -> AsyncIterator[Faulty]:
    async with MemoryBus() as memory:
        yield Faulty(memory)


@asynccontextmanager
async def _lent(bus: Bus) -> AsyncIterator[Bus]:
    yield bus


@pytest.fixture
async def site(settings: Settings, remote: Faulty, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(opening, "open_bus", lambda *_: _lent(remote))
    async with open_hub(settings, ingress=True) as opened:
        yield Site(settings, opened)


async def _whatsapp(site: Site, number: int, words: str = "Jalan rusak") -> int:
    body = whatsapp_body(f"wamid.{number}", "6281200001111", words)
    return (await site.call("POST", "/in/whatsapp", body, signed(body))).status


async def _figures(site: Site) -> dict[str, float]:
    response = await site.call("GET", "/metrics")
    assert response.status == 200
    lines = [line.split() for line in response.text.splitlines() if line.startswith("satupintu_spool")]
    return {name: float(value) for name, value in lines}


async def _drained(site: Site) -> None:
    async with asyncio.timeout(20):
        while (figures := await _figures(site))["satupintu_spooling"] or figures["satupintu_spool_events"]:
            await asyncio.sleep(0.01)


async def test_case_13_our_own_queue_is_down_while_providers_call(site: Site, remote: Faulty) -> None:
    remote.mood = "refuses"
    assert [await _whatsapp(site, number) for number in range(5)] == [200] * 5
    sms = f"/in/sms?token={SMS_TOKEN}&from=%2B6281200002222&to=1708&text=LAPOR+banjir"
    assert (await site.call("GET", sms)).status == 200
    report = await site.call("POST", "/api/v1/reports", b'{"text": "Lampu mati"}', _as_json())
    assert (report.status, sorted(report.json)) == (202, ["id", "status_url", "token"])
    assert (await _figures(site))["satupintu_spool_events"] == 7
    remote.mood = "well"
    await _drained(site)
    assert len([event async for event in remote.inner.read("raw", raw(1).received_at.replace(year=2020))]) == 7


def _as_json(**more: str) -> dict[str, str]:
    return {"content-type": "application/json", "x-api-key": KEY, **more}


async def test_case_14_a_gateway_that_tries_once_finds_the_ingress_open(site: Site, remote: Faulty) -> None:
    """The broker hangs; a request that waits five seconds is accepted."""
    remote.mood = "hangs"
    async with asyncio.timeout(5.0):
        assert await asyncio.gather(*(_whatsapp(site, number) for number in range(20))) == [200] * 20
    async with asyncio.timeout(10.0):  # not two seconds each
        assert [await _whatsapp(site, number) for number in range(20, 40)] == [200] * 20


async def test_case_13_a_full_spool_is_503_and_open_again_when_there_is_room(site: Site, remote: Faulty) -> None:
    remote.mood = "refuses"
    answers: list[int] = []
    while not answers or answers[-1] == 200:
        answers.append(await _whatsapp(site, len(answers), "x" * 100_000))
        assert len(answers) < 50
    body = whatsapp_body("wamid.x", "6281200001111", "x")
    response = await site.call("POST", "/in/whatsapp", body, signed(body))
    assert (response.status, response.headers["retry-after"]) == (503, "5")
    ready = await site.call("GET", "/readyz")
    assert (ready.status, ready.json["bus"]) == (503, "not answering")
    remote.mood = "well"
    await _drained(site)
    assert await _whatsapp(site, 1000) == 200


async def test_h12_what_waits_in_a_spool_came_in_and_is_in_flight(
    site: Site, remote: Faulty, settings: Settings
) -> None:
    async def ledger() -> dict[str, dict[str, int]]:
        storage, pools = site.opened.storage, site.opened.outside.pools
        spool = intake.spool_path(settings)
        found = await read_ledger_with_spool(storage.record, remote.inner, pools, spool, storage.blobs)
        return {name: line for name, line in [*found["accounts"].items(), ("all", found["all"])] if line["received"]}

    assert await ledger() == {}
    remote.mood = "refuses"
    large = '"' * 100_000  # travels by reference
    assert [await _whatsapp(site, number, text) for number, text in enumerate(("a", "b", large))] == [200] * 3
    found = await ledger()
    assert sorted(found) == ["all", "whatsapp"]
    for line in found.values():
        assert (line["received"], line["in_flight"], line["lost"]) == (3, 3, 0)
    first = next(read_spooled(intake.spool_path(settings), None)).event()
    assert isinstance(first, Raw)
    book_received(site.opened.storage.record, [(first.id, "whatsapp", first.received_at)])
    assert (await ledger())["all"]["in_flight"] == 2  # that one is booked, and nowhere in flight
    remote.mood = "well"
    await _drained(site)
    line = (await ledger())["all"]
    assert (line["received"], line["in_flight"]) == (3, 3), "no group has read the log yet"


async def test_a_spool_that_cannot_be_read_is_no_empty_one(site: Site, remote: Faulty, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    storage, pools = site.opened.storage, site.opened.outside.pools
    with pytest.raises(Retry, match="the spool cannot be read"):
        await read_ledger_with_spool(storage.record, remote.inner, pools, tmp_path / "broken.db", storage.blobs)


async def test_case_13_a_full_disk_is_503_and_nothing_else(site: Site, remote: Faulty, settings: Settings) -> None:
    remote.mood = "refuses"
    assert await _whatsapp(site, 0) == 200
    with full_disk(settings.data / "spool.db"):
        assert await _whatsapp(site, 1, "x" * 200_000) == 503
    assert await _whatsapp(site, 2) == 200


async def test_an_ingress_opens_while_there_is_no_broker_at_all(settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, bus=f"kafka://127.0.0.1:{free_port()}")
    async with open_hub(settings, ingress=True) as opened:
        site = Site(settings, opened)
        assert (await site.call("GET", "/readyz")).status == 200
        assert [await _whatsapp(site, number) for number in range(5)] == [200] * 5
        assert (await _figures(site))["satupintu_spool_events"] == 5
    async with open_hub(settings, ingress=True) as opened:
        site = Site(settings, opened)
        assert await _whatsapp(site, 5) == 200
        assert (await _figures(site))["satupintu_spool_events"] == 6


async def test_an_ingress_that_can_accept_durably_is_ready(site: Site, remote: Faulty) -> None:
    for mood in ("well", "refuses", "hangs"):
        remote.mood = mood  # type: ignore[assignment]
        async with asyncio.timeout(30):
            ready = await site.call("GET", "/readyz")
        assert (ready.status, ready.json["ready"]) == (200, True)
        await _whatsapp(site, 1)
    assert (await site.call("GET", "/readyz")).json["bus"] == "spooling"


async def test_the_spool_is_on_metrics_while_the_broker_is_unavailable(site: Site, remote: Faulty) -> None:
    assert (await _figures(site))["satupintu_spooling"] == 0
    remote.mood = "refuses"
    await _whatsapp(site, 1)
    figures = await _figures(site)
    assert (figures["satupintu_spooling"], figures["satupintu_spool_events"]) == (1, 1)
    assert 0 < figures["satupintu_spool_bytes"] < figures["satupintu_spool_limit_bytes"] == 2**20
    assert 0 <= figures["satupintu_spool_oldest_seconds"] < 30


@pytest.mark.parametrize("prefer", ["wait=1", ""])
async def test_a_report_filed_while_the_broker_is_unavailable_is_accepted(
    site: Site, remote: Faulty, prefer: str
) -> None:
    remote.mood = "refuses"
    headers = _as_json(**({"prefer": prefer} if prefer else {}))
    response = await site.call("POST", "/api/v1/reports", b'{"text": "Lampu jalan mati"}', headers)
    assert (response.status, sorted(response.json)) == (202, ["id", "status_url", "token"])


async def test_what_was_left_is_published_though_the_bus_is_another_now(tmp_path: Path, remote: Faulty) -> None:
    remote.mood = "refuses"
    async with Spool(remote, tmp_path / "spool.db", 2**20) as left:
        await left.publish([raw(1)])
    (tmp_path / "channels.toml").write_text(channels())
    settings = load_settings({"data": str(tmp_path)}, {})
    async with open_hub(settings, ingress=True) as opened:
        site = Site(settings, opened)
        await _drained(site)
        assert isinstance(opened.transport.bus, SqliteBus)
        assert (
            len([event async for event in opened.transport.bus.read("raw", raw(1).received_at.replace(year=2020))]) == 1
        )
    async with open_hub(settings, ingress=True) as opened:
        assert opened.transport.intake is opened.transport.bus


async def test_reports_are_recorded_when_the_broker_is_back(site: Site, remote: Faulty) -> None:
    remote.mood = "refuses"
    filed = await site.call("POST", "/api/v1/reports", b'{"text": "Lampu jalan mati di Jalan Asia"}', _as_json())
    remote.mood = "well"
    async with run_stages(site.settings, site.opened, ProcessStatus(), WORK), asyncio.timeout(20):
        while not (found := await site.call("GET", f"/api/v1/reports/{filed.json['id']}")).json.get("number"):
            await asyncio.sleep(0.02)
    assert found.status == 200
