"""The bus in memory: for tests, trials and the simulation. It keeps every event until it is closed, and nothing after.

It has the rights that the port leaves an adapter: what was not committed is delivered again to the next owner of the
partition, and a commit under an ownership that has passed on raises `PartitionLost`. `rebalance` takes partitions away
as a broker does from a member whose session has timed out. No thread and no clock but the given one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Self

from bus._groups import GroupInUse
from bus._partitions import Slot, group_by_partition, utc_now
from bus._port import Batch, Bus, PartitionLag, PartitionLost, StoredEvent
from bus._subscription import CommitToken, PartitionOwner, Subscription
from bus._values import BodyStore, any_large, encode_events, replace_large_values
from schemas import Event


class MemoryBus(Bus):
    """`async with MemoryBus() as bus:`"""

    def __init__(
        self, partitions: int = 4, *, bodies: BodyStore | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.partitions = partitions
        self._bodies = bodies
        self._clock = clock
        self._events: dict[Slot, list[StoredEvent]] = defaultdict(list)
        self._owners: dict[tuple[str, str], dict[int, PartitionOwner]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._names = count()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._events.clear()
        self._owners.clear()

    async def publish(self, events: Sequence[Event]) -> None:
        values, at = encode_events(events), self._clock()
        if any_large(values):
            values = replace_large_values(events, values, self._bodies)
        packed = group_by_partition(events, values, self.partitions)
        for (topic, partition), rows in packed.items():
            log = self._events[topic, partition]
            log += [
                StoredEvent(topic, partition, offset, key, value, at, self._bodies)
                for offset, (key, value) in enumerate(rows, len(log) + 1)
            ]
        self._wake({topic for topic, _ in packed})

    @asynccontextmanager
    async def subscribe(self, topic: str, group: str, *, size: int = 500) -> AsyncIterator[AsyncIterator[Batch]]:
        member = str(next(self._names))
        subscription = Subscription(self, topic, group, size, member)
        self._subscriptions[member] = subscription
        self._wake({topic}, stale=True)
        try:
            yield subscription
        finally:
            del self._subscriptions[member]
            self._wake({topic}, stale=True)

    async def commit(self, batch: Batch) -> None:
        token: CommitToken = batch.token
        owners = self._owners.get((batch.topic, batch.group), {})
        lost = [p for p, (epoch, _) in token.offsets.items() if p not in owners or owners[p].epoch != epoch]
        for p, (_, offset) in token.offsets.items():
            if p not in lost:
                owners[p] = owners[p]._replace(offset=max(offset, owners[p].offset))
        token.subscription.settle(token, lost)
        await asyncio.sleep(0)  # nothing here waits for anything: a pump would keep the loop to itself
        if lost:
            raise PartitionLost(f"{batch.group} on {batch.topic}")

    async def lag(self) -> Sequence[PartitionLag]:
        return [
            self._behind(topic, group, partition, owner.offset)
            for (topic, group), owners in self._owners.items()
            for partition, owner in owners.items()
        ]

    def _behind(self, topic: str, group: str, partition: int, offset: int) -> PartitionLag:
        log = self._events[topic, partition]
        oldest = log[offset].at if offset < len(log) else None
        return PartitionLag(topic, group, partition, offset, len(log) - offset, oldest)

    async def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        for partition in range(self.partitions):
            for event in tuple(self._events[topic, partition]):
                if event.at >= since:
                    yield event

    async def forget_group(self, group: str) -> int:
        """See `bus.forget_group`."""
        if any(subscription.group == group for subscription in self._subscriptions.values()):
            raise GroupInUse(group)
        mine = [key for key in self._owners if key[1] == group]
        return sum(len(self._owners.pop(key)) for key in mine)

    async def rewind_group(self, group: str, at: datetime) -> dict[str, int]:
        """See `bus.rewind_group`."""
        if any(subscription.group == group for subscription in self._subscriptions.values()):
            raise GroupInUse(group)
        mine = {topic: owners for (topic, name), owners in self._owners.items() if name == group}
        for topic, owners in mine.items():
            for p, owner in owners.items():
                before = sum(event.at < at for event in self._events[topic, p])
                owners[p] = PartitionOwner(None, owner.epoch + 1, min(owner.offset, before))
        return {topic: sum(self.head(topic, p) - o.offset for p, o in owners.items()) for topic, owners in mine.items()}

    def rebalance(self, topic: str, group: str) -> None:
        """Take every partition from its owner: a batch in hand is lost, and delivered again."""
        owners = self._owners.get((topic, group), {})
        for p, owner in owners.items():
            owners[p] = PartitionOwner(None, owner.epoch + 1, owner.offset)
        self._wake({topic}, stale=True)

    def head(self, topic: str, partition: int) -> int:
        return len(self._events[topic, partition])

    def page(self, topic: str, partition: int, after: int, limit: int) -> list[StoredEvent]:
        return self._events[topic, partition][after : after + limit]

    def members(self, topic: str, group: str) -> Sequence[str]:
        return [s.member for s in self._subscriptions.values() if (s.topic, s.group) == (topic, group)]

    def owners(self, topic: str, group: str) -> dict[int, PartitionOwner]:
        return dict(self._owners.get((topic, group), {}))

    async def join(self, topic: str, group: str) -> None:
        self._owners[topic, group] = {p: PartitionOwner(None, 0, 0) for p in range(self.partitions)}

    async def assign(self, topic: str, group: str, member: str | None, epochs: Mapping[int, int]) -> None:
        owners = self._owners[topic, group]
        for p, epoch in epochs.items():
            if owners[p].epoch == epoch:
                owners[p] = PartitionOwner(member, epoch + 1, owners[p].offset)
        if member is None:
            self._wake({topic}, stale=True)

    def _wake(self, topics: Collection[str], *, stale: bool = False) -> None:
        for subscription in self._subscriptions.values():
            if subscription.topic in topics:
                subscription.wake(stale=stale)
