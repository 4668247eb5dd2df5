"""What is opened for all who wait: who ends the opening does not end those who wait for it."""

from __future__ import annotations

import asyncio

import pytest

from bus._opened import LazyResource
from schemas import Retry


class Door:
    """Counts how often it was opened; opening waits for `free`, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.free = asyncio.Event()
        self.openings = 0
        self.closed: list[int] = []
        self.opened = LazyResource(self._open, self._close)
        self._failures = failures

    async def _open(self) -> int:
        self.openings += 1
        await self.free.wait()
        if self.openings <= self._failures:
            raise OSError
        return self.openings

    async def _close(self, what: int) -> None:
        self.closed.append(what)


async def test_one_opens_for_all_who_wait() -> None:
    door = Door()
    door.free.set()
    assert await asyncio.gather(*(door.opened.get() for _ in range(5))) == [1] * 5
    assert door.opened.now == 1
    await door.opened.close()
    assert door.closed == [1]
    assert door.opened.now is None


async def test_whoever_gives_up_leaves_it_to_the_others() -> None:
    door = Door()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(door.opened.get(), 0.01)
    door.free.set()
    assert await door.opened.get() == 1


async def test_after_a_failure_it_is_tried_again() -> None:
    door = Door(failures=1)
    door.free.set()
    found = await asyncio.gather(*(door.opened.get() for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [OSError] * 3
    assert await door.opened.get() == 2


async def test_what_was_dropped_is_closed_once_and_opened_anew() -> None:
    door = Door()
    door.free.set()
    first = await door.opened.get()
    door.opened.drop(first)
    door.opened.drop(first)
    assert await door.opened.get() == 2
    await door.opened.close()
    assert sorted(door.closed) == [1, 2]


async def test_closing_ends_an_opening_that_is_under_way() -> None:
    door = Door()
    waiting = asyncio.create_task(door.opened.get())
    await asyncio.sleep(0)
    await door.opened.close()
    with pytest.raises(Retry):
        await waiting
    assert door.closed == []


async def closing(what: object) -> None:
    pass


async def given_up() -> object:
    """As aiokafka's `close` does, called again after it was cut short: cancelled, though nobody cancelled us."""
    raise asyncio.CancelledError


async def test_an_opening_that_is_cancelled_inside_is_tried_again() -> None:
    opened = LazyResource(given_up, closing)
    for _ in range(2):
        with pytest.raises(Retry):
            await opened.get()


async def test_who_is_told_to_stop_stops() -> None:
    opened = LazyResource(lambda: asyncio.sleep(60, object()), closing)
    waiting = asyncio.create_task(opened.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await opened.close()
