"""Where the processes of a fault test meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import Distributed, Embedded, Servers, Stack, servers


@pytest.fixture(scope="session")
def fragile_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Started once a worker."""
    with servers(tmp_path_factory.mktemp("servers")) as started:
        yield started


@pytest.fixture
def shared(fragile_servers: Servers, tmp_path: Path) -> Distributed:
    """A Kafka broker and a PostgreSQL server, which the test may hold up or kill."""
    return Distributed(tmp_path / "hub", fragile_servers)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Two SQLite files."""
    return Embedded(tmp_path / "hub")
