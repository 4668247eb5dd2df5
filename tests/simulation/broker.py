"""A process's view of the bus: the memory bus, with what Kafka has the right to do.

A publish may be stored in part (each key's events as a prefix of the call's), or whole without an answer. A commit may
be done without an answer. A member that is silent for longer than `SESSION_TIMEOUT`, or that the broker expels for no
reason, loses its partitions; it learns of it from its next commit or batch, and joins anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from random import Random
from typing import Any

from bus import Batch, Bus, MemoryBus, PartitionLag, StoredEvent
from schemas import Event, Retry
from tests.simulation.faults import Faults
from tests.simulation.process import OWNER, Process
from tests.simulation.watch import Watch

SESSION_TIMEOUT = 6.0
"""Seconds."""


class SeenBus(Bus):
    """The bus as one process sees it."""

    def __init__(self, inner: MemoryBus, process: Process, faults: Faults, random: Random, watch: Watch) -> None:
        self._inner, self._faults, self._random, self._watch = inner, faults, random, watch
        self._members: list[_Member] = []
        self._in_broker: set[asyncio.Task[Any]] = set()
        process.on_death.append(lambda: self.expel(SESSION_TIMEOUT))

    async def publish(self, events: Sequence[Event]) -> None:
        await self._travel()
        if self._faults("publish refused"):
            raise Retry("the broker is away")
        if self._faults("publish in part, then refused"):
            if some := self._some(events):
                await self._store(some)
            raise Retry("the broker went away")
        await self._store(events)
        await self._travel()
        if self._faults("publish stored, answer lost"):
            raise Retry("the broker did not answer")

    async def _store(self, events: Sequence[Event]) -> None:
        await self._inner.publish(events)
        self._watch.stored(events)

    def subscribe(
        self, topic: str, group: str, *, size: int = 500
    ) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        return self._subscribe(topic, group, size)

    @asynccontextmanager
    async def _subscribe(self, topic: str, group: str, size: int) -> AsyncIterator[AsyncIterator[Batch]]:
        member = _Member(self._inner, topic, group, size)
        self._members.append(member)
        try:
            yield self._batches(member)
        finally:
            self._members.remove(member)
            await member.leave()

    async def _batches(self, member: _Member) -> AsyncIterator[Batch]:
        while True:
            if self._faults("member expelled"):
                await member.leave()
            yield await member.next()
            await self._travel()

    async def commit(self, batch: Batch) -> None:
        await self._travel()
        if self._faults("commit refused"):
            raise Retry("the broker is away")
        await self._inner.commit(batch)
        await self._travel()
        if self._faults("commit done, answer lost"):
            raise Retry("the broker did not answer")

    async def lag(self) -> Sequence[PartitionLag]:
        await self._travel()
        return await self._inner.lag()

    async def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        await self._travel()
        async for stored in self._inner.read(topic, since):
            yield stored

    def expel(self, after: float) -> None:
        """The broker hears nothing of the process for so long: its partitions pass to the others."""
        for member in self._members:
            self._outside(member.leave(), after)

    def _outside(self, work: Any, after: float) -> None:
        async def later() -> None:
            await asyncio.sleep(after)
            await work

        token = OWNER.set(None)
        task = asyncio.get_running_loop().create_task(later())
        OWNER.reset(token)
        self._in_broker.add(task)

    async def _travel(self) -> None:
        if self._faults("bus slow"):
            await asyncio.sleep(self._faults.between(0.01, 3.0))
        else:
            await asyncio.sleep(0)

    def _some(self, events: Sequence[Event]) -> list[Event]:
        """Of each key's events the first few."""
        by_key: dict[tuple[str, str], int] = {}
        for event in events:
            by_key[event.topic, event.key] = by_key.get((event.topic, event.key), 0) + 1
        left = {key: int(self._random.random() * (number + 1)) for key, number in by_key.items()}
        some = []
        for event in events:
            if left[event.topic, event.key] > 0:
                left[event.topic, event.key] -= 1
                some.append(event)
        return some


class _Member:
    """A member of a group, which may be expelled and joins again."""

    def __init__(self, bus: MemoryBus, topic: str, group: str, size: int) -> None:
        self._bus, self._topic, self._group, self._size = bus, topic, group, size
        self._context: AbstractAsyncContextManager[AsyncIterator[Batch]] | None = None
        self._batches: AsyncIterator[Batch] | None = None
        self._left = asyncio.Event()

    async def next(self) -> Batch:
        """The next batch of this membership, or of a new one."""
        while True:
            batches = self._batches or await self._join()
            waiting = asyncio.get_running_loop().create_task(anext(batches))  # type: ignore[arg-type]
            leaving = asyncio.get_running_loop().create_task(self._left.wait())
            try:
                await asyncio.wait([waiting, leaving], return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                if not waiting.done():
                    waiting.cancel()
            if waiting.done() and not waiting.cancelled():
                return waiting.result()

    async def _join(self) -> AsyncIterator[Batch]:
        self._left = asyncio.Event()
        self._context = self._bus.subscribe(self._topic, self._group, size=self._size)
        self._batches = await self._context.__aenter__()
        return self._batches

    async def leave(self) -> None:
        """End this membership."""
        context, self._context, self._batches = self._context, None, None
        if context is not None:
            self._left.set()
            await context.__aexit__(None, None, None)
