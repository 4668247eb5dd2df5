"""What tests of several rooms share: one real broker and one real database server for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.kafka import a_kafka
from tests.services.postgres import a_postgres


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port,…` of a real Apache Kafka. Take a prefix of your own: `kafka://{kafka}/PREFIX`."""
    with a_kafka(tmp_path_factory.mktemp("kafka")) as servers:
        yield servers


@pytest.fixture(scope="session")
def databases() -> Iterator[Iterator[str]]:
    """URLs of empty databases on a real PostgreSQL: take the next."""
    with a_postgres() as urls:
        yield urls
