"""Processes: groups of tasks with objects of their own, that die, stand still and go on.

A task belongs to the process in whose context it was made; whatever it makes belongs to it too.
"""

from __future__ import annotations

import asyncio
import contextvars
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from greenlet import greenlet

OWNER: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
"""The process that runs; None: the world outside."""


class Process:
    """A process of the hub. Once dead it stays dead: what is started later is another one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.resumes_at = 0.0
        self.steps = 0
        self.tasks: list[asyncio.Task[Any]] = []
        """All that it ever started; kept, so that nothing of a dead process is closed before the end."""
        self.failures: list[BaseException] = []
        self.blocking: list[greenlet] = []
        self.on_death: list[Callable[[], None]] = []
        """What the rest of the world notices of its death."""
        self.stall: Callable[[], None] | None = None
        """Makes it stand still, mostly for longer than its leases last. None: it never does."""

    def __repr__(self) -> str:
        return self.name

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run this as a task of the process."""
        context = contextvars.copy_context()
        context.run(OWNER.set, self)
        task = context.run(asyncio.get_running_loop().create_task, work)
        task.add_done_callback(self._ended, context=context)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.failures.append(error)

    def kill(self) -> None:
        """Nothing of it runs any more, not even a `finally`."""
        if self.alive:
            self.alive = False
            for notice in self.on_death:
                notice()

    def stand_still(self, until: float) -> None:
        """Nothing of it runs before that time; then it goes on as if nothing had been."""
        self.resumes_at = max(self.resumes_at, until)

    def stands_still(self, now: float) -> bool:
        return now < self.resumes_at

    def clear(self) -> None:
        """Take what is left of it apart, when the world is over."""
        self.alive = False
        warnings.simplefilter("ignore", RuntimeWarning)  # coroutines that a `finally` begins are not awaited
        for task in self.tasks:
            if not task.done():
                with suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
        for blocked in self.blocking:
            if not blocked.dead:
                with suppress(BaseException):
                    blocked.throw()
        self.tasks.clear()
        self.blocking.clear()
