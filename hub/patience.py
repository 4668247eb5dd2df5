"""A limit of time for many short waits. One clock looks after all of them: a timer for each, as `asyncio.timeout` sets,
costs the door more than the check of a signature does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Patience:
    """`await patience.wait(work)` gives what the work gives, or raises TimeoutError, up to a tenth late."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[asyncio.Task[Any], float] = {}
        self._clock: asyncio.TimerHandle | None = None

    async def wait(self, work: Awaitable[T]) -> T:
        """Cancels the work when its time is up. A task waits for one work at a time."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self._until[task] = loop.time() + self._seconds
        if self._clock is None:
            self._clock = loop.call_later(self._seconds / 10, self._look, loop)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._until or task.uncancel():
                raise  # somebody else cancelled it
            raise TimeoutError from None
        finally:
            self._until.pop(task, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """The longest wait stands first."""
        late = []
        for task, until in self._until.items():
            if until > loop.time():
                break
            late.append(task)
        for task in late:
            del self._until[task]
            task.cancel()
        self._clock = loop.call_later(self._seconds / 10, self._look, loop) if self._until else None
