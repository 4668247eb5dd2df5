"""The bus on Apache Kafka, for any number of machines. docs/decisions/0008 says how it keeps the port's promises.

Opening it needs no broker: it connects when first asked, and every call raises Retry while the brokers are unavailable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Self

from bus import _kafka_topics
from bus._kafka_admin import KafkaAdmin
from bus._kafka_link import KafkaConnection, temporary_client
from bus._kafka_records import group_by_partition
from bus._kafka_subscription import CommitToken, KafkaSubscription
from bus._kafka_url import parse_kafka_url
from bus._kafka_writer import KafkaWriter
from bus._port import Batch, Bus, PartitionLag, StoredEvent
from bus._values import BodyStore, any_large, encode_events, replace_large_values
from schemas import Event


class KafkaBus(Bus):
    """`async with KafkaBus(url, partitions, retention) as bus:`. Making one raises `UnusableLog` for a wrong URL.

    The number of partitions that a topic has already wins over the argument. `retention` is by age alone, whatever
    groups have committed: it must be longer than any outage.
    """

    def __init__(
        self,
        url: str,
        partitions: int = 4,
        retention: timedelta = timedelta(days=90),
        *,
        bodies: BodyStore | None = None,
    ) -> None:
        self._link = KafkaConnection(parse_kafka_url(url), partitions, retention)
        self._bodies = bodies
        self._writer = KafkaWriter(self._link)
        self._admin = KafkaAdmin(self._link, bodies)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.close()
        await self._link.close()

    async def publish(self, events: Sequence[Event]) -> None:
        """Without events: asks whether a broker answers."""
        if not events:
            return await self._writer.ping()
        values = encode_events(events)
        if any_large(values):
            values = await asyncio.to_thread(replace_large_values, events, values, self._bodies)
        counts = await self._link.partitions()
        return await self._writer.write(group_by_partition(events, values, counts, self._link.address.prefix))

    @asynccontextmanager
    async def subscribe(self, topic: str, group: str, *, size: int = 500) -> AsyncIterator[AsyncIterator[Batch]]:
        subscription = KafkaSubscription(self._link, topic, group, size, bodies=self._bodies)
        try:
            yield subscription
        finally:
            await subscription.close()

    async def commit(self, batch: Batch) -> None:
        token: CommitToken = batch.token
        await token.subscription.commit(token)

    async def lag(self) -> Sequence[PartitionLag]:
        return await self._admin.lag()

    def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        return self._admin.read(topic, since)

    async def forget_group(self, group: str) -> int:
        """See `bus.forget_group`."""
        return await self._admin.forget_group(group)

    async def rewind_group(self, group: str, at: datetime) -> dict[str, int]:
        """See `bus.rewind_group`."""
        return await self._admin.rewind_group(group, at)


async def count_brokers(url: str) -> int:
    """How many the cluster has; creates nothing there. Raises Retry, or UnusableLog for a wrong URL."""
    async with temporary_client(parse_kafka_url(url)) as client:
        return len(client.cluster.brokers())


async def under_replicated_topics(url: str) -> dict[str, int]:
    """The topics with fewer copies of a partition than the URL asks for, and how many they have: one broker that is
    lost may then lose events. Raises Retry, or UnusableLog for a wrong URL."""
    address = parse_kafka_url(url)
    async with temporary_client(address) as client:
        copies = min(_kafka_topics.COPIES, address.brokers)
        return await _kafka_topics.under_replicated_topics(client, address.prefix, copies)
