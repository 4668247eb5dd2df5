"""The work on a batch: run the stage on it, publish what comes of it, retry, make dead letters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import NamedTuple, TypeVar

from bus._dead_letter import dead_letter, fault_location
from bus._guard import StageGuard, StageStopped
from bus._port import Batch, Bus, PartitionLost, StoredEvent
from bus._stage import Stage
from bus._values import account_of, size_of
from schemas import Dead, Event, Reject, Retry

WHOLE_TRIES = 3
"""How often a batch is tried whole before its events are run one at a time."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 30.0
"""Seconds of the backoff."""
LOG_AGAIN = 60.0
"""Seconds in which a cause of waiting is logged once."""
LAST_BATCH = 8.0
"""Seconds."""
CALL_BYTES = 4 * 1024 * 1024
"""A call of the stage holds no more, but for a single larger event."""

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]
Divert = Callable[[Sequence[StoredEvent]], tuple[Sequence[StoredEvent], Sequence[Event]]]

_logger = logging.getLogger(__name__)


class TimeSource(NamedTuple):
    """The clocks and the sleep of the pump; tests pass virtual ones."""

    sleep: Sleep
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    """Seconds."""


@dataclass(slots=True)
class Closing:
    """What became of a batch that was to be committed with the last events published of it."""

    batch: Batch
    committed: bool = False
    lost: bool = False
    """Its partition is assigned to another."""


class _Dies(NamedTuple):
    code: str
    detail: str
    attempts: int


