"""What tests of several rooms share: one real broker and one real database server for each worker of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.services.kafka import a_kafka
from tests.services.postgres import a_postgres

SERVICES = {"kafka", "databases", "browser"}
"""Fixtures that start a server."""
ALONE = {"flow", "faults", "simulation"}
"""Rooms whose tests wait for whole programs."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what needs a server, and what has to have the machine to itself."""
    for item in items:
        on_kafka = "kafka" in item.nodeid.lower() or "kafka" in getattr(item, "fixturenames", ())
        if on_kafka or SERVICES & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.service)
        room = item.path.relative_to(item.config.rootpath).parts[1]
        if on_kafka or item.get_closest_marker("slow") or room in ALONE:
            item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port,…` of a real Apache Kafka. Take a prefix of your own: `kafka://{kafka}/PREFIX?brokers=1`."""
    with a_kafka(tmp_path_factory.mktemp("kafka")) as servers:
        yield servers


@pytest.fixture(scope="session")
def databases() -> Iterator[Iterator[str]]:
    """URLs of empty databases on a real PostgreSQL: take the next."""
    with a_postgres() as urls:
        yield urls
