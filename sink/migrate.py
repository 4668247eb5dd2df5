"""The record's tables, brought up to date by Alembic. `HEAD` is looked at first: Alembic itself is slow to import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

    from sink.record import Record

HEAD = "0001"


def upgrade(record: Record) -> None:
    """Bring the tables to `HEAD`; nothing is done, and nothing written, where they are there already."""
    with record.read() as connection:
        if _version(connection) == HEAD:
            return
    from alembic import command

    with record.write() as connection:
        _alone(connection)
        command.upgrade(_config(connection), HEAD)


def downgrade(record: Record, to: str = "base") -> None:
    """Take the tables back to an older revision, with what they held."""
    from alembic import command

    with record.write() as connection:
        _alone(connection)
        command.downgrade(_config(connection), to)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _alone(connection: Connection) -> None:
    """SQLite's writers stand in turn already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(17081708)"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
