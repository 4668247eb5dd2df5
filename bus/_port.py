"""The corridor between the rooms: a log of topics that every room publishes to and reads from.

What every adapter promises, which is what the weakest real one keeps:

* **At least once.** `publish` returns when every event of the call would survive a power cut; if it raises, some, all
  or none of them may stand in the log. A batch that is not committed is delivered again, to whoever holds its
  partition next. So stages must bear an event twice.
* **Order per key.** Events of one key stand in one partition, in the order of the `publish` calls that returned before
  the next was made, and are delivered in that order. Nothing is promised between keys.
* **A group shares a topic.** Each partition is held by one subscription of a group at a time; other groups see
  everything too. A new group starts at the oldest event kept. Subscriptions may come, go and die at any time;
  what they held passes to the others.
* **Commit moves the group's place** past the batch, and past nothing else. It raises `Lost` when the partition has
  passed to another subscription meanwhile: then the batch is delivered to that one, and the caller drops it.
* **Retention** never removes an event that a known group has still to commit, where the adapter can know that. Kafka
  cannot: there what is older than the retention goes, committed or not, so it must be longer than any outage.

Faults of the broker or disk are `Retry`; that an event is too large is `Reject`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from schemas import Event


class Lost(Exception):  # noqa: N818 - it says what happened, as Retry and Reject do
    """The batch's partition has passed to another subscription of the group: drop the batch, go on."""


class Stored(NamedTuple):
    """An event as it stands in the log."""

    partition: int
    place: int
    """Grows within its partition, never restarts; gaps are allowed."""
    key: str
    value: bytes
    at: datetime
    """When it was published, aware, UTC."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one topic for one group, in order; never empty."""

    topic: str
    group: str
    events: Sequence[Stored]
    ticket: Any = None
    """The adapter's own: what `commit` needs to know."""
    gained: bool = False
    """The subscription was given a partition since its last batch (the first batch always says so): others may have
    worked there meanwhile, so what a stage remembers of keys it has to look up again."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind in one partition of a topic."""

    topic: str
    group: str
    partition: int
    place: int
    """Everything up to here is committed."""
    behind: int
    """Events still to commit."""
    oldest: datetime | None
    """When the first of them was published."""


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
        was committed or lost; leaving the context gives back what it holds."""

    @abstractmethod
    async def commit(self, batch: Batch) -> None:
        """Move the group's place past the batch. Raises Lost."""

    @abstractmethod
    async def lag(self) -> Sequence[Lag]:
        """Every partition of every topic that a group reads."""

    @abstractmethod
    def read(self, topic: str, since: datetime) -> AsyncIterator[Stored]:
        """What stands on the topic from that instant until now, in order per key, belonging to no group."""
