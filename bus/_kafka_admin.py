"""Reading beside the groups: their lag, a topic from a time on; forgetting a group, and setting it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import ListGroupsRequest

from bus._kafka_link import ANSWER, CONNECT, KafkaConnection
from bus._kafka_records import stored_events
from bus._kafka_requests import (
    EARLIEST,
    LATEST,
    commit_offsets,
    committed_offsets,
    delete_group,
    offsets_at,
    published_at,
    raise_for_code,
    retry_while_retriable,
)
from bus._port import PartitionLag, StoredEvent
from bus._values import BodyStore
from schemas import EVENTS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class KafkaAdmin:
    """`lag` is cheap enough to be asked several times a second: a request a group, two a broker, one a partition
    behind."""

    def __init__(self, link: KafkaConnection, bodies: BodyStore | None) -> None:
        self._link, self._bodies = link, bodies
        self._coordinators: dict[str, int] = {}
        """Node by group, as the cluster calls it."""

    async def lag(self) -> list[PartitionLag]:
        """Raises Retry."""
        client = await self._link.client()
        with self._link.asking(client):
            return await retry_while_retriable(client, lambda: self._lag(client))

    async def _lag(self, client: AIOKafkaClient) -> list[PartitionLag]:
        coordinators, self._coordinators = self._coordinators, {}  # known again once all has gone well
        groups = await self._groups(client)
        slots = [self._slot(topic, n) for topic in {t for t, _ in groups} for n in range(self._link.counts[topic])]
        committed, first, end = await asyncio.gather(
            asyncio.gather(*(committed_offsets(client, name, coordinators) for name in groups.values())),
            offsets_at(client, slots, EARLIEST),
            offsets_at(client, slots, LATEST),
        )
        lags = [
            (topic, group, slot, max(offsets.get(slot, 0), first[slot]), end[slot])
            for (topic, group), offsets in zip(groups, committed, strict=True)
            for slot in slots
            if slot.topic == self._link.address.prefix + topic
        ]
        starts = {(slot, offset) for _, _, slot, offset, head in lags if head > offset}
        oldest = dict(
            zip(starts, await asyncio.gather(*(published_at(client, *start) for start in starts)), strict=True)
        )
        self._coordinators = coordinators
        return [
            PartitionLag(topic, group, slot.partition, offset, max(0, head - offset), oldest.get((slot, offset)))
            for topic, group, slot, offset, head in lags
        ]

    def _slot(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._link.address.prefix + topic, partition)

    async def _groups(self, client: AIOKafkaClient) -> dict[tuple[str, str], str]:
        """The cluster's names of our groups, by topic and group."""
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
        answers = await asyncio.gather(*(client.send(node, ListGroupsRequest()) for node in nodes))
        found = {}
        for answer in answers:
            raise_for_code(answer.error_code)
            for name, *_ in answer.groups:
                if name.startswith(self._link.address.prefix):
                    group, _, topic = name.removeprefix(self._link.address.prefix).rpartition(".")
                    if topic in EVENTS and group and "." not in group:  # with a dot: of a hub with a prefix
                        found[topic, group] = name
        return found

    async def forget_group(self, group: str) -> int:
        """See `bus.forget_group`."""
        client = await self._link.client()
        with self._link.asking(client):
            names = [name for (_, known), name in (await self._groups(client)).items() if known == group]
            return sum([await retry_while_retriable(client, partial(delete_group, client, name)) for name in names])

    async def rewind_group(self, group: str, at: datetime) -> dict[str, int]:
        """See `bus.rewind_group`."""
        await self._link.partitions()
        client = await self._link.client()
        with self._link.asking(client):
            names = {topic: name for (topic, known), name in (await self._groups(client)).items() if known == group}
            return {
                topic: await retry_while_retriable(
                    client, partial(self._rewound, client, topic, name, _milliseconds(at))
                )
                for topic, name in names.items()
            }

    async def _rewound(self, client: AIOKafkaClient, topic: str, name: str, at: int) -> int:
        slots = [self._slot(topic, n) for n in range(self._link.counts[topic])]
        found, first, end = await asyncio.gather(*(offsets_at(client, slots, when) for when in (at, EARLIEST, LATEST)))
        coordinators: dict[str, int] = {}
        committed = await committed_offsets(client, name, coordinators)
        offsets = {
            slot: min(found[slot] if found[slot] >= 0 else end[slot], max(committed.get(slot, -1), first[slot]))
            for slot in slots
        }
        await commit_offsets(client, name, coordinators[name], offsets)
        return sum(end[slot] - offset for slot, offset in offsets.items())

    async def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        """Raises Retry."""
        await self._link.partitions()
        slots = [self._slot(topic, n) for n in range(self._link.counts[topic])]
        client = await self._link.client()
        with self._link.asking(client):
            begin = await retry_while_retriable(client, lambda: offsets_at(client, slots, _milliseconds(since)))
            end = await retry_while_retriable(client, lambda: offsets_at(client, slots, LATEST))
        left = {slot: end[slot] for slot in slots if 0 <= begin[slot] < end[slot]}
        if not left:
            return
        consumer = AIOKafkaConsumer(
            **self._link.address.client(ANSWER),
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # where the retention has removed the first ones meanwhile
        )
        try:
            with self._link.asking():
                async with asyncio.timeout(CONNECT):
                    await consumer.start()
            consumer.assign(list(left))
            for slot in left:
                consumer.seek(slot, begin[slot])
            while left:
                for event in await self._page(topic, consumer, left):
                    yield event
        finally:
            await consumer.stop()

    async def _page(self, topic: str, consumer: AIOKafkaConsumer, left: dict[TopicPartition, int]) -> list[StoredEvent]:
        """Some of the events left; a partition that is read to its end is taken out."""
        with self._link.asking():
            found = await consumer.getmany(*left, timeout_ms=int(ANSWER * 1000), max_records=500)
            if not found:
                raise TimeoutError
            events = [
                event
                for slot, records in found.items()
                for event in stored_events(topic, records, self._bodies)
                if event.offset <= left[slot]
            ]
            for slot in found:
                if await consumer.position(slot) >= left[slot]:
                    consumer.pause(slot)
                    del left[slot]
        return events


def _milliseconds(at: datetime) -> int:
    """Of the brokers' time, rounded up."""
    return max(0, -((_EPOCH - at) // _MILLISECOND))
