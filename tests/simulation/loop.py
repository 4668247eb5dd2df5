"""An event loop with virtual time whose order is drawn from a seed.

* Time stands still while anything can run (but for `STEP` a callback) and then jumps to the next timer.
* Steps of different tasks run in any order, and a step may be delayed: another machine's load would do the same.
  Callbacks that are no task's keep their order among themselves, as asyncio promises.
* What belongs to a process that died never runs; what belongs to one that stands still waits until it goes on.
* Tasks and futures hash by a count, so that sets of them have one order in every run.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import sys
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from random import Random
from typing import Any, TypeVar

from tests.simulation.process import OWNER, Process

T = TypeVar("T")
STEP = 20e-6
"""Seconds that a callback takes."""
LONGEST_DELAY = 0.5
"""Seconds."""


class Stuck(Exception):  # noqa: N818 - it says what happened
    """Nothing can ever run again, or the virtual day is over."""


class Handle:
    """A callback to be run."""

    __slots__ = ("args", "at", "callback", "context", "dropped", "is_step")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context, at: float):
        self.callback, self.args, self.context, self.at = callback, args, context, at
        self.dropped = False
        self.is_step = isinstance(getattr(callback, "__self__", None), asyncio.Task)
        """Of a task; else it is a callback."""

    def cancel(self) -> None:
        self.dropped = True

    def cancelled(self) -> bool:
        return self.dropped

    def when(self) -> float:
        return self.at


class _Task(asyncio.Task[Any]):
    def __init__(self, *args: Any, loop: VirtualLoop, **more: Any) -> None:
        self._count = loop.count()
        super().__init__(*args, loop=loop, **more)

    def __hash__(self) -> int:
        return self._count


class _Future(asyncio.Future[Any]):
    def __init__(self, *, loop: VirtualLoop) -> None:
        self._count = loop.count()
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._count


class VirtualLoop(asyncio.AbstractEventLoop):
    """`VirtualLoop(random).run(main(), until=600)`."""

    def __init__(self, random: Random, *, delays: float = 0.0) -> None:
        self._random = random
        self.delays = delays
        """Share of task steps that are delayed."""
        self.now = 0.0
        self.steps = 0
        self.failures: list[BaseException] = []
        """What callbacks raised, and exceptions that nobody looked at."""
        self.before_step: Callable[[Process], None] = lambda process: None
        """Called before a step of a process; may kill it."""
        self._tasks: list[Handle] = []
        self._callbacks: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._counted = 0

    def count(self) -> int:
        """The next number."""
        self._counted += 1
        return self._counted

    def run(self, main: Coroutine[Any, Any, T], until: float) -> T:
        """Run until `main` is done. Raises Stuck when it is not done by that time."""
        events._set_running_loop(self)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=lambda generator: None)  # a dead process finalizes nothing
        try:
            task = self.create_task(main)
            while not task.done():
                self._run_one(until)
            return task.result()
        finally:
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(None)

    def _run_one(self, until: float) -> None:
        if self._timers and self._timers[0][0] <= self.now:
            self._ready(heapq.heappop(self._timers)[2])
        if self._tasks or self._callbacks:
            handle = self._next()
            if not handle.dropped:
                self._step(handle)
            return
        if not self._timers or self._timers[0][0] > until:
            raise Stuck(f"after {self.now:.1f} virtual seconds")
        self.now = max(self.now, self._timers[0][0])

    def _next(self) -> Handle:
        tasks, callbacks = self._tasks, self._callbacks
        chosen = int(self._random.random() * (len(tasks) + bool(callbacks)))
        if chosen == len(tasks):
            return callbacks.popleft()
        tasks[chosen], tasks[-1] = tasks[-1], tasks[chosen]
        return tasks.pop()

    def _step(self, handle: Handle) -> None:
        process = handle.context.get(OWNER)
        if process is not None:
            self.before_step(process)
            if not process.alive:
                return
            if process.stands_still(self.now):
                self._later(handle, process.resumes_at)
                return
        if handle.is_step and self.delays and self._random.random() < self.delays:
            self._later(handle, self.now + LONGEST_DELAY * self._random.random() ** 4)
            return
        self.steps += 1
        self.now += STEP
        try:
            handle.context.run(handle.callback, *handle.args)
        except Exception as error:
            self.failures.append(error)

    def _ready(self, handle: Handle) -> None:
        if handle.is_step:
            self._tasks.append(handle)
        else:
            self._callbacks.append(handle)

    def _later(self, handle: Handle, at: float) -> None:
        handle.at = at
        heapq.heappush(self._timers, (at, self.count(), handle))

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, _current(context), self.now)
        self._ready(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Handle:  # type: ignore[override]
        return self.call_at(self.now + max(delay, 0.0), callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, _current(context), when)
        self._later(handle, when)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **more: Any
    ) -> asyncio.Task[T]:
        task = _Task(coro, loop=self, **more)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # the dead leave theirs unfinished
        process = OWNER.get()
        if process is not None:
            process.tasks.append(task)
        return task

    def run_in_executor(self, *_: Any) -> Any:
        raise AssertionError("the simulation has no threads: use the pools that are passed in")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and isinstance(context.get("future"), asyncio.Task):
            self.failures.append(error)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing to close."""

    async def shutdown_asyncgens(self) -> None:
        """Nothing to shut down."""


def _current(context: contextvars.Context | None) -> contextvars.Context:
    return contextvars.copy_context() if context is None else context  # an empty context is false
