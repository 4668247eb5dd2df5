"""The only loop that consumes a topic: take a batch, decode, run the stage, publish everything, commit once: with the
last that is published, where the bus can do both at once.

What a stage may raise, and what comes of it:

    nothing      what it returned is published, then the batch is committed
    Retry        waits (`after`, else 0.1 s doubling up to 30 s) and runs again: for ever, or where `limit` is set that
                 many times, and then the event is dead (code `gave_up`)
    Reject       the event is dead, with its code and detail
    any other    a bug: the event is dead (code `bug`), with the exception's class and line

An account of which nearly everything dies is put aside, its events wait, the others go on (`_guard.py`, `_aside.py`).
Ten bugs in a row over several accounts stop the stage with `StageStopped`. The batch in hand is then not committed: it
is run again after the next start, and its dead letters have the same ids.

A batch that fails is run again one event at a time, in order, so that one bad event dies and the rest go on; only where
the fault lies with our own database or broker (Retry without limit) the whole batch is tried again first. Nothing is
logged but ids, stage, attempt, code and a Retry's reason; an exception's own words may be a citizen's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

from bus._aside import StageAsides
from bus._aside_store import AsideStore, MemoryAsides
from bus._aside_workers import AsideWorkers
from bus._lane import SideLane
from bus._partitions import utc_now
from bus._port import Batch, Bus, PartitionLost
from bus._stage import Stage
from bus._work import Closing, Sleep, StageWork, TimeSource, finish_on_cancel
from schemas import Dead


async def pump(
    bus: Bus,
    stage: Stage,
    *,
    aside: AsideStore | None = None,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Run the stage for ever. Without `aside`, this process alone knows which accounts it put aside, until it ends.
    Raises StageStopped."""
    timing = TimeSource(sleep, clock, monotonic)
    work = StageWork(bus, stage, timing)
    if stage.topic == Dead.topic:  # a dead letter makes no dead letters: there is nothing to put aside
        return await _consume(bus, stage, work, None, timing)
    asides = StageAsides(bus, stage.name, aside or MemoryAsides(), work, timing)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(AsideWorkers(bus, stage, work, asides, timing).run())
            await _consume(bus, stage, work, asides, timing)
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _consume(bus: Bus, stage: Stage, work: StageWork, asides: StageAsides | None, timing: TimeSource) -> None:
    async with AsyncExitStack() as stack:
        batches = await work.patiently(
            lambda: stack.enter_async_context(bus.subscribe(stage.topic, stage.group, size=stage.batch_size))
        )
        while True:
            batch = await work.patiently(lambda: anext(batches))
            next_ = timing.monotonic() + (stage.min_interval if len(batch.events) < stage.batch_size else 0.0)
            await finish_on_cancel(_batch(bus, stage, work, asides, batch))
            if (early := next_ - timing.monotonic()) > 0:
                await timing.sleep(early)


async def _batch(bus: Bus, stage: Stage, work: StageWork, asides: StageAsides | None, batch: Batch) -> None:
    """One batch, until it is committed or lost."""
    came_back = await _scanned(work, asides.lane, batch) if asides else False
    if batch.partitions_assigned or came_back:  # the stage looks after that: a lane's events may have gone to its own
        await work.look_again()
    closing = Closing(batch)
    await work.batch(batch.events, closing)
    if not (closing.committed or closing.lost):
        try:
            await work.patiently(lambda: bus.commit(batch))
        except PartitionLost:
            closing.lost = True
    if closing.lost:
        stage.counts.lost += 1
    else:
        stage.counts.committed += len(batch.events)


async def _scanned(work: StageWork, lane: SideLane, batch: Batch) -> bool:
    """Look which accounts are diverted; whether one came back."""
    before = set(lane.keys)
    await work.patiently(lane.scan if batch.partitions_assigned else lane.scan_if_due)
    return bool(before - lane.keys)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What the group holds, out of all groups."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
