"""Every flow runs on SQLite alone, and on Kafka with PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flow.running_hub import RunningHub, running_hub

BUSES = {"sqlite": "sqlite:///{data}/bus.db"}


@pytest.fixture(params=[*BUSES, "kafka"])
async def hub(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningHub]:
    """On the embedded bus with the embedded record, on Kafka with PostgreSQL."""
    bus, record = BUSES.get(request.param), None
    if bus is None:
        bus = f"kafka://{request.getfixturevalue('kafka')}/{tmp_path.name}?brokers=1"
        record = next(request.getfixturevalue("databases"))
    async with running_hub(tmp_path / "hub", bus, record) as opened:
        yield opened
