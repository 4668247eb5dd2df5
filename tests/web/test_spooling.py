"""The doors while the broker is away: open as long as there is room on their own disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from bus import Bus, MemoryBus, SqliteBus, _drain, spool
from hub.running import metrics, wiring
from hub.running.serve import WORK, working
from hub.settings import Settings, load
from hub.web import make_asgi
from tests.bus.events import raw
from tests.bus.faulty import Faulty
from tests.bus.test_faults import full_disk
from tests.programs import SMS_TOKEN, channels, free_port, signed, whatsapp_body
from tests.web.conftest import CHANNELS, KEY, House


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_drain, "LOOK", 0.05)
    monkeypatch.setattr(_drain, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(spool, "GLANCE", 0.0)
    monkeypatch.setattr(metrics, "FRESH", 0.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(channels() + CHANNELS.replace("[web", "[situs"))
    return load({"data": str(tmp_path), "bus": "kafka://127.0.0.1:1", "spool_limit": "1"}, {})


@pytest.fixture
async def far() -> AsyncIterator[Faulty]:
    async with MemoryBus() as memory:
        yield Faulty(memory)


@asynccontextmanager
async def _lent(bus: Bus) -> AsyncIterator[Bus]:
    yield bus


@pytest.fixture
async def house(settings: Settings, far: Faulty, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(wiring, "_bus", lambda _: _lent(far))
    async with wiring.open_hub(settings, door=True) as hub:
        yield House(hub, make_asgi(hub))


async def _whatsapp(house: House, number: int, words: str = "Jalan rusak") -> int:
    body = whatsapp_body(f"wamid.{number}", "6281200001111", words)
    return (await house.call("POST", "/in/whatsapp", body, signed(body))).status


async def _figures(house: House) -> dict[str, float]:
    heard = await house.call("GET", "/metrics")
    assert heard.status == 200
    lines = [line.split() for line in heard.text.splitlines() if line.startswith("satupintu_spool")]
    return {name: float(value) for name, value in lines}


async def _drained(house: House) -> None:
    async with asyncio.timeout(20):
        while (figures := await _figures(house))["satupintu_spooling"] or figures["satupintu_spool_events"]:
            await asyncio.sleep(0.01)


async def test_case_13_our_own_queue_is_down_while_providers_call(house: House, far: Faulty) -> None:
    far.mood = "refuses"
    assert [await _whatsapp(house, number) for number in range(5)] == [200] * 5
    sms = f"/in/sms?token={SMS_TOKEN}&from=%2B6281200002222&to=1708&text=LAPOR+banjir"
    assert (await house.call("GET", sms)).status == 200
    report = await house.call("POST", "/api/v1/reports", b'{"text": "Lampu mati"}', _as_json())
    assert (report.status, sorted(report.json)) == (202, ["id", "status_url", "token"])
    assert (await _figures(house))["satupintu_spool_events"] == 7
    far.mood = "well"
    await _drained(house)
    assert len([event async for event in far.inner.read("raw", raw(1).received_at.replace(year=2020))]) == 7


def _as_json(**more: str) -> dict[str, str]:
    return {"content-type": "application/json", "x-api-key": KEY, **more}


async def test_case_14_a_gateway_that_tries_once_finds_the_door_open(house: House, far: Faulty) -> None:
    """The broker hangs; whoever gives a request five seconds hears yes."""
    far.mood = "hangs"
    async with asyncio.timeout(5.0):
        assert await asyncio.gather(*(_whatsapp(house, number) for number in range(20))) == [200] * 20
    async with asyncio.timeout(10.0):  # not two seconds each
        assert [await _whatsapp(house, number) for number in range(20, 40)] == [200] * 20


async def test_case_13_a_full_spool_is_503_and_open_again_when_there_is_room(house: House, far: Faulty) -> None:
    far.mood = "refuses"
    answers: list[int] = []
    while not answers or answers[-1] == 200:
        answers.append(await _whatsapp(house, len(answers), "x" * 100_000))
        assert len(answers) < 50
    body = whatsapp_body("wamid.x", "6281200001111", "x")
    heard = await house.call("POST", "/in/whatsapp", body, signed(body))
    assert (heard.status, heard.headers["retry-after"]) == (503, "5")
    ready = await house.call("GET", "/readyz")
    assert (ready.status, ready.json["bus"]) == (503, "not answering")
    far.mood = "well"
    await _drained(house)
    assert await _whatsapp(house, 1000) == 200


async def test_case_13_a_full_disk_is_503_and_nothing_else(house: House, far: Faulty, settings: Settings) -> None:
    far.mood = "refuses"
    assert await _whatsapp(house, 0) == 200
    with full_disk(settings.data / "spool.db"):
        assert await _whatsapp(house, 1, "x" * 200_000) == 503
    assert await _whatsapp(house, 2) == 200


async def test_a_door_opens_while_there_is_no_broker_at_all(settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, bus=f"kafka://127.0.0.1:{free_port()}")
    async with wiring.open_hub(settings, door=True) as hub:
        house = House(hub, make_asgi(hub))
        assert (await house.call("GET", "/readyz")).status == 200
        assert [await _whatsapp(house, number) for number in range(5)] == [200] * 5
        assert (await _figures(house))["satupintu_spool_events"] == 5
    async with wiring.open_hub(settings, door=True) as hub:
        house = House(hub, make_asgi(hub))
        assert await _whatsapp(house, 5) == 200
        assert (await _figures(house))["satupintu_spool_events"] == 6


async def test_ready_is_who_can_accept_durably(house: House, far: Faulty) -> None:
    for mood in ("well", "refuses", "hangs"):
        far.mood = mood  # type: ignore[assignment]
        async with asyncio.timeout(2.0):
            ready = await house.call("GET", "/readyz")
        assert (ready.status, ready.json["ready"]) == (200, True)
        await _whatsapp(house, 1)


async def test_the_spool_is_on_metrics_while_the_broker_is_away(house: House, far: Faulty) -> None:
    assert (await _figures(house))["satupintu_spooling"] == 0
    far.mood = "refuses"
    await _whatsapp(house, 1)
    figures = await _figures(house)
    assert (figures["satupintu_spooling"], figures["satupintu_spool_events"]) == (1, 1)
    assert 0 < figures["satupintu_spool_bytes"] < figures["satupintu_spool_limit_bytes"] == 2**20
    assert 0 <= figures["satupintu_spool_oldest_seconds"] < 30


@pytest.mark.parametrize("prefer", ["wait=1", ""])
async def test_a_report_filed_while_the_broker_is_away_is_accepted(house: House, far: Faulty, prefer: str) -> None:
    far.mood = "refuses"
    headers = _as_json(**({"prefer": prefer} if prefer else {}))
    heard = await house.call("POST", "/api/v1/reports", b'{"text": "Lampu jalan mati"}', headers)
    assert (heard.status, sorted(heard.json)) == (202, ["id", "status_url", "token"])


async def test_what_was_left_is_handed_on_though_the_bus_is_another_now(tmp_path: Path, far: Faulty) -> None:
    far.mood = "refuses"
    async with spool.Spool(far, tmp_path / "spool.db", 2**20) as left:
        await left.publish([raw(1)])
    (tmp_path / "channels.toml").write_text(channels())
    settings = load({"data": str(tmp_path)}, {})
    async with wiring.open_hub(settings, door=True) as hub:
        house = House(hub, make_asgi(hub))
        await _drained(house)
        assert isinstance(hub.bus, SqliteBus)
        assert len([event async for event in hub.bus.read("raw", raw(1).received_at.replace(year=2020))]) == 1
    async with wiring.open_hub(settings, door=True) as hub:
        assert hub.intake is hub.bus


async def test_the_road_goes_on_when_the_broker_is_back(house: House, far: Faulty) -> None:
    far.mood = "refuses"
    filed = await house.call("POST", "/api/v1/reports", b'{"text": "Lampu jalan mati di Jalan Asia"}', _as_json())
    far.mood = "well"
    async with working(house.hub, WORK), asyncio.timeout(20):
        while not (found := await house.call("GET", f"/api/v1/reports/{filed.json['id']}")).json.get("number"):
            await asyncio.sleep(0.02)
    assert found.status == 200
