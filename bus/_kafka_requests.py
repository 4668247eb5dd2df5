"""The questions that aiokafka's clients do not ask: requests of Kafka's protocol, and their answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    BrokerResponseError,
    GroupIdNotFound,
    IllegalGenerationError,
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NonEmptyGroup,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.memory_records import MemoryRecords

from bus._groups import GroupInUse
from bus._kafka_link import ANSWER
from bus._kafka_records import from_millis

EARLIEST, LATEST = -2, -1
"""Instead of a timestamp."""
T = TypeVar("T")


async def retry_while_retriable(client: AIOKafkaClient, ask: Callable[[], Awaitable[T]]) -> T:
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


async def offsets_at(client: AIOKafkaClient, slots: Iterable[TopicPartition], at: int) -> dict[TopicPartition, int]:
    """First offset from that timestamp on, or the first or last of all; -1 where there is none."""
    asked: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for slot in slots:
        asked[_leader(client, slot)][slot.topic].append((slot.partition, at))
    requests = (client.send(node, OffsetRequest(-1, 0, list(topics.items()))) for node, topics in asked.items())
    offsets = {}
    for answer in await asyncio.gather(*requests):
        for topic, partitions in answer.topics:
            for partition, code, _, offset in partitions:
                raise_for_code(code)
                offsets[TopicPartition(topic, partition)] = offset
    return offsets


async def committed_offsets(
    client: AIOKafkaClient, group: str, coordinators: dict[str, int]
) -> Mapping[TopicPartition, int]:
    if group not in coordinators:
        coordinators[group] = await _coordinator(client, group)
    answer = await client.send(coordinators[group], OffsetFetchRequest(group, None))
    raise_for_code(getattr(answer, "error_code", 0))
    offsets = {}
    for topic, partitions in answer.topics:
        for partition, offset, _, code in partitions:
            raise_for_code(code)
            offsets[TopicPartition(topic, partition)] = offset
    return offsets


async def commit_offsets(
    client: AIOKafkaClient, group: str, coordinator: int, offsets: Mapping[TopicPartition, int]
) -> None:
    """Set the offsets of a group without members. Raises GroupInUse where it has some."""
    topics: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for slot, offset in offsets.items():
        topics[slot.topic].append((slot.partition, offset, ""))
    generation, member, retention = OffsetCommitRequest.DEFAULT_GENERATION_ID, "", -1
    request = OffsetCommitRequest(group, generation, member, retention, list(topics.items()))
    for _, partitions in (await client.send(coordinator, request)).topics:
        for _, code in partitions:
            if code in (UnknownMemberIdError.errno, IllegalGenerationError.errno):
                raise GroupInUse(group)
            raise_for_code(code)


async def _coordinator(client: AIOKafkaClient, group: str) -> int:
    if (node := client.get_random_node()) is None:
        raise NodeNotReadyError("no broker is known yet")
    found = await client.send(node, FindCoordinatorRequest(group, 0))
    raise_for_code(found.error_code)
    return int(found.coordinator_id)


async def delete_group(client: AIOKafkaClient, name: str) -> int:
    """Delete a group; how many offsets it had."""
    coordinators: dict[str, int] = {}
    offsets = await committed_offsets(client, name, coordinators)
    answer = await client.send(coordinators[name], DeleteGroupsRequest([name]))
    for _, code in answer.results:
        if code == NonEmptyGroup.errno:
            raise GroupInUse(name)
        if code != GroupIdNotFound.errno:
            raise_for_code(code)
    return len(offsets)


async def published_at(client: AIOKafkaClient, slot: TopicPartition, offset: int) -> datetime | None:
    """When the record was published. Asks for one byte: a broker then sends one batch, the one that holds it."""
    request = FetchRequest(0, 0, 1, 0, [(slot.topic, [(slot.partition, offset, 1)])])
    answer = await client.send(_leader(client, slot), request)
    for _, partitions in answer.topics:
        for _, code, _, *rest in partitions:
            raise_for_code(code)
            return _stamp(MemoryRecords(rest[-1]), offset)
    return None


def _stamp(records: MemoryRecords, offset: int) -> datetime | None:
    while records.has_next():
        for record in records.next_batch():
            if record.offset >= offset:
                return from_millis(record.timestamp)
    return None


def _leader(client: AIOKafkaClient, slot: TopicPartition) -> int:
    leader = client.cluster.leader_for_partition(slot)
    if leader is None or leader < 0:
        raise LeaderNotAvailableError(slot)
    return int(leader)


def raise_for_code(code: int) -> None:
    if code:
        error: type[KafkaError] = for_code(code)
        raise error
