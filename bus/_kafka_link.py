"""The way to the brokers: one client for questions, the topics made when first asked, faults turned into Retry.

aiokafka logs every attempt at a broker that is away, ten a second; here one line says that it went and one that it is
back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from bus import _kafka_topics
from bus._kafka_url import Address
from bus._opened import Opened
from schemas import Retry

CONNECT = 2.0
"""Seconds for a connection, until the broker counts as away."""
ANSWER = 3.0
"""Seconds for a question."""
FAULTS = (KafkaError, OSError, TimeoutError, AssertionError, AttributeError)
"""What aiokafka raises when a broker is away; the last two where it trips over what it has not learned yet."""

_logger = logging.getLogger(__name__)


class Link:
    """Ask `client` for a connection. `close` it at the end."""

    def __init__(self, address: Address, partitions: int, retention: timedelta) -> None:
        self.address = address
        self.counts: Mapping[str, int] = {}
        """Partitions by topic, as they are on the brokers; empty until first connected."""
        self._wanted = partitions, retention
        self._client = Opened(self._open, close)
        self._answers = True
        _tame()

    async def client(self) -> AIOKafkaClient:
        """Connected, the topics made. Raises Retry."""
        return await self._client.get()

    async def partitions(self) -> Mapping[str, int]:
        """How many each topic has. Raises Retry."""
        if not self.counts:
            await self.client()
        return self.counts

    @contextmanager
    def asking(self, client: AIOKafkaClient | None = None) -> Iterator[None]:
        """Turns what goes wrong inside into Retry; the client is then dropped, its brokers may have moved."""
        try:
            yield
        except FAULTS as error:
            if client:
                self._client.drop(client)
            raise self.away(error) from error
        self.back()

    def away(self, error: BaseException) -> Retry:
        """Note that the broker did not answer."""
        why = type(error).__name__
        if self._answers:
            self._answers = False
            _logger.warning("the broker does not answer (%s): trying again until it does", why)
        return Retry(f"the broker does not answer: {why}")

    def back(self) -> None:
        """Note that it did."""
        if not self._answers:
            self._answers = True
            _logger.warning("the broker answers again")

    async def close(self) -> None:
        await self._client.close()

    async def _open(self) -> AIOKafkaClient:
        client = AIOKafkaClient(**self.address.client(CONNECT))
        try:
            with self.asking():
                async with asyncio.timeout(CONNECT):
                    await client.bootstrap()
                self.counts = await _kafka_topics.made(client, self.address.prefix, *self._wanted)
        except BaseException:
            await close(client)
            raise
        return client


async def brokers(address: Address) -> int:
    """How many answer for the cluster. Raises Retry."""
    _tame()
    client = AIOKafkaClient(**address.client(CONNECT))
    try:
        async with asyncio.timeout(CONNECT):
            await client.bootstrap()
        return len(client.cluster.brokers())
    except FAULTS as error:
        raise Retry(f"the broker does not answer: {type(error).__name__}") from error
    finally:
        await close(client)


async def close(client: AIOKafkaClient) -> None:
    """aiokafka's own, called again after it was cut short, is cancelled by what it waits for."""
    closing = asyncio.create_task(client.close())
    await asyncio.wait([closing])
    if not closing.cancelled():
        closing.exception()


def _tame() -> None:
    """Leave a level that somebody has set."""
    logger = logging.getLogger("aiokafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL + 1)
