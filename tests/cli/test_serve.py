"""What is said of a stage that ends."""

from __future__ import annotations

import asyncio

import pytest

from hub.running.status import Doing
from hub.running.serve import Work, _reported


async def test_a_stage_that_is_cancelled_by_what_it_uses_is_told_as_stopped() -> None:
    async def run() -> None:
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    work = Work("reader", run, Doing())
    with pytest.raises(RuntimeError, match="reader was cancelled"):
        await asyncio.create_task(_reported(work))
    assert str(work.doing.stopped).startswith("CancelledError at tests.cli.test_serve:")


async def test_a_stage_that_is_told_to_stop_has_not_stopped_by_itself() -> None:
    work = Work("reader", lambda: asyncio.sleep(60), Doing())
    task = asyncio.create_task(_reported(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.doing.stopped is None
