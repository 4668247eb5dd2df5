"""The topics: one for each kind of event, made when the first process connects. One that exists is left as it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import CreateTopicsRequest

from bus._partitions import DEAD_LIMIT
from schemas import EVENTS

COPIES = 3
"""Of each partition, where there are so many brokers."""
WITHIN = 10.0
"""Seconds for all topics to be there and have leaders."""


async def made(client: AIOKafkaClient, prefix: str, partitions: int, retention: timedelta) -> dict[str, int]:
    """Make what is missing; how many partitions each topic has, by our own name of it."""
    names = [prefix + topic for topic in EVENTS]
    async with asyncio.timeout(WITHIN):
        if missing := await _missing(client, names):
            await _create(client, missing, partitions, retention)
        while not all(_ready(client, name) for name in names):
            await client.set_topics(names)
            await client.force_metadata_update()
            await asyncio.sleep(0.01)
    return {topic: len(client.cluster.partitions_for_topic(prefix + topic)) for topic in EVENTS}


async def _missing(client: AIOKafkaClient, names: list[str]) -> list[str]:
    known = (await client.fetch_all_metadata()).topics()  # naming one that is missing would make brokers create it
    return [name for name in names if name not in known]


def _ready(client: AIOKafkaClient, name: str) -> bool:
    partitions = client.cluster.partitions_for_topic(name)
    return bool(partitions) and partitions == client.cluster.available_partitions_for_topic(name)


async def _create(client: AIOKafkaClient, names: list[str], partitions: int, retention: timedelta) -> None:
    brokers = len(client.cluster.brokers())
    copies = min(COPIES, brokers)
    settings = {
        "retention.ms": str(retention // timedelta(milliseconds=1)),
        "min.insync.replicas": "2" if copies == COPIES else "1",
        "message.timestamp.type": "LogAppendTime",  # by the broker's clock: a producer's may step
        "max.message.bytes": str(DEAD_LIMIT + 100_000),  # with key and headers
        "cleanup.policy": "delete",
    }
    topics: list[tuple[object, ...]] = [(name, partitions, copies, [], list(settings.items())) for name in names]
    answer = await client.send(_controller(client), CreateTopicsRequest(topics, int(WITHIN * 1000), False))
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was first
            raise error(f"cannot make the topic {name}")


def _controller(client: AIOKafkaClient) -> int:
    if (controller := client.cluster.controller) is None:
        raise KafkaError("no controller yet")
    return int(controller.nodeId)
