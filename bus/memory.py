"""The bus in memory: for tests and trials. It keeps every event until it is closed, and nothing after."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Self

from bus._partitions import Slot, now, pack
from bus._port import Batch, Bus, Lag, Lost, Stored
from bus._subscription import Lease, Subscription, Ticket
from schemas import Event


class MemoryBus(Bus):
    """`async with MemoryBus() as bus:`"""

    def __init__(self, partitions: int = 4, *, clock: Callable[[], datetime] = now) -> None:
        self.partitions = partitions
        self._clock = clock
        self._events: dict[Slot, list[Stored]] = defaultdict(list)
        self._leases: dict[tuple[str, str], dict[int, Lease]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._names = count()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._events.clear()
        self._leases.clear()

    async def publish(self, events: Sequence[Event]) -> None:
        at = self._clock()
        for slot, rows in pack(events, self.partitions).items():
            log = self._events[slot]
            log += [Stored(slot[1], place, key, value, at) for place, (key, value) in enumerate(rows, len(log) + 1)]
        self._wake()

    @asynccontextmanager
    async def subscribe(self, topic: str, group: str, *, size: int = 500) -> AsyncIterator[AsyncIterator[Batch]]:
        member = str(next(self._names))
        subscription = Subscription(self, topic, group, size, member)
        self._subscriptions[member] = subscription
        self._wake(stale=True)
        try:
            yield subscription
        finally:
            del self._subscriptions[member]
            self._wake(stale=True)

    async def commit(self, batch: Batch) -> None:
        ticket: Ticket = batch.ticket
        leases = self._leases[batch.topic, batch.group]
        lost = [p for p, (epoch, _) in ticket.places.items() if leases[p].epoch != epoch]
        for p, (_, place) in ticket.places.items():
            if p not in lost:
                leases[p] = leases[p]._replace(place=max(place, leases[p].place))
        ticket.subscription.settle(ticket, lost)
        await asyncio.sleep(0)  # nothing here waits for anything: a pump would keep the loop to itself
        if lost:
            raise Lost(f"{batch.group} on {batch.topic}")

    async def lag(self) -> Sequence[Lag]:
        return [
            self._behind(topic, group, partition, lease.place)
            for (topic, group), leases in self._leases.items()
            for partition, lease in leases.items()
        ]

    def _behind(self, topic: str, group: str, partition: int, place: int) -> Lag:
        log = self._events[topic, partition]
        oldest = log[place].at if place < len(log) else None
        return Lag(topic, group, partition, place, len(log) - place, oldest)

    async def read(self, topic: str, since: datetime) -> AsyncIterator[Stored]:
        for partition in range(self.partitions):
            for event in tuple(self._events[topic, partition]):
                if event.at >= since:
                    yield event

    def head(self, topic: str, partition: int) -> int:
        return len(self._events[topic, partition])

    def page(self, topic: str, partition: int, after: int, limit: int) -> list[Stored]:
        return self._events[topic, partition][after : after + limit]

    def members(self, topic: str, group: str) -> Sequence[str]:
        return [s.member for s in self._subscriptions.values() if (s.topic, s.group) == (topic, group)]

    def leases(self, topic: str, group: str) -> dict[int, Lease]:
        return dict(self._leases.get((topic, group), {}))

    async def join(self, topic: str, group: str) -> None:
        self._leases[topic, group] = {p: Lease(None, 0, 0) for p in range(self.partitions)}

    async def pass_on(self, topic: str, group: str, member: str | None, epochs: Mapping[int, int]) -> None:
        leases = self._leases[topic, group]
        for p, epoch in epochs.items():
            if leases[p].epoch == epoch:
                leases[p] = Lease(member, epoch + 1, leases[p].place)
        if member is None:
            self._wake(stale=True)

    def _wake(self, *, stale: bool = False) -> None:
        for subscription in self._subscriptions.values():
            subscription.wake(stale=stale)
