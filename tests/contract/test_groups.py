"""Groups are forgotten, and set back to read again, on every adapter. No test names an adapter."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bus import Bus, GroupInUse, forget_group, rewind_group
from tests.bus.events import citizens, everything, ids, raw, soon


async def test_a_forgotten_group_shows_in_no_lag_and_begins_anew(bus: Bus) -> None:
    await bus.publish(citizens(20))
    for group in ("reader", "ledger"):
        await everything(bus, group, 20)
    assert await forget_group(bus, "reader") > 0
    assert {lag.group for lag in await bus.lag()} == {"ledger"}
    await bus.publish([raw(20)])
    assert sorted(ids(await everything(bus, "reader", 21))) == list(range(21))


async def test_a_group_that_is_read_for_is_not_forgotten(bus: Bus) -> None:
    await bus.publish([raw(1)])
    async with bus.subscribe("raw", "reader") as batches:
        await bus.commit(await soon(batches))
        with pytest.raises(GroupInUse):
            await forget_group(bus, "reader")
    assert await forget_group(bus, "reader") > 0


async def test_forgetting_an_unknown_group_forgets_nothing(bus: Bus) -> None:
    await bus.publish([raw(1)])
    await everything(bus, "reader", 1)
    assert await forget_group(bus, "stranger") == 0
    assert {lag.group for lag in await bus.lag()} == {"reader"}


async def a_while_later() -> datetime:
    """An instant between two publishes, by clocks of milliseconds."""
    await asyncio.sleep(0.05)
    now = datetime.now(UTC)
    await asyncio.sleep(0.05)
    return now


async def test_a_group_that_is_set_back_reads_again_what_came_since(bus: Bus) -> None:
    await bus.publish(citizens(20))
    between = await a_while_later()
    await bus.publish([raw(n) for n in range(20, 30)])
    for group in ("reader", "ledger"):
        await everything(bus, group, 30)
    assert await rewind_group(bus, "reader", between) == {"raw": 10}
    assert sorted(ids(await everything(bus, "reader", 10))) == list(range(20, 30))
    assert {lag.group: 0 for lag in await bus.lag() if lag.behind == 0} == {"reader": 0, "ledger": 0}


async def test_a_group_is_never_set_forward(bus: Bus) -> None:
    await bus.publish(citizens(20))
    await everything(bus, "reader", 20)
    await bus.publish([raw(n) for n in range(20, 30)])
    assert await rewind_group(bus, "reader", datetime.now(UTC) + timedelta(days=1)) == {"raw": 10}
    assert await rewind_group(bus, "reader", datetime.now(UTC) - timedelta(days=1)) == {"raw": 30}
    assert sorted(ids(await everything(bus, "reader", 30))) == list(range(30))


async def test_a_group_that_is_read_for_is_not_set_back(bus: Bus) -> None:
    await bus.publish([raw(1)])
    async with bus.subscribe("raw", "reader") as batches:
        await bus.commit(await soon(batches))
        with pytest.raises(GroupInUse):
            await rewind_group(bus, "reader", datetime.now(UTC) - timedelta(days=1))
    assert await rewind_group(bus, "stranger", datetime.now(UTC)) == {}
