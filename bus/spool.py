"""The spool of a door: where it goes on accepting while the broker is away, on its own disk.

`Spool` is a bus in front of another, `far`. While far takes what is published within `within` seconds, it goes there
straight. What far refuses or takes too long over is appended to an embedded log, `near`, and from then on
everything goes there, without asking far first, until a background task (`_drain.py`) has handed all of it on.

Why no event overtakes an earlier one of its key. "Earlier" means: its `publish` had returned before the other's was
called. Write S for the shared byte `gate.spooling`.

1. *Straight to spool.* An earlier event that went straight stands in far already; a later one in the spool is behind
   it. What timed out may still arrive in far, before or after its copy from the spool: its first occurrence is
   no later than that copy, and a copy that comes second is a duplicate, which the port allows.
2. *In the spool* there is one partition, drained by one process at a time, each batch handed on before it is committed.
   A drain that was taken for dead may hand on its batch late: duplicates again.
3. *Spool to straight.* An append sets S after its commit and before `publish` returns. S is cleared only inside a write
   transaction of near that sees everything committed there handed on, and no append commits during it. So take an
   event whose append has returned: S was set after its commit, and whoever cleared S since then saw it handed on.
   Whoever finds S clear may go straight: all that is earlier stands in far. This holds between processes, because S
   lies in shared memory and near is one file.

Under a steady stream the spool would never be empty at the moment of that look. So when at most a batch is left,
publishers are held for a moment (`gate.holding`, half a second at most), and go straight when it is done.

A power cut may lose S, not the spool: opening it sets S from what waits there. A killed process may leave S set; the
next look of any door's drain clears it.

`limit` is about the bytes of the file that are in use; beyond it, and on a full disk, `publish` raises Retry.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from bus import _log as log
from bus._drain import GROUP, HOLD, TOPIC, Drain
from bus._file import look_into
from bus._spool_flags import Gate
from bus._partitions import now
from bus._port import Batch, Bus, Lag, Stored
from bus.sqlite import SqliteBus
from schemas import Event, Retry

WITHIN = 2.0
"""Seconds that far has for a publish."""
GLANCE = 0.05
"""Seconds for which a look at the room left is good."""

_logger = logging.getLogger(__name__)


class Spooled(NamedTuple):
    """What waits in the spool."""

    spooling: bool
    """Does what is published now go there?"""
    events: int
    bytes: int
    """Of the file, in use."""
    oldest: datetime | None
    limit: int


class Spool(Bus):
    """`async with Spool(far, path, limit) as bus:`; far is open. Opening raises UnusableLog.

    Only what doors publish (`Raw`) is spooled. Doors of one data folder share one; it needs nothing of far to open.
    """

    def __init__(
        self, far: Bus, path: Path, limit: int, *, within: float = WITHIN, clock: Callable[[], datetime] = now
    ) -> None:
        self._far = far
        self._path = path
        self._limit = limit
        self._within = within
        self._clock = clock
        self._seen = float("-inf")
        self._used = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            near = SqliteBus(self._path, 1, timedelta(0), 0, clock=self._clock)
            self._near = await stack.enter_async_context(near)
            self._gate = stack.enter_context(Gate(Path(f"{self._path}.gate")))
            if self._near.behind(TOPIC, GROUP):
                self._gate.spooling = True
            drain = Drain(self._far, self._near, self._gate, self._clock)
            stack.push_async_callback(_end, asyncio.create_task(drain.run()))
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def publish(self, events: Sequence[Event]) -> None:
        """As the port has it. With nothing to publish: raises Retry where something could not be kept."""
        if self._gate.spooling:
            await self._held()
        if self._gate.spooling or not events:
            await self._keep(events)
            return
        try:
            async with asyncio.timeout(self._within):
                await self._far.publish(events)
        except (Retry, TimeoutError):
            if not self._gate.spooling:
                _logger.warning("the broker does not take events: spooling")
            self._gate.spooling = True  # who comes now need not find out for himself
            await self._keep(events)

    def subscribe(
        self, topic: str, group: str, *, size: int = 500
    ) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        return self._far.subscribe(topic, group, size=size)

    async def commit(self, batch: Batch) -> None:
        await self._far.commit(batch)

    async def lag(self) -> Sequence[Lag]:
        return await self._far.lag()

    def read(self, topic: str, since: datetime) -> AsyncIterator[Stored]:
        return self._far.read(topic, since)

    async def spooled(self) -> Spooled:
        """How it stands. Raises Retry where the disk does not answer."""
        lags = await self._near.lag()
        events = sum(lag.behind for lag in lags)
        oldest = min((lag.oldest for lag in lags if lag.oldest), default=None)
        return Spooled(self._gate.spooling, events, self._near.used() if events else 0, oldest, self._limit)

    async def _held(self) -> None:
        until = time.monotonic() + HOLD
        while self._gate.holding and time.monotonic() < until:  # noqa: ASYNC110 - another process may let go
            await asyncio.sleep(0.003)

    async def _keep(self, events: Sequence[Event]) -> None:
        if any(event.topic != TOPIC for event in events):
            await self._far.publish(events)  # it would wait in the spool for ever
            return
        self._make_sure_of_room()
        if events:
            await self._near.publish(events)
            self._gate.spooling = True  # after the commit, before anybody hears of it: see above
        else:
            await self._near.when_done(TOPIC, GROUP, lambda: None)  # does it answer?

    def _make_sure_of_room(self) -> None:
        if time.monotonic() - self._seen > GLANCE:
            self._used = self._near.used()
            self._seen = time.monotonic()
        if self._used > self._limit:
            raise Retry(f"the spool is full: {self._limit >> 20} MiB wait for the broker")


def left_over(path: Path) -> int:
    """Events that wait in the spool at that path, looked at without opening it. Raises sqlite3.Error."""
    if not path.exists():
        return 0
    with closing(look_into(path)) as connection:
        return log.behind(connection, TOPIC, GROUP)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
