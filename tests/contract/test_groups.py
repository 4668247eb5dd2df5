"""A group that is no longer used is forgotten, on every adapter. No test names an adapter."""

from __future__ import annotations

import pytest

from bus import Bus, GroupInUse, forget_group
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
