"""A member of a group: one aiokafka consumer, to which the coordinator assigns partitions (`_kafka_assignment.py`).

A rebalance waits for the batch in hand (`HAND_OVER`), so that ordinary joining and leaving delivers nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

from bus._kafka_assignment import Assignment
from bus._kafka_link import CONNECT, KafkaConnection, close_client

HAND_OVER = 8.0
"""Seconds that a rebalance waits for the batch in hand."""
REBALANCE = 15.0
"""Seconds that the coordinator waits for a member in a rebalance; more than HAND_OVER and a heartbeat."""
BYTES = 4 * 1024 * 1024
"""Fetched ahead at most, and so of a batch, but for a single larger event."""
LONG_POLL = 250
"""Milliseconds. Events of a partition whose last ones had just been taken wait so long at most."""
LEAVE = 0.5
"""Seconds for leaving in order, and again for leaving without."""
_DAY = 24 * 3600 * 1000


class GroupConsumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """A consumer in its group. `idle` is set while no batch is in hand."""

    def __init__(self, consumer: AIOKafkaConsumer, idle: asyncio.Event) -> None:
        self.consumer = consumer
        self.assignment = Assignment()
        self._steady = asyncio.Event()
        self._idle = idle
        self._began = 0.0

    @property
    def coordinated(self) -> bool:
        """Is there a coordinator that answers?"""
        return self.consumer._coordinator.coordinator_id is not None

    @property
    def rebalancing(self) -> float:
        """Seconds since the rebalance under way began; 0 where none is."""
        return 0.0 if self.assignment.steady else time.monotonic() - self._began

    @property
    def broken(self) -> str:
        """The error that ended aiokafka's work in the background, empty while it goes on. aiokafka reports it to the
        next call at best; nothing is fetched any more."""
        coordinator = self.consumer._coordinator
        tasks = (self.consumer._fetcher._fetch_task, coordinator._coordination_task)
        ends = [*(_end(task) for task in tasks if task.done()), coordinator._pending_exception]
        return ", ".join(type(end.__cause__ or end).__name__ for end in ends if end is not None)

    async def steady(self) -> None:
        """Wait for the end of a rebalance."""
        await self._steady.wait()

    def position(self, slot: TopicPartition) -> int:
        """The offset read next; -1 where that is not known yet, or the partition is not ours."""
        subscription = self.consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        state = assignment and assignment.state_value(slot)
        return state.position if state and state.has_valid_position else -1

    async def ends(self) -> Mapping[TopicPartition, int]:
        """Of each partition, the offset of the next event to be written. Raises what aiokafka raises."""
        ends: Mapping[TopicPartition, int] = await self.consumer.end_offsets(list(self.consumer.assignment()))
        return ends

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """A rebalance begins; it goes on when this returns."""
        if not self.consumer._coordinator.member_id:
            self.assignment.expelled()
        with suppress(TimeoutError):
            if self.assignment.epochs:
                await asyncio.wait_for(self._idle.wait(), HAND_OVER)
        self._began = time.monotonic()
        self.assignment.begin_rebalance()
        self._steady.clear()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """It is over."""
        coordinator = self.consumer._coordinator
        self.assignment.assigned(assigned, coordinator.member_id, coordinator.generation)
        self._steady.set()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Raises what aiokafka raises."""
        await self.consumer.commit({slot: OffsetAndMetadata(offset, "") for slot, offset in offsets.items()})

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on from there."""
        for slot, offset in offsets.items():
            if slot in self.consumer.assignment():
                self.consumer.seek(slot, offset)

    async def leave(self) -> None:
        """Leave the group and close. aiokafka's `stop` alone would wait for a rebalance that is under way."""
        self._steady.set()
        stop = asyncio.create_task(_stop(self.consumer))
        for _ in range(2):
            await asyncio.wait([stop], timeout=LEAVE)
            if stop.done():
                return
            for connection in list(self.consumer._client._conns.values()):
                connection.close()  # requests that wait for an answer fail
        stop.cancel()
        await asyncio.wait([stop])
        await _tear_down(self.consumer)


async def join_group(link: KafkaConnection, topic: str, group: str, idle: asyncio.Event) -> GroupConsumer:
    """Join the consumer group, by the names of the cluster. Raises Retry."""
    client = await link.client()
    session = link.address.session
    rebalance = max(REBALANCE, session)
    partitions = len(client.cluster.partitions_for_topic(topic) or "1")
    consumer = AIOKafkaConsumer(
        **link.address.client(rebalance + 5),  # a rebalance is one long request
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(_sticky(),),
        session_timeout_ms=int(session * 1000),
        heartbeat_interval_ms=int(min(3.0, session / 3) * 1000),
        rebalance_timeout_ms=int(rebalance * 1000),
        max_poll_interval_ms=_DAY,  # a stage waits for its database for ever, and stays in the group
        fetch_max_wait_ms=LONG_POLL,
        fetch_max_bytes=BYTES,
        max_partition_fetch_bytes=BYTES // partitions,
    )
    member = GroupConsumer(consumer, idle)
    try:
        with link.asking():
            async with asyncio.timeout(CONNECT):
                await consumer.start()
            consumer.subscribe([topic], listener=member)
    except BaseException:
        await member.leave()
        raise
    return member


def _sticky() -> type[StickyPartitionAssignor]:
    """aiokafka stores the previous assignment on the assignor *class*: a subclass per consumer, so they do not share
    it."""
    return type("Sticky", (StickyPartitionAssignor,), {})


def _end(task: asyncio.Task[None]) -> BaseException:
    return asyncio.CancelledError() if task.cancelled() else task.exception() or asyncio.CancelledError()


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with suppress(KafkaError):
        await consumer.stop()


async def _tear_down(consumer: AIOKafkaConsumer) -> None:
    """Each thing that `stop` would have closed."""
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    if coordinator:
        await coordinator._stop_heartbeat_task()
        await coordinator._stop_commit_offsets_refresh_task()
    if fetcher:
        await fetcher.close()
    await close_client(consumer._client)
