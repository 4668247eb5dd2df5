"""The topics: one for each kind of event, created when the first process connects. One that exists is left as it is.

They are created only when as many brokers are up as the URL names, so that a cluster that is still starting never gets
fewer copies than it should have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import BrokerNotAvailableError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import CreateTopicsRequest

from bus._values import LIMIT
from schemas import EVENTS, Retry

COPIES = 3
"""Of each partition, where there are so many brokers."""
WITHIN = 10.0
"""Seconds for all topics to be there and have leaders."""


class TopicSettings(NamedTuple):
    """How topics are created."""

    partitions: int
    retention: timedelta
    brokers: int
    """Those that must be up."""

    @property
    def copies(self) -> int:
        """Of each partition."""
        return min(COPIES, self.brokers)


async def create_missing_topics(client: AIOKafkaClient, prefix: str, wanted: TopicSettings) -> dict[str, int]:
    """Create the missing ones; how many partitions each topic has, by our own name of it. Raises Retry while there are
    too few brokers."""
    names = [prefix + topic for topic in EVENTS]
    async with asyncio.timeout(WITHIN):
        if missing := await _missing(client, names):
            await _create(client, missing, wanted)
        while not all(_ready(client, name) for name in names):
            await client.set_topics(names)
            await client.force_metadata_update()
            await asyncio.sleep(0.01)
    return {topic: len(client.cluster.partitions_for_topic(prefix + topic)) for topic in EVENTS}


async def under_replicated_topics(client: AIOKafkaClient, prefix: str, copies: int) -> dict[str, int]:
    """The topics that have fewer copies than that of a partition, by our own name, and how many they have."""
    await client.set_topics(await _existing(client, [prefix + topic for topic in EVENTS]))
    await client.force_metadata_update()
    found = {topic: _copies(client, prefix + topic) for topic in EVENTS}
    return {topic: number for topic, number in found.items() if number is not None and number < copies}


def _copies(client: AIOKafkaClient, name: str) -> int | None:
    partitions = client.cluster._partitions.get(name, {})
    return min((len(partition.replicas) for partition in partitions.values()), default=None)


async def _existing(client: AIOKafkaClient, names: Collection[str]) -> list[str]:
    known = (await client.fetch_all_metadata()).topics()  # naming one that is missing would make brokers create it
    return [name for name in names if name in known]


async def _missing(client: AIOKafkaClient, names: Collection[str]) -> list[str]:
    existing = await _existing(client, names)
    return [name for name in names if name not in existing]


def _ready(client: AIOKafkaClient, name: str) -> bool:
    partitions = client.cluster.partitions_for_topic(name)
    return bool(partitions) and partitions == client.cluster.available_partitions_for_topic(name)


async def _create(client: AIOKafkaClient, names: list[str], wanted: TopicSettings) -> None:
    if (up := len(client.cluster.brokers())) < wanted.brokers:
        raise Retry(
            f"topics are created when {wanted.brokers} brokers are up, now {up}: start the others, "
            f"or say brokers={up} in the bus's URL"
        )
    settings = {
        "retention.ms": str(wanted.retention // timedelta(milliseconds=1)),
        "min.insync.replicas": "2" if wanted.copies == COPIES else "1",
        "message.timestamp.type": "LogAppendTime",  # by the broker's clock: a producer's may step
        "max.message.bytes": str(LIMIT + 100_000),  # with key and headers
        "cleanup.policy": "delete",
    }
    topics: list[tuple[object, ...]] = [
        (name, wanted.partitions, wanted.copies, [], list(settings.items())) for name in names
    ]
    answer = await client.send(_controller(client), CreateTopicsRequest(topics, int(WITHIN * 1000), False))
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was first
            raise error(f"cannot create the topic {name}")


def _controller(client: AIOKafkaClient) -> int:
    if (controller := client.cluster.controller) is None:
        raise BrokerNotAvailableError("no controller yet")
    return int(controller.nodeId)
