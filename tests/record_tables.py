"""The tables of a new SQLite record: migrated once in a process, then copied, in an eighth of the time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect

from sink.migrate import Transactions, schema_revision, upgrade

_COPIED: list[str] = []
"""The statements that make the tables as the migrations do."""


def upgrade_by_copy(record: Transactions) -> None:
    """As `sink.upgrade`."""
    with record.read() as connection:
        is_new = _is_new(connection)
    if is_new and _COPIED:
        with record.write() as connection:
            _copy(connection)
    upgrade(record)
    if is_new and not _COPIED:
        with record.read() as connection:
            _COPIED.extend(_statements(connection))


def _is_new(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()


def _copy(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    for statement in _COPIED if _is_new(connection) else ():  # another thread may have been first
        driver.execute(statement)


def _statements(connection: Connection) -> list[str]:
    stored = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' ORDER BY rowid"
    made = [str(sql) for sql in connection.exec_driver_sql(stored).scalars()]
    return [*made, f"INSERT INTO alembic_version VALUES ('{schema_revision(connection)}')"]
