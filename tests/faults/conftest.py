"""Where the processes of a fault test meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import Stack, stack


@pytest.fixture(params=["sqlite", "kafka"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """Two SQLite files; a Kafka broker and a PostgreSQL server."""
    with stack(request.param, tmp_path) as found:
        yield found
