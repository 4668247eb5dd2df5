"""The record's tables, brought up to date by Alembic. The revision is compared first: Alembic is slow to import."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, inspect, text

from sink.database import allow_long_statements

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"


class Transactions(Protocol):
    """A record, or the database of one that is not open yet."""

    def read(self) -> AbstractContextManager[Connection]: ...
    def write(self) -> AbstractContextManager[Connection]: ...


def upgrade(of: Transactions) -> None:
    """Bring the tables to `HEAD`; writes nothing where they are at it already. Raises Retry."""
    with of.read() as connection:
        if (schema_revision(connection) or "") >= HEAD:  # a newer hub leaves what this one needs
            return
    from alembic import command

    with of.write() as connection:
        _lock_migrations(connection)
        command.upgrade(_config(connection), HEAD)


def downgrade(of: Transactions, to: str = "base") -> None:
    """Take the tables back to an older revision; what they held is lost. Raises Retry."""
    from alembic import command

    with of.write() as connection:
        _lock_migrations(connection)
        command.downgrade(_config(connection), to)


def schema_revision(connection: Connection) -> str | None:
    """The revision of the tables; None: there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _lock_migrations(connection: Connection) -> None:
    """One process migrates at a time; SQLite's writers take turns anyway."""
    if connection.dialect.name == "postgresql":
        allow_long_statements(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(17081708)"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
