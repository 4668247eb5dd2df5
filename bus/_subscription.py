"""A group's reader of a topic: holds its share of the partitions, hands out batches, gives back what others are due.

A lease is a row (group, topic, partition) with a member and an epoch that grows whenever it changes hands. Whoever
commits names the epoch; a commit under an old one is Lost. So a view of who lives may be out of date without harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bus._partitions import share
from bus._port import Batch, Stored


class Lease(NamedTuple):
    """Who holds a partition for a group."""

    member: str | None
    epoch: int
    place: int
    """Committed up to here."""


class Ticket(NamedTuple):
    """What `commit` needs: per partition the epoch it was read under, and the last place."""

    subscription: Subscription
    places: Mapping[int, tuple[int, int]]


class Log(Protocol):
    """What a subscription asks of its adapter. Reads are quick and happen on the loop; changes are awaited."""

    partitions: int

    def head(self, topic: str, partition: int) -> int:
        """The last place, as far as known without asking."""
        ...

    def page(self, topic: str, partition: int, after: int, limit: int) -> list[Stored]:
        """The events after that place. Raises Retry."""
        ...

    def members(self, topic: str, group: str) -> Sequence[str]:
        """Who reads the topic for the group and lives."""
        ...

    def leases(self, topic: str, group: str) -> dict[int, Lease]:
        """By partition. Raises Retry."""
        ...

    async def join(self, topic: str, group: str) -> None:
        """Give the group a place and a free lease in every partition of the topic that it has none in."""
        ...

    async def pass_on(self, topic: str, group: str, member: str | None, epochs: Mapping[int, int]) -> None:
        """Give those leases to the member (None: to nobody), as far as they still have these epochs."""
        ...


@dataclass(slots=True)
class _Held:
    epoch: int
    position: int


class Subscription(AsyncIterator[Batch]):
    """One member of a group. The adapter sets `woken` when there may be news, and `stale` when leases may be."""

    def __init__(self, log: Log, topic: str, group: str, size: int, member: str) -> None:
        self.topic, self.group, self.member = topic, group, member
        self.woken = asyncio.Event()
        self.stale = True
        self._log = log
        self._size = size
        self._held: dict[int, _Held] = {}
        self._turn = 0
        self._gained = False
        self._ticket: Ticket | None = None
        self._settled = asyncio.Event()
        self._settled.set()

    def wake(self, *, stale: bool = False) -> None:
        """Look again; with `stale` also at the leases."""
        self.stale = self.stale or stale
        self.woken.set()

    def settle(self, ticket: Ticket, lost: Sequence[int]) -> None:
        """The batch of that ticket is committed, but for the lost partitions."""
        if ticket is not self._ticket:
            return
        for partition in lost:
            self._held.pop(partition, None)
        self.stale = self.stale or bool(lost)
        self._ticket = None
        self._settled.set()

    async def __anext__(self) -> Batch:
        await self._settled.wait()
        while True:
            self.woken.clear()
            if self.stale:
                await self._balance()
            if events := self._take():
                return self._hand_out(events)
            await self.woken.wait()

    def _take(self) -> list[Stored]:
        events: list[Stored] = []
        self._turn += 1  # another partition comes first each time, so that a deep one starves nobody
        order = sorted(self._held)
        for i in range(len(order)):
            partition = order[(i + self._turn) % len(order)]
            held = self._held[partition]
            if len(events) < self._size and self._log.head(self.topic, partition) > held.position:
                events += self._log.page(self.topic, partition, held.position, self._size - len(events))
        return events

    def _hand_out(self, events: list[Stored]) -> Batch:
        last = {event.partition: event.place for event in events}
        for partition, place in last.items():
            self._held[partition].position = place
        self._settled.clear()
        places = {partition: (self._held[partition].epoch, place) for partition, place in last.items()}
        self._ticket = Ticket(self, places)
        gained, self._gained = self._gained, False
        return Batch(self.topic, self.group, events, self._ticket, gained)

    async def _balance(self) -> None:
        self.stale = False
        try:
            leases = self._log.leases(self.topic, self.group)
            if len(leases) < self._log.partitions:
                await self._log.join(self.topic, self.group)
                leases = self._log.leases(self.topic, self.group)
            while await self._exchange(leases):  # another may have been first: then there is less to take
                leases = self._log.leases(self.topic, self.group)
        except BaseException:
            self.stale = True
            raise
        self._hold({p: lease for p, lease in leases.items() if lease.member == self.member})

    async def _exchange(self, leases: Mapping[int, Lease]) -> bool:
        """Take what is free up to the share, or give back one that is over it."""
        living = self._log.members(self.topic, self.group)
        mine = [p for p, lease in leases.items() if lease.member == self.member]
        free = [p for p, lease in leases.items() if lease.member not in living]
        missing = share(living, self.member, self._log.partitions) - len(mine)
        if missing > 0 and free:
            epochs = {p: leases[p].epoch for p in free[:missing]}
            await self._log.pass_on(self.topic, self.group, self.member, epochs)
        elif missing < 0:
            epochs = {p: leases[p].epoch for p in mine[missing:]}
            await self._log.pass_on(self.topic, self.group, None, epochs)
        return missing < 0 or (missing > 0 and bool(free))

    def _hold(self, mine: Mapping[int, Lease]) -> None:
        kept = {p: held for p, held in self._held.items() if p in mine and held.epoch == mine[p].epoch}
        self._held = {p: kept.get(p) or _Held(lease.epoch, lease.place) for p, lease in mine.items()}
        self._gained = self._gained or len(kept) < len(mine)