class StageWork:
    """A stage's work on the events of any subscription. `divert` divides those to run from those to publish as they
    are, and `settle` is called where the guard has condemned accounts."""

    def __init__(self, bus: Bus, stage: Stage, timing: TimeSource) -> None:
        self.guard = StageGuard(stage.name, stage.guard)
        self.divert: Divert = _divert_nothing
        self.settle: Callable[[], Awaitable[None]] | None = None
        self._bus, self._stage, self._timing = bus, stage, timing
        self._one_call = asyncio.Lock()  # a stage may rely on it that its last call's results are published
        self._logged: dict[str, float] = {}

    def undiverted(self) -> StageWork:
        """The same work, for events that were diverted before."""
        twin = copy(self)
        twin.divert = _divert_nothing
        return twin

    async def batch(self, batch: Sequence[StoredEvent], closing: Closing | None = None) -> None:
        """Run all of them: every one is then published or dead. `closing`: their batch, which is committed with the
        last that is published where the bus can do both at once. Raises StageStopped."""
        parts = list(_parts(batch))
        for n, part in enumerate(parts, 1):
            left, last, singly = part, closing if n == len(parts) else None, 1
            while left and not await self._whole(left, last):
                left = await self._singly(left, last, singly)
                singly *= 2  # soon whole again after an outage, and seldom in vain

    async def _singly(self, batch: Sequence[StoredEvent], closing: Closing | None, most: int) -> Sequence[StoredEvent]:
        """Run so many events one at a time, or until an account is put aside; the others: they need not go singly."""
        for done, stored in enumerate(batch[:most], 1):
            if dies := await self._outcome(stored, closing if done == len(batch) else None):
                await self.dead_letter(stored, *dies)
            if await self._settled():
                return batch[done:]
        return batch[most:]

    async def look_again(self) -> None:
        """Let the stage look up what it remembers of keys."""
        if self._stage.on_partitions_assigned:
            async with self._one_call:
                await self.patiently(self._stage.on_partitions_assigned)

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until it does not raise Retry."""
        for attempt in count(1):
            try:
                return await call()
            except Retry as fault:
                await self._wait(fault, attempt)
        raise AssertionError("count() has no end")

    async def dead_letter(self, stored: StoredEvent, code: str, detail: str, attempts: int = 1) -> None:
        """Publish a dead letter for the event. Raises StageStopped where it is one itself."""
        stage = self._stage
        if stage.topic == Dead.topic:  # it would come straight back
            raise StageStopped(f"{stage.name}: a dead letter cannot be stored: {code}: {detail}") from None

        async def publish() -> Dead:
            known = {"code": code, "detail": detail, "attempts": attempts, "at": self._timing.clock()}
            letter = dead_letter(stored, stage=stage.name, **known)
            await self._bus.publish([letter])
            return letter

        letter = await self.patiently(publish)
        _logger.warning("%s: dead letter %s (%s) after %d attempts", stage.name, letter.id, code, attempts)
        stage.counts.dead += 1
        self.guard.dead_lettered(letter)

    async def _whole(self, batch: Sequence[StoredEvent], closing: Closing | None) -> bool:
        """Run the events together; False: they are to be run one at a time."""
        if len(batch) == 1:
            return False
        for attempt in range(1, WHOLE_TRIES + 1):
            try:
                await self._run(batch, closing)
                await self._settled()
                return True
            except Retry as fault:
                if fault.limit is not None:
                    return False
                await self._wait(fault, attempt)
            except StageStopped:
                raise
            except Exception:  # run one at a time, the event at fault will raise it again
                return False
        return False

    async def _outcome(self, stored: StoredEvent, closing: Closing | None) -> _Dies | None:
        """Run the event, as often as it may be; None: it was handed on."""
        for attempt in count(1):
            try:
                await self._run([stored], closing)
                return None
            except Retry as fault:
                if self._exhausted(fault, attempt):
                    return _Dies("gave_up", fault.reason, attempt)
                await self._wait(fault, attempt)
            except Reject as fault:
                self.guard.refused()
                return _Dies(fault.code, fault.detail, attempt)
            except StageStopped:
                raise
            except Exception as error:
                location = fault_location(error)
                self.guard.bug(account_of(stored.value), location)
                return _Dies("bug", location, attempt)
        raise AssertionError("count() has no end")

    async def _run(self, batch: Sequence[StoredEvent], closing: Closing | None) -> None:
        here, diverted = self.divert(batch)
        events = [stored.event() for stored in here]
        async with self._one_call:
            made = await self._stage.run(events) if events else ()
            if made or diverted:
                await self._publish([*diverted, *made], closing)
        self._stage.counts.published += len(made)
        if events:
            self.guard.done(events, made)

    async def _publish(self, events: Sequence[Event], closing: Closing | None) -> None:
        if closing is None:
            return await self.patiently(lambda: self._bus.publish(events))
        try:
            closing.committed = await self.patiently(lambda: self._bus.publish_with_commit(events, closing.batch))
        except PartitionLost:
            closing.lost = True

    async def _settled(self) -> bool:
        """Whether the guard has condemned an account; it is put aside then."""
        if not (self.settle and self.guard.verdicts):
            return False
        await self.patiently(self.settle)
        return True

    def _exhausted(self, fault: Retry, attempt: int) -> bool:
        return fault.limit is not None and attempt > fault.limit and self._stage.topic != Dead.topic

    async def _wait(self, fault: Retry, attempt: int) -> None:
        self._stage.counts.retries += 1
        self._log(fault.reason, attempt)
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 10))
        await self._timing.sleep(backoff if fault.after is None else fault.after)

    def _log(self, cause: str, attempt: int) -> None:
        now = self._timing.monotonic()
        if now - self._logged.get(cause, float("-inf")) < LOG_AGAIN:
            return
        self._logged = {other: at for other, at in self._logged.items() if now - at < LOG_AGAIN} | {cause: now}
        _logger.warning("%s: waiting to try again (attempt %d): %s", self._stage.name, attempt, cause)


async def finish_on_cancel(work: Coroutine[None, None, None]) -> None:
    """On cancellation, finish the current work, for at most `LAST_BATCH` seconds."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LAST_BATCH)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


def _divert_nothing(batch: Sequence[StoredEvent]) -> tuple[Sequence[StoredEvent], Sequence[Event]]:
    return batch, ()


def _parts(batch: Sequence[StoredEvent]) -> Iterator[Sequence[StoredEvent]]:
    """The events in order, in parts of about `CALL_BYTES`; a reference counts as what it stands for."""
    part: list[StoredEvent] = []
    size = 0
    for stored in batch:
        larger = size + size_of(stored.value)
        if part and larger > CALL_BYTES:
            yield part
            part, larger = [], size_of(stored.value)
        part.append(stored)
        size = larger
    if part:
        yield part
