"""An account that is put aside waits, and comes back in order, on every adapter. No test names an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bus import Bus, GuardLimits, MemoryAsides, Stage, _aside_workers, _lane, pump
from schemas import Event, Message, Raw, Reject
from tests.bus.events import AT, message, raw


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_aside_workers, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(_lane, "SCAN_EVERY", 0.05)
    monkeypatch.setattr(_lane, "SCAN_REST", 0)


def of(account: str, numbers: Sequence[int]) -> list[Raw]:
    return [replace(raw(number, f"citizen-{number % 3}"), account=account) for number in numbers]


async def messages(bus: Bus) -> list[Message]:
    found = [stored.event() async for stored in bus.read("messages", datetime(2020, 1, 1, tzinfo=UTC))]
    return [event for event in found if isinstance(event, Message)]


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await done():
            await asyncio.sleep(0.05)


async def test_an_account_is_put_aside_and_comes_back_in_order(bus: Bus) -> None:
    bad = {"bad"}
    store = MemoryAsides()

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        raws = [event for event in events if isinstance(event, Raw)]
        if any(event.account in bad for event in raws):
            raise Reject("not_json")
        return [message(event) for event in raws]

    async def good_ones() -> bool:
        return len(await messages(bus)) == 30

    async def bad_ones() -> bool:
        return len({m.id for m in await messages(bus)}) == 30 + 150 - 20

    await bus.publish([*of("bad", range(100)), *of("good", range(30))])
    stage = Stage("reader", "raw", run, batch_size=25, guard=GuardLimits(run=20))
    pumping = asyncio.create_task(pump(bus, stage, aside=store))
    await until(good_ones)
    assert {m.account for m in await messages(bus)} == {"good"}
    bad.clear()
    store.release("bad", AT)
    await bus.publish(of("bad", range(100, 150)))
    await until(bad_ones)
    pumping.cancel()
    await asyncio.wait([pumping])
    for citizen in range(3):
        numbers = [int(m.native_id) for m in await messages(bus) if m.key == f"bad/citizen-{citizen}"]
        assert list(dict.fromkeys(numbers)) == sorted(set(numbers))
