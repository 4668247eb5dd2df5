"""The bus between the rooms: a log of topics that every room publishes to and reads from.

What every adapter promises:

* **At least once.** `publish` returns when every event of the call would survive a power cut; if it raises, some, all
  or none of them may stand in the log. A batch that is not committed is delivered again, to the next owner of its
  partition. So stages must bear an event twice.
* **Order per key.** Events of one key stand in one partition, in the order of the `publish` calls that returned before
  the next was made, and are delivered in that order. Nothing is promised between keys.
* **A group shares a topic.** Each partition is assigned to one subscription of a group at a time; other groups see
  everything too. A new group starts at the oldest event kept. Subscriptions may come, go and die at any time; their
  partitions are then assigned to the others.
* **Commit moves the group's offset** past the batch, and past nothing else. It raises `PartitionLost` when the
  partition is assigned to another subscription by then: the batch is delivered to that one, and the caller drops it.
* **Large events travel by reference** (`_values.py`). `StoredEvent.event()` returns any event whole.
* **Retention** never removes an event that a known group has still to commit, where the adapter can know that. Kafka
  cannot: there events older than the retention go, committed or not, so it must be longer than any outage.

Faults of the broker or the disk raise `Retry`; an event that is too large raises `Reject("too_large", …)`, but a dead
letter, which is cut until it fits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bus._values import BodyStore, decode_event
from schemas import Event


class PartitionLost(Exception):  # noqa: N818 - it names what happened, as Retry and Reject do
    """The batch's partition is assigned to another subscription of the group: drop the batch, go on."""


class StoredEvent(NamedTuple):
    """An event as it stands in the log."""

    topic: str
    partition: int
    offset: int
    """Grows within its partition, never restarts; gaps are allowed."""
    key: str
    """The event's key; a hash of it where it is very long."""
    value: bytes
    """The event's JSON, or a reference to it."""
    at: datetime
    """When it was published, aware, UTC."""
    bodies: BodyStore | None = None
    """Where events that travel by reference lie."""

    def event(self) -> Event:
        """The event, whole. Raises Reject where the bytes are none, Retry where its body cannot be read now."""
        return decode_event(self.topic, self.value, self.bodies)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one topic for one group, in order; never empty."""

    topic: str
    group: str
    events: Sequence[StoredEvent]
    token: Any = None
    """The adapter's own: what `commit` needs to know."""
    partitions_assigned: bool = False
    """The subscription was assigned a partition since its last batch (true of the first batch): others may have worked
    there meanwhile, so what a stage remembers of keys has to be looked up again."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a group is behind in one partition of a topic."""

    topic: str
    group: str
    partition: int
    offset: int
    """Everything up to here is committed."""
    behind: int
    """Events still to commit."""
    oldest: datetime | None
    """When the first of them was published, by the clock of that moment."""


class Bus(ABC):
    """The port. Open an adapter with `async with`; what it opened, it closes."""

    @abstractmethod
    async def publish(self, events: Sequence[Event]) -> None:
        """Append the events to their topics; return once they are durable."""

    @abstractmethod
    def subscribe(
        self, topic: str, group: str, *, size: int = 500
    ) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Batches of at most `size` events, without end. A subscription gives the next batch only after the last one
        was committed or lost; leaving the context gives back its partitions."""

    @abstractmethod
    async def commit(self, batch: Batch) -> None:
        """Move the group's offset past the batch. Raises PartitionLost."""

    async def publish_with_commit(self, events: Sequence[Event], batch: Batch) -> bool:
        """Publish the events, and commit the batch with them where both can be one transaction; whether it is
        committed. Raises PartitionLost as `commit` does: the events are published all the same."""
        await self.publish(events)
        return False

    @abstractmethod
    async def lag(self) -> Sequence[PartitionLag]:
        """Every partition of every topic that a group reads."""

    @abstractmethod
    def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        """The topic's events from that instant until now, in order per key, belonging to no group."""
