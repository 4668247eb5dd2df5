"""Blocking work beside the event loop: the record, the blobs, and what takes the processor for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 8
EMBEDDED_STAGES = 1
"""Stages of a process that work at the same time where the record is embedded. They need Python's lock nearly all the
time: two that have to share it only make each other's transactions longer, for which the other processes wait."""


class RunInThread(Protocol):
    """Runs a blocking call beside the event loop (as `Pools.io`)."""

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


class Pools:
    """`await pools.io(f, …)` for all work; `await pools.stage(f, …)` for what the stages do with their batches, and
    `await pools.lease(f, …)` for the renewal of leases: each waits behind no other call."""

    def __init__(self, io: ThreadPoolExecutor, lease: ThreadPoolExecutor, stage: ThreadPoolExecutor) -> None:
        self._io = io
        self._lease = lease
        self._stage = stage

    async def io(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run in the common pool."""
        return await _run(self._io, call, *args, **kwargs)

    async def stage(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run in the pool of the stages."""
        return await _run(self._stage, call, *args, **kwargs)

    async def lease(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run in the thread that renews leases."""
        return await _run(self._lease, call, *args, **kwargs)


@contextmanager
def open_pools(stages: int = EMBEDDED_STAGES) -> Iterator[Pools]:
    """The pools, with so many threads for the stages; leaving the context waits for the calls that have begun."""
    with (
        ThreadPoolExecutor(THREADS, "io") as io,
        ThreadPoolExecutor(1, "lease") as lease,
        ThreadPoolExecutor(stages, "stage") as stage,
    ):
        yield Pools(io, lease, stage)


async def _run(pool: ThreadPoolExecutor, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Cancelling the caller does not end the thread: its result is dropped."""
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: call(*args, **kwargs))
