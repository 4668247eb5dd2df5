"""The adapters that pass the contract. A test is run on each and names none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from bus import Bus, MemoryBus, SqliteBus
from bus.kafka import KafkaBus
from tests.bus.leaks import nothing_left_open

Opens = Callable[[pytest.FixtureRequest, Path], AbstractAsyncContextManager[Bus]]

ADAPTERS: dict[str, Opens] = {
    "kafka": lambda request, _: KafkaBus(f"kafka://{request.getfixturevalue('kafka')}/{uuid4().hex}"),
    "memory": lambda _request, _: MemoryBus(partitions=4),
    "sqlite": lambda _, folder: SqliteBus(folder / "bus.db", partitions=4),
}


@pytest.fixture(params=sorted(ADAPTERS))
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    adapter = ADAPTERS[request.param](request, tmp_path)
    with nothing_left_open(tmp_path):
        async with adapter as bus:
            yield bus
