"""A log in a folder of its own that leaves nothing behind, and a broker that tests may kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from tests.bus.leaks import nothing_left_open
from tests.services.kafka import Kafka


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Path]:
    with nothing_left_open(tmp_path):
        yield tmp_path / "bus.db"


@pytest.fixture(scope="session")
def fragile_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One for all tests that break it."""
    with Kafka(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
async def broker(fragile_broker: Kafka) -> Kafka:
    """A broker to be killed, paused and started again; each test leaves it running, and the next waits until it has
    recovered."""
    async with asyncio.timeout(60):
        while not await _answers(fragile_broker):
            await asyncio.sleep(0.1)
    return fragile_broker


async def _answers(broker: Kafka) -> bool:
    client = AIOKafkaClient(bootstrap_servers=broker.servers, request_timeout_ms=3000)
    try:
        await client.bootstrap()
        await client.fetch_all_metadata()
    except KafkaError:
        return False
    finally:
        await client.close()
    return True
