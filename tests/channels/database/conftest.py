"""The same hotline in three databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.channels.database.sources import Source
from tests.services.mariadb import a_mariadb


@pytest.fixture(scope="session")
def mariadb_urls() -> Iterator[Iterator[str]]:
    """URLs of empty databases on a real MariaDB."""
    with a_mariadb() as urls:
        yield urls


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.service),
        pytest.param("mariadb", marks=pytest.mark.service),
    ]
)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    if request.param == "sqlite":
        return Source(f"sqlite:///{tmp_path}/hotline.db", tmp_path)
    fixture = "databases" if request.param == "postgresql" else "mariadb_urls"
    return Source(next(request.getfixturevalue(fixture)), tmp_path)
