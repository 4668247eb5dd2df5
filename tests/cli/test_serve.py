"""The status of a stage that ends."""

from __future__ import annotations

import asyncio

import pytest

from hub.running.pipeline import RunningWork
from hub.running.serve import run_reported
from hub.running.status import StageStatus


async def test_a_stage_that_is_cancelled_by_something_it_uses_counts_as_stopped() -> None:
    async def run() -> None:
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    work = RunningWork("reader", run, StageStatus())
    with pytest.raises(RuntimeError, match="reader was cancelled"):
        await asyncio.create_task(run_reported(work))
    assert str(work.status.stopped).startswith("CancelledError at tests.cli.test_serve:")


async def test_a_stage_that_is_cancelled_has_not_stopped_by_itself() -> None:
    work = RunningWork("reader", lambda: asyncio.sleep(60), StageStatus())
    task = asyncio.create_task(run_reported(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.status.stopped is None
