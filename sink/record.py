"""The record: its database, brought up to date, and the keys that it was kept with.

SQLite is made ready by `open`. PostgreSQL may be away then: it is made ready by whoever first reaches it, before
anything is read or written, and until then everything is Retry.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hmac import compare_digest
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, inspect, make_url, select

from schemas import Retry
from sink.bulk import put
from sink.database import Database, engine, faults
from sink.migrate import upgrade
from sink.tables import meta
from sink.vault import Vault, WrongKeys

_logger = logging.getLogger(__name__)
OTHER_KEYS = (
    "the record was kept with other keys: bring back the keys file that belongs to it, or the copy of it from the "
    "machine that works on this record already"
)


class Record:
    """Open with `Record.open`. Safe to use from several threads; several processes may have the same one open."""

    def __init__(self, database: Database, vault: Vault, owners: Mapping[str, str]) -> None:
        self.vault = vault
        self._database = database
        self._owners = owners
        self._ready = False
        self._one = Lock()

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
        database = Database(make_url(url), turn or nullcontext())
        record = cls(database, vault, owners or {})
        try:
            record._begin()
            yield record
        finally:
            database.close()

    @property
    def engine(self) -> Engine:
        return self._database.engine

    def owner(self, account: str) -> str:
        """Whose door the account is; empty where that is not known."""
        return self._owners.get(account, "")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the record. Raises Retry."""
        self._made_ready()
        with self._database.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is durable on leaving, or none on an exception. Raises Retry."""
        self._made_ready()
        with self._database.write() as connection:
            yield connection

    def _begin(self) -> None:
        try:
            self._make_ready()
        except Retry as fault:
            if self.engine.dialect.name == "sqlite":
                raise
            _logger.warning("%s; everything waits until it answers", fault.reason)

    def _made_ready(self) -> None:
        if self._ready:
            return
        with self._one:
            if not self._ready:
                try:
                    self._make_ready()
                except WrongKeys as error:  # what is on the road is not to blame: nothing may be buried for it
                    _logger.critical("%s, then start again; until then everything waits", error)
                    raise Retry(str(error)) from None

    def _make_ready(self) -> None:
        self._database.reach()
        upgrade(self._database)
        _check_keys(self._database, self.vault)
        self._ready = True


def _check_keys(database: Database, vault: Vault) -> None:
    probe = f"key {vault.key}"
    with database.read() as connection:
        kept = _kept(connection)
    _fitting(kept, vault)
    if "keys" not in kept or probe not in kept:
        fresh = [{"name": "keys", "value": vault.check()}, {"name": probe, "value": vault.seal(probe)}]
        with database.write() as connection:
            put(connection, meta, fresh, "ON CONFLICT DO NOTHING")
            _fitting(_kept(connection), vault)  # another machine may have begun it with keys of its own


def _kept(connection: Connection) -> dict[str, bytes]:
    rows: Iterable[Any] = connection.execute(select(meta)).all()
    return {name: bytes(value) for name, value in rows}


def _fitting(kept: Mapping[str, bytes], vault: Vault) -> None:
    if not fits(kept, vault):
        raise WrongKeys(OTHER_KEYS)


def fits(kept: Mapping[str, bytes], vault: Vault) -> bool:
    """Whether a record whose table `meta` holds this was kept with these keys."""
    if not compare_digest(kept.get("keys", vault.check()), vault.check()):
        return False
    try:
        return all(vault.open(sealed) == name for name, sealed in kept.items() if name.startswith("key "))
    except WrongKeys:
        return False


def fresh(url: str) -> bool:
    """Whether nothing was ever kept there, so that new keys may be made. Raises Retry."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return not Path(where.database or "").expanduser().exists()
    asked = engine(where)
    try:
        with faults(), asked.connect() as connection:
            return not inspect(connection).has_table(meta.name)
    finally:
        asked.dispose()
