"""Case 23: a hot sender or a bulk import while citizens write live; an account whose items all die."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from uuid_utils import uuid7

from hub.commands import ingest
from hub.commands._rows import rows_of
from hub.commands._waiting import RowsInFlight
from hub.commands.ingest import IN_FLIGHT, ingest_rows
from schemas import Raw, Slow
from tests.flow.running_hub import RunningHub

pytestmark = pytest.mark.slow
FLOOD, CITIZENS = 4000, 30
HOT = "08120009999"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STORY = "Lampu jalan nomor {n} di Jalan Merdeka mati sejak kemarin malam."


def sms(sender: str, n: int, like: Raw) -> Raw:
    """As the ingress would take it in."""
    query = {"from": sender, "to": "1708", "text": STORY.format(n=n), "id": f"{sender}-{n}"}
    conversation = f"+62{sender[1:]}" if (like.conversation or "").startswith("+") else f"62{sender[1:]}"
    at = datetime.now(UTC)
    return replace(like, id=str(uuid7()), conversation=conversation, query=urlencode(query), received_at=at)


async def test_case_23_a_hot_sender_starves_nobody_and_keeps_its_order(hub: RunningHub) -> None:
    like = await one_raw(hub)
    flood = [sms(HOT, n, like) for n in range(FLOOD)]
    await hub.bus.publish(flood)
    await hub.bus.publish([sms(f"0812000{n:04d}", n, like) for n in range(1000, 1000 + CITIZENS)])
    await hub.until(lambda: _recorded(hub, flood)[0] == CITIZENS + 1, "the others to be recorded", within=60)
    assert _recorded(hub, flood)[1] < FLOOD / 2  # most of the flood is still on its way
    ledger = await hub.settled(within=120)
    assert (ledger["received"], ledger["lost"], ledger["dead"]) == (FLOOD + CITIZENS + 1, 0, 0)
    order = [raw.id for raw in flood]
    for topic in ("messages", "routed"):
        assert await _on_topic(hub, topic, set(order)) == order
    assert [event async for event in _events(hub, Slow.topic)]
    assert _answered(hub) == 1 + CITIZENS + 1  # a flood within seconds is a burst


async def test_case_23_a_conversation_leaves_the_slow_lane_when_it_is_empty(hub: RunningHub) -> None:
    like = await one_raw(hub)
    await hub.bus.publish([sms(HOT, n, like) for n in range(300)])
    await hub.settled(within=60)
    diverted = len([event async for event in _events(hub, Slow.topic)])
    assert diverted
    await hub.bus.publish(more := [sms(f"0813000{n:04d}", n, like) for n in range(300)])
    await hub.settled(within=60)
    assert len([event async for event in _events(hub, Slow.topic)]) == diverted
    assert _recorded(hub, more)[1] == 300


async def test_case_23_a_file_of_one_conversation_keeps_its_order_and_few_rows_in_flight(
    hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"id": str(n), "text": STORY.format(n=n), "conversation": "kantor"} for n in range(2 * IN_FLIGHT)]
    ledger, most = await _ingested(hub, lines, tmp_path, monkeypatch)
    assert sum(ledger[column] for column in ("recorded", "added")) == 2 * IN_FLIGHT
    assert 0 < most <= IN_FLIGHT
    order = [event.id async for event in _events(hub, "raw")]
    assert await _on_topic(hub, "messages", set(order)) == order


async def test_case_23_ten_thousand_wrong_rows_put_nothing_aside(
    hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[dict[str, Any]] = [{"id": str(n)} for n in range(10_000)] + [{"id": "good", "text": STORY.format(n=1)}]
    ledger, _ = await _ingested(hub, lines, tmp_path, monkeypatch)
    assert (ledger["dead"], ledger["recorded"]) == (10_000, 1)


async def test_an_account_whose_items_all_die_delays_no_other(hub: RunningHub) -> None:
    for n in range(hub.settings.guard_run + 20):
        assert (await hub.webhook(b'{"object": "whatsapp_business_account", "entry": [' + b" " * n)).ok
    assert (await hub.sms("08120000001", STORY.format(n=0), id="k1")).ok
    await hub.until(lambda: _number_of(hub, "complaints") == 1, "the other account")
    await hub.until(lambda: _number_of(hub, "aside") == 1, "the account to be put aside")
    assert (await hub.whatsapp("wamid.after", "628120000010", STORY.format(n=1))).status_code == 200
    assert (await hub.request("GET", "/readyz")).status_code == 200
    ledger = await hub.until(partial(_waits_for, hub, 1), "what waits to be counted")
    assert ledger["lost"] == 0


async def one_raw(hub: RunningHub) -> Raw:
    assert (await hub.sms("08120000001", STORY.format(n=0), id="first")).ok
    await hub.settled()
    [raw] = [event async for event in _events(hub, "raw")]
    return raw


async def _waits_for(hub: RunningHub, at_least: int) -> dict[str, int] | None:
    ledger = await hub.ledger()
    return ledger if ledger["in_flight"] >= at_least else None


async def _ingested(
    hub: RunningHub, lines: list[dict[str, Any]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, int], int]:
    """The ledger of the file, and how many of its rows were in flight at most."""
    most = 0

    class Counted(RowsInFlight):
        async def publish(self, raws: Any, lines: Any) -> None:
            nonlocal most
            await super().publish(raws, lines)
            most = max(most, len(self))

    monkeypatch.setattr(ingest, "RowsInFlight", Counted)
    file = folder / "rows.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    with rows_of(str(file), {}) as rows:
        return await ingest_rows(rows, None, folder, hub.settings, hub.opened), most


async def _events(hub: RunningHub, topic: str) -> Any:
    async for stored in hub.bus.read(topic, LONG_AGO):
        yield stored.event()


async def _on_topic(hub: RunningHub, topic: str, raws: set[str]) -> list[str]:
    """The raw ids of these on the topic, in order, each where it stands first."""
    traces = [event.trace async for event in _events(hub, topic)]
    return list(dict.fromkeys(raw for raw in traces if raw in raws))


def _recorded(hub: RunningHub, flood: list[Raw]) -> tuple[int, int]:
    """How many outcomes there are of others, and of these."""
    with hub.record.read() as connection:
        raws = set(connection.execute(sa.text("SELECT raw FROM outcomes")).scalars())
    own = raws & {raw.id for raw in flood}
    return len(raws) - len(own), len(own)


def _number_of(hub: RunningHub, table: str) -> int:
    with hub.record.read() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def _answered(hub: RunningHub) -> int:
    """Replies that go out."""
    with hub.record.read() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM outbox WHERE state <> 'suppressed'")).scalar_one())
