"""The record: one database, its transactions, and the keys that it was kept with.

On SQLite every write and every checkpoint is made under the `turn` that all processes share, so that no two ever
write at once (before 3.51.3 that could corrupt the file); a transaction that writes begins as such. A reading
transaction sees one moment of the whole record on both databases. Faults of the database are Retry; they never show a
value.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from hmac import compare_digest
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from schemas import Retry
from sink.bulk import put
from sink.migrate import upgrade
from sink.tables import meta
from sink.vault import Vault, WrongKeys

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-4096")
CHECKPOINT_ROWS = 25_000
"""So many rows written, and the log is copied into the file."""
WAL_LIMIT = 64 * 2**20
"""Bytes; a log that grew beyond is cut once nobody reads in it."""
CONNECTIONS = 8


class Record:
    """Open with `Record.open`. Safe to use from several threads; several processes may have the same one open."""

    def __init__(self, engine: Engine, vault: Vault, turn: AbstractContextManager[object]) -> None:
        self.vault = vault
        self.engine = engine
        self._turn = turn
        self._file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._writing = engine.execution_options(writes=True)
        self._reading = engine if self._file else engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )  # fmt: skip
        self._unsaved = 0
        self._owners: Mapping[str, str] = {}

    @classmethod
    @contextmanager
    def open(
        cls,
        url: str,
        vault: Vault,
        turn: AbstractContextManager[object] | None = None,
        *,
        owners: Mapping[str, str] | None = None,
    ) -> Iterator[Record]:
        """The record at `url`, its tables brought up to date. `turn` may be entered again and again, from any thread;
        `owners` says whose door an account is, for what comes without it. Raises WrongKeys."""
        record = cls(_engine(make_url(url)), vault, turn or nullcontext())
        record._owners = owners or {}
        try:
            with record._faults(), record._turn:
                record.engine.connect().close()  # makes the file, and sets its log up
            upgrade(record)
            record._check_keys()
            yield record
        finally:
            with record._turn:  # whoever closes a SQLite file last writes to it
                record.engine.dispose()

    def owner(self, account: str) -> str:
        """Whose door the account is; empty where that is not known."""
        return self._owners.get(account, "")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the record. Raises Retry."""
        with self._faults(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is durable on leaving, or none on an exception. Raises Retry."""
        with self._faults(), self._turn:
            with self._writing.begin() as connection:
                before = self._changes(connection)
                yield connection
                self._unsaved += self._changes(connection) - before
            self._checkpoint()

    def _changes(self, connection: Connection) -> int:
        if self._file is None:
            return 0
        driver: Any = connection.connection.driver_connection
        changes: int = driver.total_changes
        return changes

    def _checkpoint(self) -> None:
        if self._file is None or self._unsaved < CHECKPOINT_ROWS:
            return
        self._unsaved = 0
        big = os.stat(self._file + "-wal").st_size > WAL_LIMIT  # noqa: PTH116 - a suffix, not a path of its own
        with closing(self.engine.raw_connection()) as pooled:
            driver: Any = pooled.driver_connection
            driver.execute("PRAGMA busy_timeout=100")  # cutting waits for readers; the next checkpoint tries again
            driver.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if big else 'PASSIVE'})").fetchall()
            driver.execute("PRAGMA busy_timeout=10000")

    def _check_keys(self) -> None:
        probe = f"key {self.vault.key}"
        with self.read() as connection:
            rows: Iterable[Any] = connection.execute(select(meta)).all()
            kept: dict[str, bytes] = dict(rows)
        if not compare_digest(kept.get("keys", self.vault.check()), self.vault.check()):
            raise WrongKeys("the record was kept with other keys: bring back the keys file that belongs to it")
        for name, sealed in kept.items():
            if name.startswith("key ") and self.vault.open(sealed) != name:
                raise WrongKeys("the record was kept with other keys: bring back the keys file that belongs to it")
        if "keys" not in kept or probe not in kept:
            fresh = [{"name": "keys", "value": self.vault.check()}, {"name": probe, "value": self.vault.seal(probe)}]
            with self.write() as connection:
                put(connection, meta, fresh, "ON CONFLICT DO NOTHING")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                raise  # wrong SQL: a bug of ours, which passes with no waiting
            raise Retry(f"the record: {type(error.orig).__name__}{_cause(error)}") from error
        except PoolTimeout as error:
            raise Retry("the record: all connections are in use") from error


def _cause(error: DBAPIError) -> str:
    """SQLite's own words name tables and files, never values; those of PostgreSQL may."""
    return f": {error.orig}" if isinstance(error.orig, sqlite3.Error) else ""


def fresh(url: str) -> bool:
    """Whether nothing was ever kept there, so that new keys may be made. Raises Retry."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return not Path(where.database or "").expanduser().exists()
    engine = create_engine(where)
    try:
        return not inspect(engine).has_table(meta.name)
    except OperationalError as error:
        raise Retry(f"the record: {type(error.orig).__name__}") from error
    finally:
        engine.dispose()


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    path = Path(url.database or "").expanduser()
    with suppress(FileExistsError):  # never opened again by hand: closing it would drop the locks that SQLite holds
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    engine = create_engine(
        url.set(database=str(path)),
        pool_size=CONNECTIONS, max_overflow=0, pool_use_lifo=True, hide_parameters=True,
        connect_args={"timeout": 10, "check_same_thread": False},
    )  # fmt: skip
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
