"""A read-only session with a database: nothing can be written in it, each query has its time, and what one page says is
of one moment (a snapshot).

PostgreSQL, MariaDB, MySQL and SQLite are tried with real servers; Oracle (`pip install oracledb`) is written after its
manual. A database whose sessions cannot be made read-only is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from connectors._database_faults import as_our_fault
from schemas import AccountFault

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

CONNECT_WITHIN = 10
"""Seconds."""
NETWORK_LIMITS = {
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "40000",
}
"""Of PostgreSQL, whose statement_timeout is the server's own: a network that drops everything hangs nobody for ever."""
_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg", 5432),
    "postgres": ("postgresql+psycopg", "psycopg", 5432),
    "mysql": ("mysql+pymysql", "pymysql", 3306),
    "mariadb": ("mariadb+pymysql", "pymysql", 3306),
    "sqlite": ("sqlite", "sqlite3", 0),
    "oracle": ("oracle+oracledb", "oracledb", 1521),
}
"""Of the scheme of an address: the driver, its package, and the usual port."""


class DatabaseAddress(NamedTuple):
    """Where a database is, and how it is spoken to."""

    url: URL
    port: int

    @property
    def shown(self) -> str:
        """Without user and password; empty for a file."""
        return f"{self.url.get_backend_name()}://{self.url.host}:{self.port}" if self.url.host else ""


def read_address(written: str, password: str) -> DatabaseAddress:
    """`postgresql://user@host/database`. Raises ValueError, which shows nothing of what was written."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        url = make_url(written)
    except (SQLAlchemyError, ValueError):
        raise ValueError("url: takes an address as postgresql://user@host/database") from None
    if (known := _DRIVERS.get(url.get_backend_name())) is None:
        raise ValueError(
            "url: only sessions of postgresql, mariadb, mysql, sqlite and oracle can be made read-only: "
            "have another kind of database exported into files (kind file)"
        )
    driver, package, port = known
    if not url.database or (port and not url.host):
        raise ValueError("url: takes an address with a host and a database, as postgresql://user@host/database")
    try:
        import_module(package)
    except ImportError:
        raise ValueError(f"url: its driver is missing: pip install {package}") from None
    url = url.set(drivername=driver)
    return DatabaseAddress(url.set(password=password) if password else url, url.port or port)


class DatabaseSessions:
    """The sessions of one account, over one connection that stays open until `close`."""

    def __init__(self, address: DatabaseAddress, zone: str, timeout: float) -> None:
        self._address, self._zone, self._timeout = address, zone, timeout
        self._engine: Engine | None = None

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """Inside a transaction that is read-only and sees one moment, and is rolled back at its end. Raises Retry or
        AccountFault."""
        if self._engine is None:
            self._engine = _engine(self._address.url, self._timeout)
        with as_our_fault(), self._engine.connect() as connection:
            _DIALECTS[self._engine.dialect.name](connection, self._zone, self._timeout)
            if is_read_only(connection) is False:
                raise AccountFault("not_read_only", "the server does not make the session read-only: ask its operator")
            yield connection

    def close(self) -> None:
        """The connection; a later session opens another."""
        if self._engine is not None:
            self._engine.dispose()


def is_read_only(connection: Connection) -> bool | None:
    """By the server's own word. None: a server of this kind cannot be asked."""
    name = "mariadb" if getattr(connection.dialect, "is_mariadb", False) else connection.dialect.name
    if (asked := _ASKED.get(name)) is None:
        return None
    return str(connection.exec_driver_sql(asked).scalar()).lower() in {"1", "on"}


_ASKED = {
    "postgresql": "SHOW transaction_read_only",
    "mysql": "SELECT @@session.transaction_read_only",
    "mariadb": "SELECT @@session.tx_read_only",
    "sqlite": "PRAGMA query_only",
}


def _engine(url: URL, timeout: float) -> Engine:
    from sqlalchemy import QueuePool, create_engine

    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        own = f"-c default_transaction_read_only=on -c statement_timeout={int(timeout * 1000)}"
        arguments = {"connect_timeout": CONNECT_WITHIN, "options": own, "application_name": "satupintu"}
        arguments |= NETWORK_LIMITS
    elif url.get_backend_name() in {"mysql", "mariadb"}:
        arguments = {"connect_timeout": CONNECT_WITHIN, "read_timeout": int(timeout) + CONNECT_WITHIN}
        arguments |= {"charset": "utf8mb4", "local_infile": False}
    elif url.get_backend_name() == "sqlite":
        url = url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})
        arguments = {"timeout": CONNECT_WITHIN}
    return create_engine(url, poolclass=QueuePool, pool_size=1, connect_args=arguments, hide_parameters=True)


def _postgresql(connection: Connection, zone: str, timeout: float) -> None:
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _mysql(connection: Connection, zone: str, timeout: float) -> None:
    """Its sessions count the time of a query in seconds (MariaDB) or in milliseconds (MySQL)."""
    is_mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
    limit = f"max_statement_time = {timeout}" if is_mariadb else f"max_execution_time = {int(timeout * 1000)}"
    offset = datetime.now(ZoneInfo(zone)).isoformat()[-6:]
    connection.exec_driver_sql(f"SET SESSION {limit}, time_zone = '{offset}'")
    connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.rollback()
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _sqlite(connection: Connection, zone: str, timeout: float) -> None:
    until = time.monotonic() + timeout
    own: Any = connection.connection.driver_connection
    own.set_progress_handler(lambda: time.monotonic() > until, 10_000)
    connection.exec_driver_sql("PRAGMA query_only = ON")
    connection.exec_driver_sql("BEGIN")


def _oracle(connection: Connection, zone: str, timeout: float) -> None:
    own: Any = connection.connection.driver_connection
    own.call_timeout = int(timeout * 1000)
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")


_DIALECTS = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite": _sqlite,
    "oracle": _oracle,
}
