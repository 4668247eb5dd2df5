"""A resource that is opened at the first call: once for all callers, and anew after it was dropped; and the end of a
task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from schemas import Retry

T = TypeVar("T")


async def cancel_and_wait(task: asyncio.Task[None]) -> None:
    """Return when the task has ended. Raises what it ended with."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class LazyResource(Generic[T]):
    """A resource, opened at the first call. `opening` cleans up behind itself when it fails or is cancelled; `closing`
    raises nothing."""

    def __init__(
        self, opening: Callable[[], Coroutine[Any, Any, T]], closing: Callable[[T], Coroutine[Any, Any, None]]
    ) -> None:
        self._opening, self._closing = opening, closing
        self._task: asyncio.Task[T] | None = None
        self._ends: set[asyncio.Task[None]] = set()

    @property
    def now(self) -> T | None:
        """The open resource; None while there is none."""
        task = self._task
        return task.result() if task and task.done() and not task.cancelled() and not task.exception() else None

    async def get(self) -> T:
        """Raises what `opening` raises. A caller that is cancelled leaves the opening to the others. An opening that
        was cancelled itself, as aiokafka does on closing twice, raises Retry, for the caller was not."""
        if (found := self.now) is not None:
            return found
        if self._task is None:
            self._task = asyncio.create_task(self._opening())
            self._task.add_done_callback(self._settle)
        task, us = self._task, asyncio.current_task()
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled() or (us and us.cancelling()):
                raise
            raise Retry("the opening was given up") from None

    def drop(self, resource: T) -> None:
        """It is of no use any more: close it, without waiting."""
        if self._task and self.now is resource:
            self._task = None
            self._end(self._closing(resource))

    async def close(self) -> None:
        """Close it, and wait for all closings."""
        task, self._task = self._task, None
        if task and not task.done():
            task.cancel()
            await asyncio.wait([task])
        if task and not task.cancelled() and not task.exception():
            self._end(self._closing(task.result()))
        if self._ends:
            await asyncio.wait(self._ends)

    def _end(self, closing: Coroutine[Any, Any, None]) -> None:
        end = asyncio.create_task(closing)
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)

    def _settle(self, task: asyncio.Task[T]) -> None:
        failed = task.cancelled() or task.exception()  # retrieved, so that asyncio does not log it
        if failed and self._task is task:
            self._task = None
