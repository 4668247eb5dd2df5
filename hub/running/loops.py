"""Work beside the stages that comes again and again, and the heartbeat by which other machines see this process."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from uuid import uuid4

import msgspec

from bus import fault_location
from hub.clock import TimeSource
from hub.repeated_lines import RepeatedLines
from hub.running.backend import Backend
from hub.running.status import ProcessStatus
from hub.stages import LoopRow
from schemas import Retry
from sink.processes import forget_process, heartbeat

LAST_STEP = 1.0
"""Seconds that the last step may take."""
log = logging.getLogger(__name__)


async def repeat(
    loop: LoopRow,
    step: Callable[[], Awaitable[object]],
    timing: TimeSource,
    last: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Do the step every so many seconds, also after faults; `last` when it is cancelled."""
    lines = RepeatedLines(log, timing.monotonic)
    try:
        while True:
            if fault := await _fault_of(step):
                lines.write(logging.WARNING, f"{loop.name}: {fault}; trying again")
            await timing.sleep(loop.every)
    finally:
        if last is not None:
            await _fault_of(lambda: asyncio.wait_for(last(), LAST_STEP))


async def _fault_of(step: Callable[[], Awaitable[object]]) -> str:
    try:
        await step()
    except Retry as fault:
        return fault.reason
    except Exception as error:  # a bug must not end what runs beside it
        return fault_location(error)
    return ""


class Heartbeat:
    """Tells the record that this process is at work, and how its stages fare."""

    def __init__(self, backend: Backend, status: ProcessStatus, names: Collection[str]) -> None:
        self._backend, self._status, self._names = backend, status, tuple(names)
        self._id = uuid4().hex
        self._started_at = backend.timing.now()

    async def beat(self) -> None:
        """Once. Raises Retry."""
        await self._backend(
            heartbeat, self._id, host=f"{os.uname().nodename}:{os.getpid()}", stages=self._names,
            started_at=self._started_at, now=self._backend.timing.now(),
            report=msgspec.to_builtins(self._status.report()),
        )  # fmt: skip

    async def end(self) -> None:
        """The process ends. Raises Retry."""
        await self._backend(forget_process, self._id)
