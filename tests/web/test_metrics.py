"""Scans of whole tables, behind `/metrics`: none beside another, and a rest after each."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from hub.running.cached_scan import REST, CachedScan
from schemas import Retry


class Table:
    """Scanning it takes some seconds of a clock that stands still otherwise."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._numbers = count(1)

    async def scan(self) -> int:
        number = next(self._numbers)
        self.now += self.seconds
        await self.may_end.wait()
        return number

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(("seconds", "good_for"), [(0.5, 60.0), (100.0, 100.0 * REST)])
async def test_figures_are_good_for_a_while_those_of_a_long_scan_longer(seconds: float, good_for: float) -> None:
    table = Table(seconds)
    scan = CachedScan(table.scan, 60.0, table.clock)
    await scan.renew()
    table.now += good_for - 1.0
    await scan.renew()
    assert (scan.figures, scan.at) == (1, seconds)
    table.now += 2.0
    await scan.renew()
    assert scan.figures == 2


async def test_a_scan_that_nobody_waited_for_goes_on_and_is_not_made_twice() -> None:
    table = Table(seconds=0.0)
    scan = CachedScan(table.scan, 60.0, table.clock)
    table.may_end.clear()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(scan.renew(), 0.01)
    table.may_end.set()
    await scan.renew()
    assert scan.figures == 1


async def test_a_scan_that_failed_raises_and_is_made_again() -> None:
    answers = [Retry("unavailable"), None]

    async def take() -> str:
        if fault := answers.pop(0):
            raise fault
        return "figures"

    scan = CachedScan(take, 60.0, lambda: 0.0)
    with pytest.raises(Retry):
        await scan.renew()
    await scan.renew()
    assert scan.figures == "figures"
