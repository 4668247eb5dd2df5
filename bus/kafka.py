"""The bus on Apache Kafka, for any number of machines. See docs/decisions/0008 for what it promises how.

Opening it needs no broker: it connects when first asked, and every call raises Retry while the brokers are away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Self

from bus import _kafka_link
from bus._kafka_link import Link
from bus._kafka_admin import Look
from bus._kafka_subscription import Member, Ticket
from bus._kafka_records import pack
from bus._kafka_url import parse
from bus._kafka_writer import Writer
from bus._port import Batch, Bus, Lag, Stored
from schemas import Event


class KafkaBus(Bus):
    """`async with KafkaBus(url, partitions, retention) as bus:`. Making one raises `UnusableLog` for a wrong URL.

    The number of partitions that a topic has already wins over the argument. `retention` is by age alone, whatever
    groups have committed: it must be longer than any outage.
    """

    def __init__(self, url: str, partitions: int = 4, retention: timedelta = timedelta(days=90)) -> None:
        self._link = Link(parse(url), partitions, retention)
        self._writer = Writer(self._link)
        self._look = Look(self._link)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.close()
        await self._link.close()

    async def publish(self, events: Sequence[Event]) -> None:
        """Nothing to publish: asks whether a broker answers."""
        if not events:
            return await self._writer.ping()
        counts = await self._link.partitions()
        return await self._writer.write(pack(events, counts, self._link.address.prefix))

    @asynccontextmanager
    async def subscribe(self, topic: str, group: str, *, size: int = 500) -> AsyncIterator[AsyncIterator[Batch]]:
        member = Member(self._link, topic, group, size)
        try:
            yield member
        finally:
            await member.close()

    async def commit(self, batch: Batch) -> None:
        ticket: Ticket = batch.ticket
        await ticket.member.commit(ticket)

    async def lag(self) -> Sequence[Lag]:
        return await self._look.lag()

    def read(self, topic: str, since: datetime) -> AsyncIterator[Stored]:
        return self._look.read(topic, since)


async def brokers(url: str) -> int:
    """How many the cluster has; makes nothing there. Raises Retry, or UnusableLog for a wrong URL."""
    return await _kafka_link.brokers(parse(url))
