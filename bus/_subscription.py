"""A group's reader of a topic: holds its share of the partitions, hands out batches, gives back what others are due.

Ownership is a row (group, topic, partition) with a member and an epoch that grows whenever the owner changes. A commit
names the epoch; under an old one it raises `PartitionLost`. So an outdated view of the living members does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bus._partitions import fair_share
from bus._port import Batch, StoredEvent


class PartitionOwner(NamedTuple):
    """Which member of a group owns a partition."""

    member: str | None
    epoch: int
    offset: int
    """Committed up to here."""


class CommitToken(NamedTuple):
    """What `commit` needs: per partition the epoch it was read under, and the last offset."""

    subscription: Subscription
    offsets: Mapping[int, tuple[int, int]]


class SubscriptionLog(Protocol):
    """What a subscription asks of its adapter. Reads are quick and happen on the loop; changes are awaited."""

    partitions: int

    def head(self, topic: str, partition: int) -> int:
        """The last offset, as far as known without asking."""
        ...

    def page(self, topic: str, partition: int, after: int, limit: int) -> list[StoredEvent]:
        """The events after that offset. Raises Retry."""
        ...

    def members(self, topic: str, group: str) -> Sequence[str]:
        """The living subscriptions of the group to the topic."""
        ...

    def owners(self, topic: str, group: str) -> dict[int, PartitionOwner]:
        """By partition. Raises Retry."""
        ...

    async def join(self, topic: str, group: str) -> None:
        """Make the group's missing rows for the topic, without an owner."""
        ...

    async def assign(self, topic: str, group: str, member: str | None, epochs: Mapping[int, int]) -> None:
        """Assign those partitions to the member (None: to nobody), as far as they still have these epochs."""
        ...


@dataclass(slots=True)
class _Held:
    epoch: int
    position: int


class Subscription(AsyncIterator[Batch]):
    """One member of a group. The adapter calls `wake` when there may be new events, or owners."""

    def __init__(self, log: SubscriptionLog, topic: str, group: str, size: int, member: str) -> None:
        self.topic, self.group, self.member = topic, group, member
        self._woken = asyncio.Event()
        self._stale = True
        self._log = log
        self._size = size
        self._held: dict[int, _Held] = {}
        self._turn = 0
        self._assigned = False
        self._token: CommitToken | None = None
        self._settled = asyncio.Event()
        self._settled.set()

    def wake(self, *, stale: bool = False) -> None:
        """Look for events again; with `stale` also at the owners."""
        self._stale = self._stale or stale
        self._woken.set()

    def settle(self, token: CommitToken, lost: Sequence[int]) -> None:
        """The batch of that token is committed, but for the lost partitions."""
        if token is not self._token:
            return
        for partition in lost:
            self._held.pop(partition, None)
        self._stale = self._stale or bool(lost)
        self._token = None
        self._settled.set()

    async def __anext__(self) -> Batch:
        await self._settled.wait()
        while True:
            self._woken.clear()
            if self._stale:
                await self._balance()
            if events := self._take():
                return self._hand_out(events)
            await self._woken.wait()

    def _take(self) -> list[StoredEvent]:
        events: list[StoredEvent] = []
        self._turn += 1  # another partition comes first each time, so that a deep one starves nobody
        order = sorted(self._held)
        for i in range(len(order)):
            partition = order[(i + self._turn) % len(order)]
            held = self._held[partition]
            if len(events) < self._size and self._log.head(self.topic, partition) > held.position:
                events += self._log.page(self.topic, partition, held.position, self._size - len(events))
        return events

    def _hand_out(self, events: list[StoredEvent]) -> Batch:
        last = {event.partition: event.offset for event in events}
        for partition, offset in last.items():
            self._held[partition].position = offset
        self._settled.clear()
        offsets = {partition: (self._held[partition].epoch, offset) for partition, offset in last.items()}
        self._token = CommitToken(self, offsets)
        assigned, self._assigned = self._assigned, False
        return Batch(self.topic, self.group, events, self._token, assigned)

    async def _balance(self) -> None:
        self._stale = False
        try:
            owners = self._log.owners(self.topic, self.group)
            if len(owners) < self._log.partitions:
                await self._log.join(self.topic, self.group)
                owners = self._log.owners(self.topic, self.group)
            while await self._exchange(owners):  # another may have been first: then there is less to take
                owners = self._log.owners(self.topic, self.group)
        except BaseException:
            self._stale = True
            raise
        self._hold({p: owner for p, owner in owners.items() if owner.member == self.member})

    async def _exchange(self, owners: Mapping[int, PartitionOwner]) -> bool:
        """Take free partitions up to the share, or give back those over it."""
        living = self._log.members(self.topic, self.group)
        mine = [p for p, owner in owners.items() if owner.member == self.member]
        free = [p for p, owner in owners.items() if owner.member not in living]
        missing = fair_share(living, self.member, self._log.partitions) - len(mine)
        if missing > 0 and free:
            epochs = {p: owners[p].epoch for p in free[:missing]}
            await self._log.assign(self.topic, self.group, self.member, epochs)
        elif missing < 0:
            epochs = {p: owners[p].epoch for p in mine[missing:]}
            await self._log.assign(self.topic, self.group, None, epochs)
        return missing < 0 or (missing > 0 and bool(free))

    def _hold(self, mine: Mapping[int, PartitionOwner]) -> None:
        kept = {p: held for p, held in self._held.items() if p in mine and held.epoch == mine[p].epoch}
        self._held = {p: kept.get(p) or _Held(owner.epoch, owner.offset) for p, owner in mine.items()}
        self._assigned = self._assigned or len(kept) < len(mine)
