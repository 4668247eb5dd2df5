"""Where the processes of a fault test meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import Stack, stack


@pytest.fixture(params=["kafka"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """A Kafka broker and a PostgreSQL server; two SQLite files where a test asks for `sqlite`, and in test_kill.py."""
    with stack(request.param, tmp_path) as found:
        yield found
