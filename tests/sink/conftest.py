"""Every test of the record runs on SQLite and on a real PostgreSQL, each test on a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

import psycopg
import pytest
from sqlalchemy import make_url

from sink import Record, Vault
from tests.services.postgres import a_postgres

OpenRecord = Callable[..., AbstractContextManager[Record]]
Urls = Iterator[str]
OWNERS = {"sms": "32.73", "wa": "32.73"}
PERSONAL_IDS = frozenset({"whatsapp"})


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(tmp_path / "keys.toml")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Urls]:
    """URLs of empty databases."""
    with a_postgres() as urls:
        yield urls


@pytest.fixture(scope="session")
def template(postgres: Urls, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a database with the tables in it: copying it takes a tenth of the time of the migrations."""
    url = next(postgres)
    keys = Vault.create(tmp_path_factory.mktemp("keys") / "keys.toml")
    with Record.open(url, keys) as record, record.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A record with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'record.db'}"
    else:
        with copy_of(request.getfixturevalue("template")) as database:
            yield database


@pytest.fixture
def postgres_url(template: str) -> Iterator[str]:
    """A record with nothing in it, on PostgreSQL."""
    with copy_of(template) as database:
        yield database


@pytest.fixture
def empty(postgres: Urls) -> str:
    """An empty database on PostgreSQL."""
    return next(postgres)


@pytest.fixture
def open_record(url: str, vault: Vault) -> OpenRecord:
    """Opens the same record again and again, as several processes would."""
    turn = Lock() if url.startswith("sqlite:") else None

    @contextmanager
    def open_(keys: Vault = vault) -> Iterator[Record]:
        with Record.open(url, keys, turn, owners=OWNERS, personal_ids=PERSONAL_IDS) as record:
            yield record
            assert record.engine.pool.checkedout() == 0, "a connection was left checked out"  # type: ignore[attr-defined]

    return open_


@pytest.fixture
def record(open_record: OpenRecord) -> Iterator[Record]:
    with open_record() as opened:
        yield opened


@pytest.fixture
def sqlite_record(tmp_path: Path, vault: Vault) -> Iterator[Record]:
    """A record on SQLite, for what only SQLite has."""
    url = f"sqlite:///{tmp_path / 'record.db'}"
    with Record.open(url, vault, Lock(), owners=OWNERS, personal_ids=PERSONAL_IDS) as opened:
        yield opened


@contextmanager
def copy_of(template: str) -> Iterator[str]:
    """A database like it, while the context lasts."""
    url = make_url(template)
    name = f"{url.database}_copy"
    server = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {url.database}")
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
