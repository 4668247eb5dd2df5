"""The only loop that consumes a topic: take a batch, decode, run the stage, publish everything, commit once.

What a stage may raise, and what comes of it:

    nothing      what it returned is published, then the batch is committed
    Retry        waits (`after`, else 0.1 s doubling up to 30 s) and runs again: for ever, or where `limit` is set that
                 many times, and is then buried
    Reject       buried with its reason
    any other    a bug: buried with the exception's class and place; ten in a row stop the stage with `Stopped`

So do too many dead of whatever cause (`_guard.py`). The batch in hand is then not committed: it is run again after the
next start, and what it buried is buried under the same ids.

A batch that fails is run again one event at a time, in order, so that one bad event is buried and the rest go on; only
where the fault lies with our own database or broker (Retry without limit) the whole batch is tried again first.
Nothing is logged but ids, stage, attempt and reason; an exception's own words may be a citizen's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TypeVar

from bus._dead_letter import bury, place_of
from bus._guard import Guard, Stopped, Watch
from bus._partitions import now
from bus._port import Batch, Bus, Lost, Stored
from schemas import Event, Reject, Retry, decode

WHOLE_TRIES = 3
"""How often a batch is tried whole before its events are run one at a time."""
LAST_BATCH = 8.0
"""Seconds."""
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 30.0
"""Seconds."""

DEAD = "dead"
T = TypeVar("T")

_logger = logging.getLogger(__name__)

Run = Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]
Sleep = Callable[[float], Awaitable[object]]


@dataclass(slots=True)
class Counts:
    """What a stage has done since the process began."""

    taken: int = 0
    """Events whose batch is committed."""
    published: int = 0
    buried: int = 0
    retries: int = 0
    """Waits, for whatever reason."""
    lost: int = 0
    """Batches whose partition had passed to another."""


@dataclass(slots=True)
class Stage:
    """A function on a topic: events in, events out. It bears an event twice."""

    name: str
    topic: str
    run: Run
    size: int = 500
    """Events in a batch at most."""
    group: str = ""
    """Defaults to the name."""
    gained: Callable[[], Awaitable[None]] | None = None
    """Called before a batch that comes after a partition was gained. May raise Retry: it is called again."""
    pace: float = 0.0
    """Seconds at least from the start of a batch to the next, unless it was full: a batch costs beside its events, and
    the next events find company."""
    guard: Guard = field(default_factory=Guard)
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.group = self.group or self.name


async def pump(bus: Bus, stage: Stage, *, sleep: Sleep = asyncio.sleep, clock: Callable[[], datetime] = now) -> None:
    """Run the stage for ever. Raises Stopped."""
    work = _Pump(bus, stage, sleep, clock)
    async with AsyncExitStack() as stack:
        batches = await work.patiently(
            lambda: stack.enter_async_context(bus.subscribe(stage.topic, stage.group, size=stage.size))
        )
        while True:
            batch = await work.patiently(lambda: anext(batches))
            next_ = time.monotonic() + (stage.pace if len(batch.events) < stage.size else 0.0)
            await _through(work.batch(batch))
            if (early := next_ - time.monotonic()) > 0:
                await sleep(early)


async def _through(batch: Coroutine[None, None, None]) -> None:
    """Who is told to stop finishes the batch in hand first, if that takes no longer than `LAST_BATCH`."""
    task = asyncio.create_task(batch)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LAST_BATCH)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


class _Pump:
    def __init__(self, bus: Bus, stage: Stage, sleep: Sleep, clock: Callable[[], datetime]) -> None:
        self._bus, self._stage, self._counts = bus, stage, stage.counts
        self._sleep, self._clock = sleep, clock
        self._watch = Watch(stage.name, stage.guard)

    async def batch(self, batch: Batch) -> None:
        """One batch, until it is committed or lost."""
        if batch.gained and self._stage.gained:
            await self.patiently(self._stage.gained)
        if not await self._whole(batch.events):
            for stored in batch.events:
                await self._single(stored)
        try:
            await self.patiently(lambda: self._bus.commit(batch))
        except Lost:
            self._counts.lost += 1
        else:
            self._counts.taken += len(batch.events)

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask the bus until it answers."""
        for attempt in count(1):
            try:
                return await call()
            except Retry as fault:
                await self._wait(fault, attempt)
        raise AssertionError("count() has no end")

    async def _whole(self, batch: Sequence[Stored]) -> bool:
        """Run the events together; False: they are to be run one at a time."""
        for attempt in range(1, WHOLE_TRIES + 1 if len(batch) > 1 else 1):
            try:
                await self._run(batch)
                return True
            except Retry as fault:
                if fault.limit is not None:
                    return False
                await self._wait(fault, attempt)
            except Stopped:
                raise
            except Exception:  # run singly, the one at fault will raise it again
                return False
        return False

    async def _single(self, stored: Stored) -> None:
        for attempt in count(1):
            try:
                await self._run([stored])
                return
            except Retry as fault:
                if not self._exhausted(fault, attempt):
                    await self._wait(fault, attempt)
                    continue
                reason = fault.reason
            except Reject as fault:
                self._watch.refused()
                reason = fault.reason
            except Stopped:
                raise
            except Exception as error:
                self._watch.bug(reason := place_of(error))
            await self._bury(stored, reason, attempt)
            return

    async def _run(self, batch: Sequence[Stored]) -> None:
        topic = self._stage.topic
        events = [decode(topic, stored.value) for stored in batch]
        made = await self._stage.run(events)
        if made:
            await self.patiently(lambda: self._bus.publish(made))
        self._counts.published += len(made)
        self._watch.done(events, made)

    def _exhausted(self, fault: Retry, attempt: int) -> bool:
        return fault.limit is not None and attempt > fault.limit and self._stage.topic != DEAD

    async def _bury(self, stored: Stored, reason: str, attempts: int) -> None:
        stage = self._stage
        if stage.topic == DEAD:  # it would come straight back
            raise Stopped(f"{stage.name}: a dead letter cannot be kept: {reason}") from None
        dead = bury(stage.topic, stored, stage=stage.name, reason=reason, attempts=attempts, at=self._clock())
        _logger.warning("%s: buried %s after %d attempts", stage.name, dead.id, attempts)
        await self.patiently(lambda: self._bus.publish([dead]))
        self._counts.buried += 1
        self._watch.buried(dead)

    async def _wait(self, fault: Retry, attempt: int) -> None:
        self._counts.retries += 1
        _logger.warning("%s: attempt %d failed, trying again", self._stage.name, attempt)
        backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempt - 1, 10))
        await self._sleep(backoff if fault.after is None else fault.after)
