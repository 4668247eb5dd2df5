"""One clock for many short waits."""

from __future__ import annotations

import asyncio

import pytest

from hub.patience import Patience


async def test_what_is_in_time_is_given() -> None:
    assert await Patience(10).wait(asyncio.sleep(0, "ya")) == "ya"


async def test_what_is_late_is_cancelled_and_the_task_goes_on() -> None:
    never = asyncio.Event()
    with pytest.raises(TimeoutError):
        await Patience(0).wait(never.wait())
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_only_who_is_late_is_cancelled() -> None:
    patience, never, soon = Patience(0.01), asyncio.Event(), asyncio.Event()
    late = asyncio.create_task(patience.wait(never.wait()))
    with pytest.raises(TimeoutError):
        await late
    other = asyncio.create_task(patience.wait(soon.wait()))
    await asyncio.sleep(0)
    soon.set()
    assert await other


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    waiting = asyncio.create_task(Patience(10).wait(asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
