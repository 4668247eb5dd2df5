"""The record's tables, brought up to date by Alembic. `HEAD` is looked at first: Alembic itself is slow to import."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, inspect, text

from sink.database import patient

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"


class Transactions(Protocol):
    """A record, or the database of one that is not open yet."""

    def read(self) -> AbstractContextManager[Connection]: ...
    def write(self) -> AbstractContextManager[Connection]: ...


def upgrade(of: Transactions) -> None:
    """Bring the tables to `HEAD`; nothing is done, and nothing written, where they are there already. Raises Retry."""
    with of.read() as connection:
        if (version(connection) or "") >= HEAD:  # a newer hub may have been here: it leaves what this one needs
            return
    from alembic import command

    with of.write() as connection:
        _alone(connection)
        command.upgrade(_config(connection), HEAD)


def downgrade(of: Transactions, to: str = "base") -> None:
    """Take the tables back to an older revision, with what they held. Raises Retry."""
    from alembic import command

    with of.write() as connection:
        _alone(connection)
        command.downgrade(_config(connection), to)


def version(connection: Connection) -> str | None:
    """The revision of the tables; None: there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _alone(connection: Connection) -> None:
    """SQLite's writers stand in turn already."""
    if connection.dialect.name == "postgresql":
        patient(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(17081708)"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
