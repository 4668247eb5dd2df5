"""Looking without taking part: how far groups are behind, and what stands on a topic."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import BrokerResponseError, KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.admin import ListGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.memory_records import MemoryRecords

from bus._kafka_link import ANSWER, CONNECT, Link
from bus._kafka_records import instant, unpack
from bus._port import Lag, Stored
from schemas import EVENTS

_EARLIEST, _LATEST = -2, -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_Offsets = Mapping[TopicPartition, int]
T = TypeVar("T")


class Look:
    """Cheap enough to be asked several times a second: a request a group, two a broker, one a partition behind."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._coordinators: dict[str, int] = {}
        """Node by group, as the cluster calls it."""

    async def lag(self) -> list[Lag]:
        """Raises Retry."""
        client = await self._link.client()
        with self._link.asking(client):
            return await _answered(client, lambda: self._lag(client))

    async def _lag(self, client: AIOKafkaClient) -> list[Lag]:
        coordinators, self._coordinators = self._coordinators, {}  # known again once all has gone well
        groups = await self._groups(client)
        slots = [self._slot(topic, n) for topic in {t for t, _ in groups} for n in range(self._link.counts[topic])]
        committed, first, end = await asyncio.gather(
            asyncio.gather(*(_committed(client, name, coordinators) for name in groups.values())),
            _offsets(client, slots, _EARLIEST),
            _offsets(client, slots, _LATEST),
        )
        lags = [
            (topic, group, slot, max(places.get(slot, 0), first[slot]), end[slot])
            for (topic, group), places in zip(groups, committed, strict=True)
            for slot in slots
            if slot.topic == self._link.address.prefix + topic
        ]
        starts = {(slot, place) for _, _, slot, place, head in lags if head > place}
        oldest = dict(zip(starts, await asyncio.gather(*(_at(client, *start) for start in starts)), strict=True))
        self._coordinators = coordinators
        return [
            Lag(topic, group, slot.partition, place, max(0, head - place), oldest.get((slot, place)))
            for topic, group, slot, place, head in lags
        ]

    def _slot(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._link.address.prefix + topic, partition)

    async def _groups(self, client: AIOKafkaClient) -> dict[tuple[str, str], str]:
        """The cluster's names of our groups, by topic and group."""
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
        answers = await asyncio.gather(*(client.send(node, ListGroupsRequest()) for node in nodes))
        found = {}
        for answer in answers:
            _check(answer.error_code)
            for name, *_ in answer.groups:
                if name.startswith(self._link.address.prefix):
                    group, _, topic = name.removeprefix(self._link.address.prefix).rpartition(".")
                    if topic in EVENTS and group and "." not in group:  # with a dot: of a hub with a prefix
                        found[topic, group] = name
        return found

    async def read(self, topic: str, since: datetime) -> AsyncIterator[Stored]:
        """Raises Retry."""
        await self._link.partitions()
        slots = [self._slot(topic, n) for n in range(self._link.counts[topic])]
        client = await self._link.client()
        with self._link.asking(client):
            at = max(0, -((_EPOCH - since) // _MILLISECOND))  # rounded up
            begin = await _answered(client, lambda: _offsets(client, slots, at))
            end = await _answered(client, lambda: _offsets(client, slots, _LATEST))
        left = {slot: end[slot] for slot in slots if 0 <= begin[slot] < end[slot]}
        if not left:
            return
        consumer = AIOKafkaConsumer(
            **self._link.address.client(ANSWER),
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # where retention has taken the first ones meanwhile
        )
        try:
            with self._link.asking():
                async with asyncio.timeout(CONNECT):
                    await consumer.start()
            consumer.assign(list(left))
            for slot in left:
                consumer.seek(slot, begin[slot])
            while left:
                for event in await self._page(consumer, left):
                    yield event
        finally:
            await consumer.stop()

    async def _page(self, consumer: AIOKafkaConsumer, left: dict[TopicPartition, int]) -> list[Stored]:
        """Some of what is left; a partition that is through is taken out."""
        with self._link.asking():
            found = await consumer.getmany(*left, timeout_ms=int(ANSWER * 1000), max_records=500)
            if not found:
                raise TimeoutError
            events = [
                event for slot, records in found.items() for event in unpack(records) if event.place <= left[slot]
            ]
            for slot in found:
                if await consumer.position(slot) >= left[slot]:
                    consumer.pause(slot)
                    del left[slot]
        return events


async def _answered(client: AIOKafkaClient, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while leaders move or are not there yet."""
    async with asyncio.timeout(ANSWER):
        while True:
            try:
                return await ask()
            except BrokerResponseError as error:
                if not error.retriable:
                    raise
                await client.force_metadata_update()
                await asyncio.sleep(0.05)


async def _offsets(client: AIOKafkaClient, slots: Iterable[TopicPartition], at: int) -> dict[TopicPartition, int]:
    """First offset from that timestamp on, or the first or last of all; -1 where there is none."""
    asked: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for slot in slots:
        asked[_leader(client, slot)][slot.topic].append((slot.partition, at))
    requests = (client.send(node, OffsetRequest(-1, 0, list(topics.items()))) for node, topics in asked.items())
    offsets = {}
    for answer in await asyncio.gather(*requests):
        for topic, partitions in answer.topics:
            for partition, code, _, offset in partitions:
                _check(code)
                offsets[TopicPartition(topic, partition)] = offset
    return offsets


async def _committed(client: AIOKafkaClient, group: str, coordinators: dict[str, int]) -> _Offsets:
    if group not in coordinators:
        found = await client.send(client.get_random_node(), FindCoordinatorRequest(group, 0))
        _check(found.error_code)
        coordinators[group] = found.coordinator_id
    answer = await client.send(coordinators[group], OffsetFetchRequest(group, None))
    _check(getattr(answer, "error_code", 0))
    offsets = {}
    for topic, partitions in answer.topics:
        for partition, offset, _, code in partitions:
            _check(code)
            offsets[TopicPartition(topic, partition)] = offset
    return offsets


async def _at(client: AIOKafkaClient, slot: TopicPartition, offset: int) -> datetime | None:
    """When the record was published. Asks for one byte: a broker then sends one batch, the one that holds it."""
    request = FetchRequest(0, 0, 1, 0, [(slot.topic, [(slot.partition, offset, 1)])])
    answer = await client.send(_leader(client, slot), request)
    for _, partitions in answer.topics:
        for _, code, _, *rest in partitions:
            _check(code)
            return _stamp(MemoryRecords(rest[-1]), offset)
    return None


def _stamp(records: MemoryRecords, offset: int) -> datetime | None:
    while records.has_next():
        for record in records.next_batch():
            if record.offset >= offset:
                return instant(record.timestamp)
    return None


def _leader(client: AIOKafkaClient, slot: TopicPartition) -> int:
    leader = client.cluster.leader_for_partition(slot)
    if leader is None or leader < 0:
        raise LeaderNotAvailableError(slot)
    return int(leader)


def _check(code: int) -> None:
    if code:
        error: type[KafkaError] = for_code(code)
        raise error
