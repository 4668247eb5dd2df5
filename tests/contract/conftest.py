"""The adapters that pass the contract. A test is run on each and names none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bus import Bus, MemoryBus, SqliteBus
from tests.bus.leaks import nothing_left_open

ADAPTERS: dict[str, Callable[[Path], MemoryBus | SqliteBus]] = {
    "memory": lambda _: MemoryBus(partitions=4),
    "sqlite": lambda folder: SqliteBus(folder / "bus.db", partitions=4),
}


@pytest.fixture(params=sorted(ADAPTERS))
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    with nothing_left_open(tmp_path):
        async with ADAPTERS[request.param](tmp_path) as bus:
            yield bus
