"""Looks through whole tables, behind `/metrics`: none beside another, and a rest after each."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from hub.running.metrics import REST, Look
from schemas import Retry


class Table:
    """Looking through it takes some seconds of a clock that stands still otherwise."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._numbers = count(1)

    async def look(self) -> int:
        number = next(self._numbers)
        self.now += self.seconds
        await self.may_end.wait()
        return number

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(("seconds", "good_for"), [(0.5, 60.0), (100.0, 100.0 * REST)])
async def test_a_look_is_good_for_a_while_and_a_long_one_for_longer(seconds: float, good_for: float) -> None:
    table = Table(seconds)
    look = Look(table.look, 60.0, table.clock)
    await look.renew()
    table.now += good_for - 1.0
    await look.renew()
    assert (look.seen, look.at) == (1, seconds)
    table.now += 2.0
    await look.renew()
    assert look.seen == 2


async def test_a_look_that_nobody_waited_for_goes_on_and_is_not_made_twice() -> None:
    table = Table(seconds=0.0)
    look = Look(table.look, 60.0, table.clock)
    table.may_end.clear()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(look.renew(), 0.01)
    table.may_end.set()
    await look.renew()
    assert look.seen == 1


async def test_a_look_that_failed_is_told_and_made_again() -> None:
    answers = [Retry("away"), None]

    async def take() -> str:
        if fault := answers.pop(0):
            raise fault
        return "seen"

    look = Look(take, 60.0, lambda: 0.0)
    with pytest.raises(Retry):
        await look.renew()
    await look.renew()
    assert look.seen == "seen"
