"""Side lanes: events of some keys are sent another way, so that they hold up nobody, and come back in order.

A stage takes events from its topic in order and publishes what it makes of them. It *diverts* the events of some keys
instead: it publishes them, whole, to a lane, which a consumer group of its own works on. A key leaves its lane, and is
worked on by the stage itself again, once a scan finds nothing of it that the lane's group has still to commit. Two
lanes work so: conversations over their budget (`slow`), and accounts that were put aside (`aside`).

**Why no key is reordered.** Let r1, r2, … be the events of one key (and so of one partition of the stage's topic). The
diverted ones stand in one partition of the lane. An event that is handled twice comes out twice, and only first
appearances count, for every stage bears an event twice. Two statements hold when rk is published:

1. *Worked on by the stage*: all results of every earlier rj stand on the stage's output. Either rj is in the same call:
   a call diverts all of a key or nothing, and one partition keeps the order of a call. Or it was handled before, by
   this subscription or by the partition's last owner, which published and then committed it. If it was worked on, its
   results stand there. If it was diverted, they do once the lane's group has committed it, and a scan that began after
   it was published has found that. For events of other owners that is the scan after the partition was assigned; for
   our own it is the scan that took the key out: it runs between two calls, when everything diverted here is published.
2. *Diverted*: every earlier rj stands in the lane, or its results stand on the output, by the same cases. The lane is
   worked on in order, and publishes before it commits.

Where one lane's stage diverts into another lane (a slow conversation of an account that is put aside there), a key has
left the first lane only when it has left the second too, and scans ask in the order in which events move: for an event
is published in the next lane before it is committed in the last.

A zombie, whose partition has another owner, still publishes the batch in hand, at any later moment. What it decided on
was true when it decided, and what stands on a topic stays there; its successor handles the same events, since the
zombie can no longer commit. A crash leaves less than that. So neither reorders anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from bus._port import Bus, PartitionLag, StoredEvent

SCAN_EVERY, SCAN_EMPTY_EVERY = 1.0, 5.0
"""Seconds between two scans, while keys are diverted and while none is."""
SCAN_REST = 20
"""A scan rests this many times its own duration before the next."""
_EPOCH = datetime.fromtimestamp(0, UTC)

T = TypeVar("T")
Waiting = Callable[[], Awaitable[set[str]]]


class SideLane:
    """Which keys one consumer diverts. `waiting` finds those that have to be; `monotonic` gives seconds."""

    def __init__(self, waiting: Waiting, monotonic: Callable[[], float]) -> None:
        self.keys: set[str] = set()
        self._waiting, self._monotonic = waiting, monotonic
        self._next = float("-inf")

    async def scan(self) -> None:
        """Learn which keys are diverted. To be called when a partition was assigned, and between two calls of the stage
        only. Raises Retry."""
        began = self._monotonic()
        self.keys = await self._waiting()
        ended = self._monotonic()
        rest = SCAN_EVERY if self.keys else SCAN_EMPTY_EVERY
        self._next = ended + max(rest, (ended - began) * SCAN_REST)

    async def scan_if_due(self) -> None:
        """Scan where the last one is old enough. Raises Retry."""
        if self._monotonic() >= self._next:
            await self.scan()

    def divide(self, items: Sequence[T], key: Callable[[T], str]) -> tuple[Sequence[T], list[T]]:
        """The items to work on here, and those to divert: of each key all or nothing."""
        if not self.keys:
            return items, []
        diverted = [key(item) in self.keys for item in items]
        here = [item for item, away in zip(items, diverted, strict=True) if not away]
        return here, [item for item, away in zip(items, diverted, strict=True) if away]


async def uncommitted_events(bus: Bus, topic: str, group: str) -> AsyncIterator[StoredEvent]:
    """The topic's events that the group has still to commit, those included that were published before this call and
    are committed during it. Raises Retry."""
    lags = [lag for lag in await bus.lag() if lag.topic == topic and lag.group == group]
    since = _oldest(lags)
    if since is None:
        return
    committed = {lag.partition: lag.offset for lag in lags}
    async for event in bus.read(topic, since):
        if event.offset > committed.get(event.partition, -1):
            yield event


def _oldest(lags: Collection[PartitionLag]) -> datetime | None:
    """From when on there are events to commit; a group that never read the topic has all of it before it."""
    if not lags:
        return _EPOCH
    return min((lag.oldest or _EPOCH for lag in lags if lag.behind), default=None)
