"""The database under the record, and its transactions.

On SQLite every write and every checkpoint is made under the `turn` that all processes share, so that no two ever
write at once (before 3.51.3 that could corrupt the file); a transaction that writes begins as such. On PostgreSQL
writers work side by side (READ COMMITTED; docs/decisions/0009). A reading transaction sees one moment of the whole
record on both. Faults of the database become Retry; they never show a value.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from schemas import Retry

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-4096", "cache_spill=16384")
CHECKPOINT_ROWS = 25_000
"""Rows written after which the log is copied into the file."""
WAL_LIMIT = 64 * 2**20
"""Bytes; a larger log is cut once nobody reads in it."""
CONNECTIONS = 8
POOL_WAIT = 30.0
"""Seconds that a call waits for a free one."""
POSTGRES = {
    "application_name": "satupintu",
    "connect_timeout": "5",
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "40000",
    "options": "-c statement_timeout=60s -c lock_timeout=30s -c idle_in_transaction_session_timeout=60s "
    "-c plan_cache_mode=force_custom_plan -c jit=off -c timezone=UTC",
}
"""Limits, so that a dead server or a lock blocks nobody for ever; and a new plan for each execution, so that none
outlives the time when the tables were empty. UTC, since the last day of the year 9999 cannot be read in a zone that is
ahead of it. A setting in the URL wins."""
IDLE = 0.1
"""Seconds after which a connection is pinged before it is used: most are used again at once."""
_PASSING = ("42P01", "42501")
"""PostgreSQL's states for faults that are not our statement's: missing tables, missing rights."""
_FAULTS = ("OperationalError", "InterfaceError", "InternalError", "DatabaseError")
"""SQLAlchemy's names for faults of the database itself: unavailable, full, damaged, a standby, a transaction that slept
too long."""


class Database:
    """Connections to one database. Safe to use from several threads and by several processes."""

    def __init__(self, url: URL, turn: AbstractContextManager[object]) -> None:
        self.engine = make_engine(url)
        self.turn = turn
        self._file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self._writing = self.engine.execution_options(writes=True)
        self._urgent = make_engine(url, 1).execution_options(writes=True)
        self._reading = self.engine if self._file else self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )  # fmt: skip
        self._since_checkpoint = 0

    def connect_once(self) -> None:
        """Try a connection; on SQLite that makes the file, and sets its log up. Raises Retry."""
        with faults_as_retry(), self.turn:
            self.engine.connect().close()

    def close(self) -> None:
        """Under the turn: the last connection that is closed writes to a SQLite file."""
        with self.turn:
            self.engine.dispose()
            self._urgent.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment. Raises Retry."""
        with faults_as_retry(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Connection]:
        """A transaction that writes: all of it is durable on leaving, or none on an exception. `urgent` has a
        connection of its own, for which it waits behind no slow reader. Raises Retry."""
        engine = self._urgent if urgent else self._writing
        with faults_as_retry(), engine.connect() as connection, self.turn:  # others wait for the turn
            with connection.begin():
                before = self._changes(connection)
                yield connection
                self._since_checkpoint += self._changes(connection) - before
            self._checkpoint(connection)

    def _changes(self, connection: Connection) -> int:
        if self._file is None:
            return 0
        driver: Any = connection.connection.driver_connection
        changes: int = driver.total_changes
        return changes

    def _checkpoint(self, connection: Connection) -> None:
        if self._file is None or self._since_checkpoint < CHECKPOINT_ROWS:
            return
        self._since_checkpoint = 0
        with suppress(sqlite3.Error, OSError):  # the rows are durable already; the next checkpoint tries again
            big = os.stat(self._file + "-wal").st_size > WAL_LIMIT  # noqa: PTH116 - a suffix, not a path of its own
            _copy_log(connection.connection.driver_connection, "TRUNCATE" if big else "PASSIVE")


def _copy_log(driver: Any, how: str) -> None:
    driver.execute("PRAGMA busy_timeout=100")  # cutting waits for readers
    try:
        driver.execute(f"PRAGMA wal_checkpoint({how})").fetchall()
    finally:
        driver.execute("PRAGMA busy_timeout=10000")


def allow_long_statements(connection: Connection) -> None:
    """This transaction reads or changes whole tables."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('statement_timeout', '1h', true)"))


@contextmanager
def faults_as_retry() -> Iterator[None]:
    """A fault that may pass becomes Retry."""
    try:
        yield
    except DBAPIError as error:
        if not _may_pass(error):
            raise
        raise Retry(f"the record: {type(error.orig).__name__}{_cause(error)}") from error
    except PoolTimeout as error:
        raise Retry("the record: all connections are in use") from error


def _may_pass(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False  # wrong SQL: a bug of ours
    return type(error).__name__ in _FAULTS or getattr(error.orig, "sqlstate", None) in _PASSING


def _cause(error: DBAPIError) -> str:
    """SQLite's messages name tables and files, never values; PostgreSQL's may hold values of the statement."""
    if isinstance(error.orig, sqlite3.Error):
        return f": {error.orig}"
    state = getattr(error.orig, "sqlstate", None)
    if error.statement is None and state is None:
        return f": {' '.join(str(error.orig).split())}"
    return f" {state}" if state else ""


def make_engine(url: URL, connections: int = CONNECTIONS) -> Engine:
    """An engine with the record's settings. It does not connect yet."""
    pool: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_timeout": POOL_WAIT,
                            "pool_use_lifo": True, "hide_parameters": True}  # fmt: skip
    if url.get_backend_name() != "sqlite":
        settings = {name: value for name, value in POSTGRES.items() if name not in url.query}
        server = create_engine(url, **pool, connect_args=settings)
        event.listen(server, "checkin", _stamp_return)
        event.listen(server, "checkout", partial(_ping_after_idle, server.dialect))
        return server
    path = Path(url.database or "").expanduser()
    with suppress(FileExistsError):  # opening it again by hand and closing it would drop SQLite's locks
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    made = create_engine(url.set(database=str(path)), **pool, connect_args={"timeout": 10, "check_same_thread": False})
    event.listen(made, "connect", _set_up)
    event.listen(made, "begin", _begin)
    return made


def _stamp_return(_: object, record: ConnectionPoolEntry) -> None:
    record.info["returned"] = time.monotonic()


def _ping_after_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """As SQLAlchemy's `pool_pre_ping`, which pings each time."""
    returned = record.info.get("returned")
    if returned is None or time.monotonic() - returned < IDLE:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error  # the pool tries another


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
