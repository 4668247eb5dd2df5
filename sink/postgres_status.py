"""How a record on PostgreSQL stands: a look from outside, which makes and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, inspect, make_url, select, text

from sink.database import engine, faults
from sink.migrate import HEAD, version
from sink.record import fits
from sink.tables import meta
from sink.vault import Vault

OLDEST = 140000
"""Server version that this is made for, in its own count."""
_ON = ("fsync", "full_page_writes", "synchronous_commit")


class Standing(NamedTuple):
    """What the server says."""

    server: str
    number: int
    settings: Mapping[str, str]
    encoding: str
    standby: bool
    """It takes no writes."""
    now: datetime
    tables: str | None
    """Revision of the tables; None: there are none yet."""
    kept: Mapping[str, bytes]
    """The key check; empty where nothing was kept yet."""

    def surprises(self) -> list[str]:
        """What is wrong with the server, and what to do."""
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
    def behind(self) -> bool:
        return self.tables is None or self.tables < HEAD

    def fits(self, vault: Vault) -> bool:
        """Whether it was kept with these keys, or with none yet."""
        return fits(self.kept, vault)


def standing(url: str) -> Standing:
    """Ask the server. Raises Retry where it does not answer."""
    asked = engine(make_url(url))
    try:
        with faults(), asked.connect() as connection:
            return _standing(connection)
    finally:
        asked.dispose()


def _standing(connection: Connection) -> Standing:
    names = (*_ON, "server_version", "server_version_num", "server_encoding")
    settings = {name: str(connection.execute(text(f"SHOW {name}")).scalar()) for name in names}
    rows = connection.execute(select(meta)).all() if inspect(connection).has_table(meta.name) else ()
    return Standing(
        server=settings["server_version"].split()[0], number=int(settings["server_version_num"]), settings=settings,
        encoding=settings["server_encoding"], now=connection.execute(text("SELECT now()")).scalar_one(),
        standby=connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one(), tables=version(connection),
        kept={name: bytes(value) for name, value in rows},
    )  # fmt: skip
