"""What tests of several rooms share: one real broker and one real database server, for the whole run where
`tests.services` starts them, else for each worker."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.examples import register_profiles
from tests.services.kafka import a_kafka
from tests.services.postgres import a_postgres

if TYPE_CHECKING:
    from tests.flow.account_processes import AccountProcess, World

SERVICES = {"kafka", "databases", "postgres", "browser"}
"""Fixtures that start a server."""
LATE = {"flow", "faults"}
"""Rooms whose tests wait for whole programs."""
PROGRAMS = {"cli"}
"""Rooms whose tests start a program each."""
SPREAD = {"simulation", *LATE}
"""Rooms whose tests are long and share nothing: each runs on the worker that is free. Elsewhere a file stays on one
worker, with the servers that it started."""
LONGEST = "simulation"
"""Of the rooms whose tests are spread, this begins."""
WHOLE = ("test_drill.py", "test_stages.py")
"""But for these files: the tests of one judge one run, those of the other take the servers that they break in turn."""

register_profiles()


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Which tests stay together (xdist's own groups do nothing under pytest 9)."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file.split("/")[1] in SPREAD and not file.endswith(WHOLE) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """xdist asks for it at its start."""
    return ByFile(config, log)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes give a test no name: what a compressor made holds its time, and each worker would name it otherwise."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: the garbage collector need not search it, neither now nor later."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, and what runs last; begin with what takes longest, so that nothing waits for its end.

    Real servers and programs share two processors with all else: such a test has a second attempt, with new fixtures,
    and the summary names each that took it (RERUN). A test of our code alone has none.
    """
    for item in items:
        on_kafka = "kafka" in item.nodeid.lower() or "kafka" in getattr(item, "fixturenames", ())
        on_postgres = "postgres" in item.nodeid.lower()
        on_server = SERVICES & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("browser")
        if on_kafka or on_postgres or on_server:
            item.add_marker(pytest.mark.service)
        room = _room(item)
        if on_kafka or item.get_closest_marker("slow") or room in LATE:
            item.add_marker(pytest.mark.late)
        if room in PROGRAMS:
            item.add_marker(pytest.mark.program)
        if any(item.get_closest_marker(which) for which in ("service", "late", "program")):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=lambda item: _room(item) != LONGEST)


def _room(item: pytest.Item) -> str:
    """The folder."""
    return item.path.relative_to(item.config.rootpath).parts[1]


@pytest.fixture(scope="session", autouse=True)
def tables_are_copied() -> Iterator[None]:
    """A record that a test opens on a new SQLite file gets copies of the tables that the migrations made once."""
    from sink import record
    from tests.record_tables import upgrade_by_copy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "upgrade", upgrade_by_copy)
        yield


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


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A record and a bus for processes of the stage `accounts`."""
    from tests.flow.account_processes import account_world

    async with account_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def processes(world: World) -> AsyncIterator[list[AccountProcess]]:
    """Started ones are stopped at the end."""
    started: list[AccountProcess] = []
    yield started
    await asyncio.gather(*(process.stop() for process in started))
