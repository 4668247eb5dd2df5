"""The adapters that pass the contract. A test is run on each and names none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from bus import BodyStore, Bus, MemoryBodyStore, MemoryBus, SqliteBus
from bus.kafka import KafkaBus
from tests.bus.leaks import nothing_left_open

Opens = Callable[[BodyStore | None], AbstractAsyncContextManager[Bus]]


@pytest.fixture(params=["kafka", "memory", "sqlite"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Opens:
    """Opens an adapter with that store of bodies."""
    if request.param == "kafka":
        url = f"kafka://{request.getfixturevalue('kafka')}/{uuid4().hex}?brokers=1"
        return lambda bodies: KafkaBus(url, bodies=bodies)
    if request.param == "sqlite":
        return lambda bodies: SqliteBus(tmp_path / "bus.db", partitions=4, bodies=bodies)
    return lambda bodies: MemoryBus(partitions=4, bodies=bodies)


@pytest.fixture
def bodies() -> MemoryBodyStore:
    """The bodies of `bus`."""
    return MemoryBodyStore()


@pytest.fixture
async def bus(opens: Opens, bodies: MemoryBodyStore, tmp_path: Path) -> AsyncIterator[Bus]:
    """An adapter with a store of bodies."""
    with nothing_left_open(tmp_path):
        async with opens(bodies) as bus:
            yield bus


@pytest.fixture
async def bare(opens: Opens, tmp_path: Path) -> AsyncIterator[Bus]:
    """An adapter without one."""
    with nothing_left_open(tmp_path):
        async with opens(None) as bus:
            yield bus
