"""Every flow runs on every bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flow.house import House, house


@pytest.fixture(params=["memory://", "sqlite:///{data}/bus.db"], ids=["memory", "sqlite"])
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "hub", request.param) as opened:
        yield opened
