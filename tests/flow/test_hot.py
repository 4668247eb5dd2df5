"""Case 23: a hot sender or a bulk import while citizens write live."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from hub.wiring import Hub
from msgspec.structs import replace
from uuid_utils import uuid7

from connectors._rows import named, rows
from hub.commands._waiting import Waiting
from hub.commands.ingest import ON_THE_ROAD, bring, channel_of
from schemas import Raw, Slow, decode
from sink.outbox import BUDGET
from tests.flow.house import House

FLOOD, CITIZENS = 4000, 30
HOT = "08120009999"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STORY = "Lampu jalan nomor {n} di Jalan Merdeka mati sejak kemarin malam."


def sms(sender: str, n: int, like: Raw) -> Raw:
    """As the door would take it."""
    said = {"from": sender, "to": "1708", "text": STORY.format(n=n), "id": f"{sender}-{n}"}
    whose = f"+62{sender[1:]}" if (like.conversation or "").startswith("+") else f"62{sender[1:]}"
    return replace(like, id=str(uuid7()), conversation=whose, query=urlencode(said), received_at=datetime.now(UTC))


async def test_case_23_a_hot_sender_starves_nobody_and_keeps_its_order(home: House) -> None:
    assert (await home.sms("08120000001", STORY.format(n=0), id="first")).ok
    await home.settled()
    [like] = [event async for event in _events(home, "raw")]
    flood = [sms(HOT, n, like) for n in range(FLOOD)]
    await home.hub.bus.publish(flood)
    await home.hub.bus.publish([sms(f"0812000{n:04d}", n, like) for n in range(1000, 1000 + CITIZENS)])
    await home.until(lambda: _recorded(home, flood)[0] == CITIZENS + 1, "the others to be recorded", within=60)
    assert _recorded(home, flood)[1] < FLOOD / 2  # most of the flood is still on its way
    ledger = await home.until(home._settled, "the flood", within=120)
    assert (ledger["received"], ledger["lost"], ledger["dead"]) == (FLOOD + CITIZENS + 1, 0, 0)
    order = [raw.id for raw in flood]
    for topic in ("messages", "routed"):
        assert await _told(home, topic, set(order)) == order
    assert [event async for event in _events(home, Slow.topic)]
    assert _answered(home, flood) == BUDGET
    assert _answered(home) == BUDGET + CITIZENS + 1


async def test_case_23_a_conversation_leaves_the_slow_lane_when_it_is_empty(home: House) -> None:
    await home.sms("08120000001", STORY.format(n=0), id="first")
    await home.settled()
    [like] = [event async for event in _events(home, "raw")]
    flood = [sms(HOT, n, like) for n in range(300)]
    await home.hub.bus.publish(flood)
    await home.settled()
    aside = len([event async for event in _events(home, Slow.topic)])
    assert aside
    await home.hub.bus.publish(more := [sms(f"0813000{n:04d}", n, like) for n in range(300)])
    await home.settled()
    assert len([event async for event in _events(home, Slow.topic)]) == aside
    assert _recorded(home, more)[1] == 300


async def test_case_23_a_file_of_one_conversation_keeps_its_order_and_its_place(home: House, tmp_path: Path) -> None:
    lines = [{"id": str(n), "text": STORY.format(n=n), "conversation": "kantor"} for n in range(2 * ON_THE_ROAD)]
    ledger, most = await _ingested(home.hub, lines, tmp_path)
    assert sum(ledger[column] for column in ("recorded", "added")) == 2 * ON_THE_ROAD
    assert 0 < most <= ON_THE_ROAD
    order = [event.id async for event in _events(home, "raw")]
    assert await _told(home, "messages", set(order)) == order


async def test_case_23_ten_thousand_wrong_rows_stop_nothing(home: House, tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [{"id": str(n)} for n in range(10_000)] + [{"id": "good", "text": STORY.format(n=1)}]
    ledger, _ = await _ingested(home.hub, lines, tmp_path)
    assert (ledger["dead"], ledger["recorded"]) == (10_000, 1)


async def test_a_stage_that_stopped_closes_no_door(home: House) -> None:
    for n in range(home.hub.settings.guard_run):
        assert (await home.webhook(b'{"object": "whatsapp_business_account", "entry": [' + b" " * n)).ok
    [reader] = [stage for stage in home.hub.stages["reader"] if stage.name == "reader"]
    await home.until(lambda: reader.counts.published >= home.hub.settings.guard_run, "the guard to trip")
    taken = reader.counts.taken
    assert (await home.whatsapp("wamid.after", "628120000010", STORY.format(n=1))).status_code == 200
    assert (await home.knock("GET", "/readyz")).status_code == 200
    assert reader.counts.taken == taken
    lags = [lag.behind for lag in await home.hub.bus.lag() if lag.group == "reader"]
    assert sum(lags) > 0  # it waits, and is kept


async def _ingested(hub: Hub, lines: list[dict[str, Any]], folder: Path) -> tuple[dict[str, int], int]:
    """The ledger of the file, and how many of its rows were on the road at most."""
    file = folder / "rows.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    most, publish = 0, Waiting.publish

    async def counted(self: Waiting, raws: list[Raw], numbers: list[int]) -> None:
        nonlocal most
        await publish(self, raws, numbers)
        most = max(most, len(self))

    Waiting.publish = counted  # type: ignore[method-assign,assignment]
    try:
        with file.open("rb") as stream:
            found = named(rows(file.name, stream))
            return await bring(hub, found, channel_of(hub, None), folder), most
    finally:
        Waiting.publish = publish  # type: ignore[method-assign]


async def _events(home: House, topic: str) -> Any:
    async for stored in home.hub.bus.read(topic, LONG_AGO):
        yield decode(topic, stored.value)


async def _told(home: House, topic: str, raws: set[str]) -> list[str]:
    """The raw ids of these that stand on the topic, in order, each where it stands first."""
    found = [getattr(event, "complaint", event) async for event in _events(home, topic)]
    ids = [getattr(event, "message", event).raw for event in found]
    return list(dict.fromkeys(raw for raw in ids if raw in raws))


def _recorded(home: House, flood: list[Raw]) -> tuple[int, int]:
    """How many outcomes there are of others, and of these."""
    with home.hub.record.read() as connection:
        raws = set(connection.execute(sa.text("SELECT raw FROM outcomes")).scalars())
    own = raws & {raw.id for raw in flood}
    return len(raws) - len(own), len(own)


def _answered(home: House, of: list[Raw] | None = None) -> int:
    """Replies that go out: to all, or for these."""
    with home.hub.record.read() as connection:
        raws = list(connection.execute(sa.text("SELECT raw FROM outbox WHERE state <> 'withheld'")).scalars())
    return len(raws) if of is None else len([raw for raw in raws if raw in {r.id for r in of}])
