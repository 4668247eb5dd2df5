"""A log in a folder of its own that leaves nothing behind, and a broker that tests may kill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.bus.leaks import nothing_left_open
from tests.services.kafka import Kafka


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Path]:
    with nothing_left_open(tmp_path):
        yield tmp_path / "bus.db"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker to be killed, paused and started again; each test leaves it running."""
    with Kafka(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
