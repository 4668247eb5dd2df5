"""The spool of a door: its own disk, where it goes on accepting while the broker is unavailable.

`Spool` is a bus in front of another, `remote`. While remote takes events within `within` seconds, they go there
straight. What it refuses, or takes too long over, is appended to an embedded log, `local`, and from then on all events
go there, without asking remote first, until a background task (`_drain.py`) has published all of them to remote.

Why no event overtakes an earlier one of its key. "Earlier" means: its `publish` had returned before the other's was
called. Write S for the shared flag `flags.spooling`.

1. *Straight to spool.* An earlier event that went straight stands in remote already; a later one in the spool is behind
   it. An event that timed out may still arrive in remote, before or after its copy from the spool: its first occurrence
   is no later than that copy, and a copy that comes second is a duplicate, which the port allows.
2. *In the spool* there is one partition, drained by one process at a time, each batch published before it is committed.
   A drain that was taken for dead may publish its batch late: duplicates again.
3. *Spool to straight.* An append sets S after its commit and before `publish` returns. S is cleared only inside a write
   transaction of local that sees everything committed there drained, and no append commits during it. So take an event
   whose append has returned: S was set after its commit, and the process that cleared S since then saw it drained. A
   publisher that finds S clear may go straight: all earlier events stand in remote. This holds between processes,
   because S lies in shared memory and local is one file.

Under a steady stream the spool would never be empty at the moment of that look. So when at most a batch is left,
publishers pause (`flags.pausing`, half a second at most), and go straight when it is drained.

A power cut may lose S, not the spool: opening it sets S if events wait there. A killed process may leave S set; the
next look of any door's drain clears it.

`limit` is roughly the bytes of the file that are in use; beyond it, and on a full disk, `publish` raises Retry.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from bus import _log as log
from bus._drain import GROUP, TOPIC, DrainSettings, SpoolDrain
from bus._file import open_read_only
from bus._groups import forget_group, rewind_group
from bus._opened import cancel_and_wait
from bus._partitions import utc_now
from bus._port import Batch, Bus, PartitionLag, StoredEvent
from bus._spool_flags import SpoolFlags
from bus._values import BodyStore
from bus.sqlite import SqliteBus
from schemas import Event, Retry

WITHIN = 2.0
"""Seconds that remote has for a publish."""
READ_AT_ONCE = 500
ROOM_CACHED = 0.05
"""Seconds for which a measure of the room left is good."""

_logger = logging.getLogger(__name__)


class SpoolState(NamedTuple):
    """The state of a spool."""

    spooling: bool
    """Do events that are published now go there?"""
    events: int
    """That wait there."""
    bytes: int
    """Of the file, in use."""
    oldest: datetime | None
    limit: int


class Spool(Bus):
    """`async with Spool(remote, path, limit) as bus:`; remote is open. Opening raises UnusableLog.

    Only what doors publish (`Raw`) is spooled. Doors of one data folder share one; it needs nothing of remote to open.
    """

    def __init__(
        self,
        remote: Bus,
        path: Path,
        limit: int,
        *,
        bodies: BodyStore | None = None,
        within: float = WITHIN,
        clock: Callable[[], datetime] = utc_now,
        pace: DrainSettings = DrainSettings(),  # noqa: B008 - it is immutable
    ) -> None:
        self._remote, self._path, self._limit, self._bodies = remote, path, limit, bodies
        self._within, self._clock, self._pace = within, clock, pace
        self._measured_at = float("-inf")
        self._used = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            local = SqliteBus(self._path, 1, timedelta(0), 0, bodies=self._bodies, clock=self._clock)
            self._local = await stack.enter_async_context(local)
            self._flags = stack.enter_context(SpoolFlags(Path(f"{self._path}.flags")))
            if self._local.behind(TOPIC, GROUP):
                self._flags.spooling = True
            drain = SpoolDrain(self._remote, self._local, self._flags, self._clock, self._pace)
            stack.push_async_callback(cancel_and_wait, asyncio.create_task(drain.run()))
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def publish(self, events: Sequence[Event]) -> None:
        """As in the port. Without events: raises Retry where an event could not be accepted now."""
        if self._flags.spooling:
            await self._pausing()
        if self._flags.spooling or not events:
            await self._spool(events)
            return
        try:
            async with asyncio.timeout(self._within):
                await self._remote.publish(events)
        except (Retry, TimeoutError):
            if not self._flags.spooling:
                _logger.warning("the broker does not take events: spooling")
            self._flags.spooling = True  # the next publisher need not wait for the timeout too
            await self._spool(events)

    def subscribe(
        self, topic: str, group: str, *, size: int = 500
    ) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        return self._remote.subscribe(topic, group, size=size)

    async def commit(self, batch: Batch) -> None:
        await self._remote.commit(batch)

    async def lag(self) -> Sequence[PartitionLag]:
        return await self._remote.lag()

    def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        return self._remote.read(topic, since)

    async def forget_group(self, group: str) -> int:
        """See `bus.forget_group`."""
        return await forget_group(self._remote, group)

    async def rewind_group(self, group: str, at: datetime) -> dict[str, int]:
        """See `bus.rewind_group`."""
        return await rewind_group(self._remote, group, at)

    async def spooled(self) -> SpoolState:
        """The state of the spool. Raises Retry where the disk does not answer."""
        lags = await self._local.lag()
        events = sum(lag.behind for lag in lags)
        oldest = min((lag.oldest for lag in lags if lag.oldest), default=None)
        return SpoolState(self._flags.spooling, events, self._local.used() if events else 0, oldest, self._limit)

    async def _pausing(self) -> None:
        until = time.monotonic() + self._pace.pause
        while self._flags.pausing and time.monotonic() < until:  # noqa: ASYNC110 - another process may clear it
            await asyncio.sleep(0.003)

    async def _spool(self, events: Sequence[Event]) -> None:
        if any(event.topic != TOPIC for event in events):
            await self._remote.publish(events)  # it would wait in the spool for ever
            return
        self._check_room()
        if events:
            await self._local.publish(events)
            self._flags.spooling = True  # after the commit, before `publish` returns: see above
        else:
            await self._local.when_done(TOPIC, GROUP, lambda: None)  # does it answer?

    def _check_room(self) -> None:
        if time.monotonic() - self._measured_at > ROOM_CACHED:
            self._used = self._local.used()
            self._measured_at = time.monotonic()
        if self._used > self._limit:
            raise Retry(f"the spool is full: {self._limit >> 20} MiB wait for the broker")


def spooled_events(path: Path) -> int:
    """Events that wait in the spool at that path, read without opening the spool. Raises sqlite3.Error."""
    if not path.exists():
        return 0
    with closing(open_read_only(path)) as connection:
        return log.count_uncommitted(connection, TOPIC, GROUP)


def read_spooled(path: Path, bodies: BodyStore | None) -> Iterator[StoredEvent]:
    """The events that wait in the spool at that path, read without opening the spool. Raises sqlite3.Error."""
    if not path.exists():
        return
    with closing(open_read_only(path)) as connection:
        if not log.count_uncommitted(connection, TOPIC, GROUP):
            return
        drained = (lag.offset for lag in log.group_lags(connection) if (lag.topic, lag.group) == (TOPIC, GROUP))
        after = min(drained, default=-1)
        while page := log.read_page(connection, (TOPIC, 0), after, READ_AT_ONCE, bodies):
            yield from page
            after = page[-1].offset
