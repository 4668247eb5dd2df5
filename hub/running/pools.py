"""Blocking work beside the event loop. Two pools, so that a slow provider never holds up the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """`await threads.disk(f, …)` for the record and the blobs, `await threads.world(f, …)` for what lies outside."""

    def __init__(self, disk: ThreadPoolExecutor, world: ThreadPoolExecutor) -> None:
        self._disk = disk
        self._world = world

    async def disk(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run in the pool of the record and the blobs."""
        return await _run(self._disk, call, *args, **kwargs)

    async def world(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run in the pool of calls to providers."""
        return await _run(self._world, call, *args, **kwargs)


@contextmanager
def threads() -> Iterator[Threads]:
    """Both pools; closed when all their work is done."""
    with ThreadPoolExecutor(8, "disk") as disk, ThreadPoolExecutor(16, "world") as world:
        yield Threads(disk, world)


async def _run(pool: ThreadPoolExecutor, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """A thread cannot be cancelled: who is cancelled goes on without it, and the pool waits for it when it closes."""
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: call(*args, **kwargs))
