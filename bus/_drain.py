"""Drains the spool: publishes its events to the remote bus, in order, and ends spooling when none is left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar

from bus._dead_letter import dead_letter
from bus._port import Batch, Bus, PartitionLost, StoredEvent
from bus._spool_flags import SpoolFlags
from bus.sqlite import SqliteBus
from schemas import Event, Reject, Retry

TOPIC, GROUP = "raw", "drain"
"""The topic that is spooled, and the group that drains it."""


class DrainSettings(NamedTuple):
    """How the spool is drained; seconds, but for `size`."""

    size: int = 500
    """Events of a batch."""
    timeout: float = 15.0
    """Of a publish or a commit, until it is tried again."""
    pause: float = 0.5
    """How long publishers are paused at most while the last batches are drained,"""
    pause_rest: float = 5.0
    """and how long they are left alone after that."""
    look_every: float = 1.0
    """Between two looks whether the spool is empty, where no batch shows it; and between two runs of the retention."""
    first_wait: float = 0.1
    longest_wait: float = 3.0
    """Of the backoff."""


T = TypeVar("T")

_log = logging.getLogger(__name__)


class SpoolDrain:
    """Runs in every door; of those on one folder, one at a time owns the spool's only partition."""

    def __init__(
        self, remote: Bus, local: SqliteBus, flags: SpoolFlags, clock: Callable[[], datetime], pace: DrainSettings
    ) -> None:
        self._remote, self._local, self._flags, self._clock, self._pace = remote, local, flags, clock, pace
        self._paused_since: float | None = None
        self._tidied = time.monotonic()
        self._drained = True  # events committed before a kill may still lie there
        self._failing = False

    async def run(self) -> None:
        """For ever; after any fault the events in the spool are tried again."""
        while True:
            try:
                async with self._local.subscribe(TOPIC, GROUP, size=self._pace.size) as batches:
                    while True:
                        await self._step(batches)
                        self._failing = False
            except Exception as error:  # the disk, or a bug: doors go on spooling meanwhile
                if not self._failing:
                    _log.error("the spool cannot be drained now: %s", type(error).__name__)
                self._failing = True
            finally:
                self._resume()
            await asyncio.sleep(self._pace.look_every)
            await self._end_if_empty()

    async def _end_if_empty(self) -> None:
        """A disk too full to join the spool is no reason to go on spooling when nothing waits there."""
        with suppress(Retry):
            if self._flags.spooling:
                await self._end_spooling()

    async def _step(self, batches: AsyncIterator[Batch]) -> None:
        batch = await _within(self._pace.look_every, batches)
        if batch is not None:
            await self._forward(batch.events)
            try:
                await self._patiently(lambda: self._local.commit(batch))
            except PartitionLost:
                return
            self._drained = True
            await self._after_batch()
        elif self._flags.spooling:
            await self._end_spooling()
        if self._drained and time.monotonic() - self._tidied > self._pace.look_every and not self._flags.pausing:
            await self._tidy()

    async def _after_batch(self) -> None:
        """Is the spool empty now, or nearly?"""
        left = sum(lag.behind for lag in await self._local.lag())
        if left == 0:
            await self._end_spooling()
        elif left <= self._pace.size:
            self._pause()
        else:
            self._resume()

    async def _end_spooling(self) -> None:
        """If nothing is left; the flag is cleared inside a transaction, so that no append comes between."""
        if await self._local.when_done(TOPIC, GROUP, self._clear):
            self._paused_since = None
            _log.info("the spool is empty")
            if self._drained:
                await self._tidy()

    def _clear(self) -> None:
        self._flags.spooling = False
        self._resume()

    def _pause(self) -> None:
        now = time.monotonic()
        if self._paused_since is None or now - self._paused_since > self._pace.pause_rest:
            self._paused_since = now
        self._flags.pausing = now - self._paused_since < self._pace.pause

    def _resume(self) -> None:
        self._flags.pausing = False

    async def _tidy(self) -> None:
        self._tidied = time.monotonic()
        try:
            await self._local.tidy()
            self._drained = False
        except Retry as fault:
            _log.warning("the spool cannot be tidied: %s", fault.reason)

    async def _forward(self, stored: Sequence[StoredEvent]) -> None:
        try:
            events = await self._patiently(lambda: _events(stored))
            await self._patiently(lambda: self._remote.publish(events))
        except Reject as fault:
            if len(stored) > 1:
                for one in stored:
                    await self._forward([one])
            else:  # a record that the broker rejects must not block those behind it
                await self._patiently(partial(self._publish_dead, stored[0], fault))

    async def _publish_dead(self, stored: StoredEvent, fault: Reject) -> None:
        known = {"code": fault.code, "detail": fault.detail, "attempts": 1, "at": self._clock()}
        await self._remote.publish([dead_letter(stored, stage="spool", **known)])

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        wait = self._pace.first_wait
        while True:
            try:
                async with asyncio.timeout(self._pace.timeout):
                    return await call()
            except (Retry, TimeoutError):
                self._resume()
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._pace.longest_wait)


async def _events(stored: Sequence[StoredEvent]) -> list[Event]:
    return [one.event() for one in stored]


async def _within(seconds: float, batches: AsyncIterator[Batch]) -> Batch | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(batches)
    except TimeoutError:
        return None
