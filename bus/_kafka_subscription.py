"""A subscription: takes batches from its partitions, and commits them as long as these are its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError

from bus._kafka_assignment import ReadPositions
from bus._kafka_consumer import BYTES, GroupConsumer, join_group
from bus._kafka_link import ANSWER, FAULTS, TRIPS, KafkaConnection
from bus._kafka_records import stored_events
from bus._opened import LazyResource
from bus._port import Batch, PartitionLost, StoredEvent
from bus._values import BodyStore
from schemas import Retry

POLL = 1.0
"""Seconds; also how long a silent coordinator goes unnoticed."""
GONE = 60.0
"""Seconds without a coordinator until the brokers are looked up anew. Earlier would cost us our partitions."""
CHECK = 30.0
"""Seconds of silence until the brokers are asked for the ends of the partitions. Events before those ends that have not
come by the next check never will."""

_logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class CommitToken:
    """What `commit` needs."""

    subscription: KafkaSubscription
    consumer: GroupConsumer
    read: ReadPositions
    committed: bool = False
    unanswered_since: float | None = None
    """The first commit that had no answer, by the monotonic clock."""


class KafkaSubscription(AsyncIterator[Batch]):
    """Call `close` at the end."""

    def __init__(self, link: KafkaConnection, topic: str, group: str, size: int, *, bodies: BodyStore | None) -> None:
        self._link, self._topic, self._group, self._size, self._bodies = link, topic, group, size, bodies
        self._consumer = LazyResource(self._join, GroupConsumer.leave)
        self._token: CommitToken | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._coordinated_at = self._checked_at = time.monotonic()
        self._ends: tuple[int, Mapping[TopicPartition, int]] = 0, {}
        """Rebalances until the last check, and the ends of the partitions then."""

    async def __anext__(self) -> Batch:
        await self._idle.wait()
        while True:
            consumer = await self._consumer.get()
            if why := consumer.broken or await self._stalled(consumer):
                self._give_up(consumer, why)
            try:
                records = await consumer.consumer.getmany(timeout_ms=int(POLL * 1000), max_records=self._size)
            except FAULTS as error:  # of the group: an unavailable broker only keeps us waiting
                self._consumer.drop(consumer)
                raise self._link.unavailable(error) from error
            except TRIPS as error:
                self._consumer.drop(consumer)
                raise self._link.tripped(error) from None
            if records:
                self._checked_at, self._ends = time.monotonic(), (0, {})
                kept = within_bytes(records, BYTES)
                found = {slot: stored_events(self._topic, some, self._bodies) for slot, some in kept.items() if some}
                consumer.seek(_left(records, kept))
                return self._hand_out(consumer, found)
            self._check_coordinator(consumer)

    async def commit(self, token: CommitToken) -> None:
        """Raises PartitionLost, Retry."""
        if token.committed:
            return
        committed: Mapping[TopicPartition, int] = {}
        if token is self._token:
            committed = await self._commit(token)
            self._settle(token)
        if len(committed) < len(token.read.offsets):
            raise PartitionLost(f"{self._group} on {self._topic}")
        token.committed = True

    async def close(self) -> None:
        self._token = None
        self._idle.set()
        await self._consumer.close()

    async def _join(self) -> GroupConsumer:
        prefix = self._link.address.prefix
        topic = prefix + self._topic
        consumer = await join_group(self._link, topic, f"{prefix}{self._group}.{self._topic}", self._idle)
        self._coordinated_at = self._checked_at = time.monotonic()
        self._ends = 0, {}
        return consumer

    def _hand_out(self, consumer: GroupConsumer, events: Mapping[TopicPartition, list[StoredEvent]]) -> Batch:
        read = consumer.assignment.read({slot: found[-1].offset for slot, found in events.items()})
        self._token = CommitToken(self, consumer, read)
        self._idle.clear()
        together = [event for found in events.values() for event in found]
        return Batch(self._topic, self._group, together, self._token, consumer.assignment.take_grown())

    async def _stalled(self, consumer: GroupConsumer) -> str:
        """Which partitions should have brought events long ago, for the log."""
        if time.monotonic() - self._checked_at < CHECK:
            return ""
        self._checked_at = time.monotonic()
        rebalances, ends = self._ends
        late = [slot.partition for slot, end in ends.items() if consumer.position(slot) < end]
        if late and rebalances == consumer.assignment.rebalances:
            return f"partitions {late} stand still"
        with suppress(*FAULTS):  # the next check tries again
            async with asyncio.timeout(ANSWER):
                self._ends = consumer.assignment.rebalances, await consumer.ends()
        return ""

    def _give_up(self, consumer: GroupConsumer, why: str) -> NoReturn:
        """Join anew. Raises Retry."""
        self._consumer.drop(consumer)
        _logger.warning("%s on %s: no events come any more (%s), joining anew", self._group, self._topic, why)
        raise Retry("the group is joined anew")

    def _check_coordinator(self, consumer: GroupConsumer) -> None:
        """No events came: because there are none, or because no broker answers?"""
        if consumer.coordinated:
            self._coordinated_at = time.monotonic()
            return
        if time.monotonic() - self._coordinated_at > GONE:
            self._consumer.drop(consumer)
        if consumer.assignment.rebalances:  # else we are about to join
            raise self._link.unavailable(TimeoutError())

    async def _commit(self, token: CommitToken) -> Mapping[TopicPartition, int]:
        """Commit what is still ours; that."""
        consumer = token.consumer
        await self._steady(token)
        if not (ours := consumer.assignment.still_ours(token.read)):
            return {}
        try:
            async with asyncio.timeout(ANSWER):
                await consumer.commit(ours)
        except (CommitFailedError, IllegalStateError) as error:
            if isinstance(error.__cause__, RebalanceInProgressError):
                raise Retry("the group is rebalancing") from error
            return {}
        except FAULTS as error:
            fault = self._link.unavailable(error)
            now = time.monotonic()
            token.unanswered_since = token.unanswered_since or now
            if now - token.unanswered_since < GONE:
                raise fault from error
            _logger.warning("%s on %s: no commit is answered any more, joining anew", self._group, self._topic)
            self._expel(consumer)  # it may ask over a connection that nobody answers, for ever
            return {}
        except TRIPS as error:
            raise self._link.tripped(error) from None
        self._link.available()
        if consumer.assignment.restarted(token.read):
            consumer.seek(consumer.assignment.still_ours(token.read))
        return ours

    async def _steady(self, token: CommitToken) -> None:
        """Wait for the end of a rebalance, unless the batch is lost however that ends. Raises Retry where it takes
        long; a consumer whose rebalance never ends is dropped, with all that it held."""
        consumer = token.consumer
        if not consumer.assignment.still_ours(token.read):
            return
        try:
            await asyncio.wait_for(consumer.steady(), ANSWER)
        except TimeoutError:
            if not (consumer.broken or consumer.rebalancing > GONE):
                raise Retry("the group is rebalancing") from None
            self._expel(consumer)

    def _expel(self, consumer: GroupConsumer) -> None:
        """Drop it, with all that it held."""
        consumer.assignment.expelled()
        self._consumer.drop(consumer)

    def _settle(self, token: CommitToken) -> None:
        if token is self._token:
            self._token = None
            self._idle.set()


def within_bytes(records: Mapping[TopicPartition, Sequence[Any]], most: int) -> dict[TopicPartition, Sequence[Any]]:
    """The first records of each partition, so many bytes together, but for one larger: what is fetched is bounded as it
    was compressed."""
    room, kept = most, dict[TopicPartition, Sequence[Any]]()
    for slot, some in records.items():
        taken = 0
        for record in some:
            size = len(record.value or b"")
            if room < size and room < most:
                break
            room, taken = room - size, taken + 1
        kept[slot] = some[:taken]
    return kept


def _left(
    records: Mapping[TopicPartition, Sequence[Any]], kept: Mapping[TopicPartition, Sequence[Any]]
) -> dict[TopicPartition, int]:
    """Where to read on for those that were not kept."""
    return {slot: some[len(kept[slot])].offset for slot, some in records.items() if len(kept[slot]) < len(some)}
