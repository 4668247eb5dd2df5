"""A log in a folder of its own, and a look at what it leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bus.leaks import nothing_left_open


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Path]:
    with nothing_left_open(tmp_path):
        yield tmp_path / "bus.db"
