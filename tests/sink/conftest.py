"""Every test of the record runs on every database: SQLite, and PostgreSQL where its URL is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock

import pytest

from sink import Record, Vault, downgrade

POSTGRES = os.environ.get("SATUPINTU_TEST_POSTGRES")
"""URL of an empty database, as postgresql+psycopg://…"""
DATABASES = ["sqlite", *(["postgresql"] if POSTGRES else [])]
Opens = Callable[..., AbstractContextManager[Record]]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(tmp_path / "keys.toml")


@pytest.fixture(params=DATABASES)
def opens(request: pytest.FixtureRequest, tmp_path: Path, vault: Vault) -> Iterator[Opens]:
    """Opens the same record again and again, as processes would."""
    turn = Lock() if request.param == "sqlite" else None
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else str(POSTGRES)

    def open_(keys: Vault = vault) -> AbstractContextManager[Record]:
        return Record.open(url, keys, turn, owners={"sms": "32.73"})

    yield open_
    if request.param == "postgresql":
        with open_() as record:
            downgrade(record)


@pytest.fixture
def record(opens: Opens) -> Iterator[Record]:
    with opens() as opened:
        yield opened
