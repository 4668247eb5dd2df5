"""Blocking work without threads: each call is a greenlet, and others run between two of its transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

from greenlet import getcurrent, greenlet

from tests.simulation.faults import Faults
from tests.simulation.process import Process

P = ParamSpec("P")
T = TypeVar("T")


def let_others_run() -> None:
    """Inside blocking work: everybody else may run here. Elsewhere nothing happens."""
    loop = getcurrent().parent
    if loop is not None:
        loop.switch()


def looked_at(task: asyncio.Task[object]) -> None:
    """Nobody waits for the result any more."""
    if not task.cancelled():
        task.exception()


class Pools:
    """As `hub.running.pools`, for one process."""

    def __init__(self, process: Process, faults: Faults) -> None:
        self._process = process
        self._faults = faults

    async def io(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it, as in a pool of threads: whoever is cancelled goes on without it, and it goes on all the same."""
        work = greenlet(partial(call, *args, **kwargs))
        self._process.blocking.append(work)
        try:
            return await self._drive(work)
        except asyncio.CancelledError:
            if not work.dead:
                asyncio.get_running_loop().create_task(self._finish(work))
            raise

    stage = lease = io

    async def _finish(self, work: greenlet) -> None:
        with suppress(Exception):  # a callback of the task would not run where its process dies meanwhile
            await self._drive(work)

    async def _drive(self, work: greenlet) -> T:  # type: ignore[type-var]
        while True:
            if self._process.stall is not None and self._faults("process stands still in a call"):
                self._process.stall()
            if self._faults("record slow"):
                await asyncio.sleep(self._faults.between(0.01, 5.0))
            else:
                await asyncio.sleep(0)
            try:
                result = work.switch()
            finally:
                if work.dead:
                    self._process.blocking.remove(work)
            if work.dead:
                return result  # type: ignore[no-any-return]
