"""The status of a record on PostgreSQL, asked from outside: nothing is made or changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, inspect, make_url, select, text

from sink.database import faults_as_retry, make_engine
from sink.migrate import HEAD, schema_revision
from sink.record import keys_match
from sink.tables import meta
from sink.vault import Vault

OLDEST = 140000
"""The oldest server version that is supported, as PostgreSQL counts."""
_ON = ("fsync", "full_page_writes", "synchronous_commit")


class PostgresStatus(NamedTuple):
    """The answers of the server."""

    server: str
    number: int
    settings: Mapping[str, str]
    encoding: str
    standby: bool
    """It takes no writes."""
    now: datetime
    tables: str | None
    """Revision of the tables; None: there are none yet."""
    key_check: Mapping[str, bytes]
    """Empty where the record is new."""

    def problems(self) -> list[str]:
        """A line for each thing that is wrong with the server, with what to do."""
        found = [f"{name} is {self.settings[name]}: what was accepted may be lost in a power cut; turn it on"
                 for name in _ON if self.settings[name] == "off"]  # fmt: skip
        if self.number < OLDEST:
            found.append(f"version {self.server} is too old: 14 or newer is needed")
        if self.encoding != "UTF8":
            found.append(f"the database is in {self.encoding}: make one with ENCODING 'UTF8', and bring the rows over")
        if self.standby:
            found.append("this server is a standby and takes no writes: name the first one with --record")
        return found

    @property
    def needs_upgrade(self) -> bool:
        return self.tables is None or self.tables < HEAD

    def keys_match(self, vault: Vault) -> bool:
        """Whether the record was written with these keys, or is new."""
        return keys_match(self.key_check, vault)


def read_postgres_status(url: str) -> PostgresStatus:
    """Ask the server. Raises Retry where it does not answer."""
    server = make_engine(make_url(url))
    try:
        with faults_as_retry(), server.connect() as connection:
            return _status(connection)
    finally:
        server.dispose()


def _status(connection: Connection) -> PostgresStatus:
    names = (*_ON, "server_version", "server_version_num", "server_encoding")
    settings = {name: str(connection.execute(text(f"SHOW {name}")).scalar()) for name in names}
    rows = connection.execute(select(meta)).all() if inspect(connection).has_table(meta.name) else ()
    return PostgresStatus(
        server=settings["server_version"].split()[0], number=int(settings["server_version_num"]), settings=settings,
        encoding=settings["server_encoding"], now=connection.execute(text("SELECT now()")).scalar_one(),
        standby=connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one(), tables=schema_revision(connection),
        key_check={name: bytes(value) for name, value in rows},
    )  # fmt: skip
