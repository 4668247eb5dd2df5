"""The record as background work calls it, and the time that the work goes by."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bus import fault_location
from hub.clock import TimeSource
from hub.repeated_lines import RepeatedLines
from hub.running.pools import RunInThread
from schemas import Retry
from sink.record import Record

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between two tries of work that fails."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    """`await backend(f, …)` runs `f(record, …)` beside the event loop."""

    record: Record
    io: RunInThread
    timing: TimeSource

    async def __call__(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.io(call, self.record, *args, **kwargs)

    async def forever(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work again whenever it ends or fails: a fault in it must not end the work beside it."""
        pause, lines = FIRST_PAUSE, RepeatedLines(log, self.timing.monotonic)
        while True:
            began = self.timing.monotonic()
            try:
                await work()
            except Retry as fault:
                lines.write(logging.WARNING, f"{name}: {fault.reason}; trying again")
            except Exception as error:  # a bug: logged, and tried again
                lines.write(logging.ERROR, f"{name}: {fault_location(error)}; trying again")
            pause = FIRST_PAUSE if self.timing.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            await self.timing.sleep(pause)
