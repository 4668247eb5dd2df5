"""Empties the spool: hands on what waits there, in order, and opens the straight way when nothing is left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec

from bus._dead_letter import bury
from bus._spool_flags import Gate
from bus._port import Batch, Bus, Lost, Stored
from bus.sqlite import SqliteBus
from schemas import Event, Reject, Retry, decode

TOPIC, GROUP = "raw", "drain"
"""What doors publish, and who reads it from the spool."""
SIZE = 500
PATIENCE = 15.0
"""Seconds that a publish or a commit may take before it is tried again."""
HOLD, BREATHER = 0.5, 5.0
"""Seconds that publishers are held at most while the last batches go, and that they are left alone after that."""
LOOK = 1.0
"""Seconds between two looks whether the spool is empty, where no batch tells; and between two rounds of tidying."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 3.0

_log = logging.getLogger(__name__)


class Drain:
    """Runs in every door; of those on one folder, one at a time holds the spool's only partition."""

    def __init__(self, far: Bus, near: SqliteBus, gate: Gate, clock: Callable[[], datetime]) -> None:
        self._far, self._near, self._gate, self._clock = far, near, gate, clock
        self._held_since: float | None = None
        self._tidied = time.monotonic()
        self._drained = True  # what was committed before a kill may still lie there
        self._troubled = False

    async def run(self) -> None:
        """For ever. Whatever goes wrong, what waits in the spool is tried again."""
        while True:
            try:
                async with self._near.subscribe(TOPIC, GROUP, size=SIZE) as batches:
                    while True:
                        await self._step(batches)
                        self._troubled = False
            except Exception as error:  # the disk, or a bug: doors go on spooling meanwhile
                if not self._troubled:
                    _log.error("the spool cannot be drained now: %s", type(error).__name__)
                self._troubled = True
            finally:
                self._let_go()
            await asyncio.sleep(LOOK)
            await self._reopen()

    async def _reopen(self) -> None:
        """A disk too full to join the spool is no reason to spool when nothing waits there."""
        with suppress(Retry):
            if self._gate.spooling:
                await self._open()

    async def _step(self, batches: AsyncIterator[Batch]) -> None:
        batch = await _within(LOOK, batches)
        if batch is not None:
            await self._hand_on(batch.events)
            try:
                await self._patiently(lambda: self._near.commit(batch))
            except Lost:
                return
            self._drained = True
            await self._after()
        elif self._gate.spooling:
            await self._open()
        if self._drained and time.monotonic() - self._tidied > LOOK and not self._gate.holding:
            await self._tidy()

    async def _after(self) -> None:
        """A batch is gone: is the spool empty, or nearly?"""
        left = sum(lag.behind for lag in await self._near.lag())
        if left == 0:
            await self._open()
        elif left <= SIZE:
            self._hold()
        else:
            self._let_go()

    async def _open(self) -> None:
        """Open the straight way if nothing is left; said inside a transaction, so that no append comes between."""
        if await self._near.when_done(TOPIC, GROUP, self._opened):
            self._held_since = None
            _log.info("the spool is empty")
            if self._drained:
                await self._tidy()

    def _opened(self) -> None:
        self._gate.spooling = False
        self._let_go()

    def _hold(self) -> None:
        now = time.monotonic()
        if self._held_since is None or now - self._held_since > BREATHER:
            self._held_since = now
        self._gate.holding = now - self._held_since < HOLD

    def _let_go(self) -> None:
        self._gate.holding = False

    async def _tidy(self) -> None:
        self._tidied = time.monotonic()
        try:
            await self._near.tidy()
            self._drained = False
        except Retry as fault:
            _log.warning("the spool cannot be tidied: %s", fault.reason)

    async def _hand_on(self, stored: Sequence[Stored]) -> None:
        try:
            events = [decode(TOPIC, one.value) for one in stored]
            await self._patiently(lambda: self._far.publish(events))
        except (Reject, msgspec.MsgspecError, UnicodeDecodeError) as fault:
            if len(stored) > 1:
                for one in stored:
                    await self._hand_on([one])
            else:  # what nobody takes must not stand in front of the rest
                dead = self._dead(stored[0], fault)
                await self._patiently(lambda: self._far.publish([dead]))

    def _dead(self, stored: Stored, fault: Exception) -> Event:
        reason = fault.reason if isinstance(fault, Reject) else type(fault).__name__
        return bury(TOPIC, stored, stage="spool", reason=reason, attempts=1, at=self._clock())

    async def _patiently(self, call: Callable[[], Awaitable[None]]) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await call()
            except (Retry, TimeoutError):
                self._let_go()
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


async def _within(seconds: float, batches: AsyncIterator[Batch]) -> Batch | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(batches)
    except TimeoutError:
        return None
