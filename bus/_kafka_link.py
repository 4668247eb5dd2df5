"""The connection to the brokers: one client for questions, the topics created when first asked, faults turned into
Retry.

aiokafka logs every attempt at an unavailable broker, ten a second; here one line says that it is unavailable and one
that it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from bus import _kafka_topics
from bus._dead_letter import fault_location
from bus._kafka_url import KafkaAddress
from bus._opened import LazyResource
from schemas import Retry

CONNECT = 2.0
"""Seconds for a connection, until the broker counts as unavailable."""
ANSWER = 3.0
"""Seconds for a question."""
FAULTS = (KafkaError, OSError, TimeoutError)
"""What aiokafka raises while a broker is unavailable."""
TRIPS = (AssertionError, AttributeError, KeyError)
"""What it raises, besides, where it trips over its own state. Raised inside aiokafka they are its faults: tried again,
under their own name. Raised anywhere else they are bugs of ours, as all other exceptions, and raised as they are."""

_logger = logging.getLogger(__name__)


class KafkaConnection:
    """Ask `client` for a connection, and call `close` at the end."""

    def __init__(self, address: KafkaAddress, partitions: int, retention: timedelta) -> None:
        self.address = address
        self.counts: Mapping[str, int] = {}
        """Partitions by topic, as they are on the brokers; empty until first connected."""
        self._wanted = _kafka_topics.TopicSettings(partitions, retention, address.brokers)
        self._client = LazyResource(self._open, close_client)
        self._logged = ""
        _quiet()

    async def client(self) -> AIOKafkaClient:
        """Connected, the topics created. Raises Retry."""
        return await self._client.get()

    async def partitions(self) -> Mapping[str, int]:
        """How many each topic has. Raises Retry."""
        if not self.counts:
            await self.client()
        return self.counts

    @contextmanager
    def asking(self, client: AIOKafkaClient | None = None) -> Iterator[None]:
        """Turns faults inside into Retry; the client is then dropped, its brokers may have moved."""
        try:
            yield
        except FAULTS as error:
            if client:
                self._client.drop(client)
            raise self.unavailable(error) from error
        except TRIPS as error:
            if client:
                self._client.drop(client)
            raise self.tripped(error) from None
        except Retry as fault:
            self._log(fault.reason)
            raise
        self.available()

    def unavailable(self, error: BaseException) -> Retry:
        """The broker did not answer: logged once."""
        reason = f"the broker does not answer: {type(error).__name__}"
        self._log(reason)
        return Retry(reason)

    def tripped(self, error: Exception) -> Exception:
        """Retry for a fault inside aiokafka, the error itself for a bug of ours."""
        location = fault_location(error)
        if " at aiokafka." not in location:
            return error
        reason = f"aiokafka failed: {location}"
        self._log(reason)
        return Retry(reason)

    def available(self) -> None:
        """It did."""
        if self._logged:
            self._logged = ""
            _logger.warning("the broker answers again")

    def _log(self, reason: str) -> None:
        if not self._logged:
            _logger.warning("%s; trying again", reason)
        self._logged = reason

    async def close(self) -> None:
        await self._client.close()

    async def _open(self) -> AIOKafkaClient:
        client = AIOKafkaClient(**self.address.client(CONNECT))
        try:
            with self.asking():
                async with asyncio.timeout(CONNECT):
                    await client.bootstrap()
                self.counts = await _kafka_topics.create_missing_topics(client, self.address.prefix, self._wanted)
        except BaseException:
            await close_client(client)
            raise
        return client


@asynccontextmanager
async def temporary_client(address: KafkaAddress) -> AsyncIterator[AIOKafkaClient]:
    """A client for a few questions; creates nothing. Raises Retry."""
    _quiet()
    client = AIOKafkaClient(**address.client(CONNECT))
    try:
        async with asyncio.timeout(CONNECT):
            await client.bootstrap()
        yield client
    except FAULTS as error:
        raise Retry(f"the broker does not answer: {type(error).__name__}") from error
    finally:
        await close_client(client)


async def close_client(client: AIOKafkaClient) -> None:
    """In a task of its own: aiokafka's `close_client`, called again after it was cut short, cancels its caller."""
    closing = asyncio.create_task(client.close())
    await asyncio.wait([closing])
    if not closing.cancelled():
        closing.exception()


def _quiet() -> None:
    """Silence aiokafka's log, unless somebody has set a level."""
    logger = logging.getLogger("aiokafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL + 1)
