"""The workers on the lanes of one stage: they wait while their account is held, and work once it is released.

`CLOSE_AFTER` a release, when the lane is empty, its row is deleted and its group forgotten. No process diverts into a
lane for so long without a look at the store: it looks before each batch, and a batch that takes longer is a zombie's,
whose events its successor has handled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial

from bus._aside import StageAsides
from bus._aside_store import AsideAccount
from bus._groups import GroupInUse, forget_group
from bus._port import Batch, Bus, PartitionLost, StoredEvent
from bus._stage import Stage
from bus._values import decode_event, stored_key
from bus._work import StageWork, TimeSource, finish_on_cancel
from schemas import Aside

CLOSE_AFTER = timedelta(hours=1)
LOOK_EVERY, LOOK_EMPTY_EVERY = 1.0, 15.0
"""Seconds between two looks at the store, while accounts are known there and while none is."""
AT_ONCE = 50
"""Events of a lane between two looks whether the account is still released."""


class AsideWorkers:
    """One worker for each lane. Runs beside the consumer of the stage's own topic."""

    def __init__(self, bus: Bus, stage: Stage, work: StageWork, asides: StageAsides, timing: TimeSource) -> None:
        self._bus, self._stage, self._asides, self._timing = bus, stage, asides, timing
        self._work = work.undiverted()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever. Raises StageStopped, in a group."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._work.patiently(self._asides.refresh)
                for account, row in self._asides.known.items():
                    await self._tend(tasks, account, row)
                await self._end_closed()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY if self._asides.known else LOOK_EMPTY_EVERY):
                        await self._asides.condemned.wait()
                self._asides.condemned.clear()

    async def _tend(self, tasks: asyncio.TaskGroup, account: str, row: AsideAccount) -> None:
        name = self._asides.name(account, row)
        if name not in self._running:
            self._running[name] = tasks.create_task(self._worker(account, name))
        elif row.released_at and row.released_at < self._timing.clock() - CLOSE_AFTER:
            await self._work.patiently(partial(self._close, account, name))

    async def _close(self, account: str, name: str) -> None:
        if not await self._asides.waits(name):
            await self._asides.store.delete_released(self._stage.name, account, self._timing.clock() - CLOSE_AFTER)

    async def _end_closed(self) -> None:
        """End the workers whose row is gone; the last of them forgets the group."""
        names = {self._asides.name(account, row) for account, row in self._asides.known.items()}
        for name in set(self._running) - names:
            worker = self._running.pop(name)
            worker.cancel()
            await asyncio.wait([worker])
            with suppress(GroupInUse):
                await self._work.patiently(partial(forget_group, self._bus, name))

    async def _worker(self, account: str, name: str) -> None:
        async with AsyncExitStack() as stack:
            subscribe = partial(self._bus.subscribe, Aside.topic, name, size=self._stage.batch_size)
            batches = await self._work.patiently(lambda: stack.enter_async_context(subscribe()))
            while True:
                await self._batch(account, stored_key(name), batches)

    async def _batch(self, account: str, key: str, batches: AsyncIterator[Batch]) -> None:
        batch = await self._work.patiently(lambda: anext(batches))
        mine = [stored for stored in batch.events if stored.key == key]
        for start in range(0, len(mine), AT_ONCE):
            while self._asides.held(account):
                await self._asides.refreshed.wait()
            if start == 0:
                await self._work.look_again()
            await finish_on_cancel(self._run(mine[start : start + AT_ONCE]))
        with suppress(PartitionLost):
            await self._work.patiently(lambda: self._bus.commit(batch))

    async def _run(self, part: Sequence[StoredEvent]) -> None:
        await self._work.batch([await self._unwrapped(stored) for stored in part])

    async def _unwrapped(self, stored: StoredEvent) -> StoredEvent:
        """The event inside, as it stood on its own topic."""

        async def event() -> Aside:
            found = decode_event(stored.topic, stored.value, stored.bodies)
            assert isinstance(found, Aside)
            return found

        aside = await self._work.patiently(event)
        where = aside.of_topic, aside.of_partition, aside.of_offset
        return StoredEvent(*where, aside.event_key, bytes(aside.event), aside.of_at, stored.bodies)
