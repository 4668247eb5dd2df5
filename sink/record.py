"""The record: its database, brought up to date, and the keys with which it is written.

SQLite is made ready by `open`. PostgreSQL may be unavailable then: it is made ready on the first transaction that
reaches it, and until then every transaction raises Retry.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hmac import compare_digest
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, inspect, make_url, select

from schemas import Retry
from sink.bulk import insert
from sink.database import Database, faults_as_retry, make_engine
from sink.identifiers import Identifiers
from sink.migrate import upgrade
from sink.tables import meta
from sink.vault import Vault, WrongKeys

_logger = logging.getLogger(__name__)
OTHER_KEYS = (
    "the record was written with other keys: bring back the keys file that belongs to it, or the copy of it from the "
    "machine that works on this record already"
)


class Record:
    """Open with `Record.open`. Safe to use from several threads; several processes may have the same one open."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        owners: Mapping[str, str] | None = None,
        personal_ids: Container[object] = frozenset(),
    ) -> None:
        self.vault = vault
        self.ids = Identifiers(vault, personal_ids)
        self._database = database
        self._owners = owners or {}
        self._ready = False
        self._preparing = Lock()

    @classmethod
    @contextmanager
    def open(
        cls,
        url: str,
        vault: Vault,
        turn: AbstractContextManager[object] | None = None,
        *,
        owners: Mapping[str, str] | None = None,
        personal_ids: Container[object] = frozenset(),
    ) -> Iterator[Record]:
        """The record at `url`, its tables brought up to date. Raises WrongKeys.

        `turn` may be entered again and again, from any thread. `owners` gives an account's owner, for rows that come
        without it. `personal_ids` are the channel kinds in whose ids a phone number may be encoded."""
        database = Database(make_url(url), turn or nullcontext())
        record = cls(database, vault, owners, personal_ids)
        try:
            record._prepare_now_or_later()
            yield record
        finally:
            database.close()

    @property
    def engine(self) -> Engine:
        return self._database.engine

    def owner(self, account: str) -> str:
        """The account's owner; empty where that is not known."""
        return self._owners.get(account, "")

    def public_id(self, kind: str, native: str) -> str:
        """A channel's id as it may leave the program."""
        return self.ids.public_id(kind, native)

    def message_key(self, channel: str, account: str, native: str) -> bytes:
        """The hash by which a channel's id is looked up, whether of a message, an action or a reply."""
        return self.ids.key(channel, account, native)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the record. Raises Retry."""
        self._prepare_once()
        with self._database.read() as connection:
            yield connection

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Connection]:
        """A transaction that writes: all of it is durable on leaving, or none on an exception. `urgent` waits for no
        other call's connection. Raises Retry."""
        self._prepare_once()
        with self._database.write(urgent=urgent) as connection:
            yield connection

    def _prepare_now_or_later(self) -> None:
        try:
            self._prepare()
        except Retry as fault:
            if self.engine.dialect.name == "sqlite":
                raise
            _logger.warning("%s; everything waits until it answers", fault.reason)

    def _prepare_once(self) -> None:
        if self._ready:
            return
        with self._preparing:
            if not self._ready:
                try:
                    self._prepare()
                except WrongKeys as error:  # the events are not at fault: they must not become dead letters
                    _logger.critical("%s, then start again; until then everything waits", error)
                    raise Retry(str(error)) from None

    def _prepare(self) -> None:
        self._database.connect_once()
        upgrade(self._database)
        _check_keys(self._database, self.vault)
        self._ready = True


def _check_keys(database: Database, vault: Vault) -> None:
    probe = f"key {vault.key}"
    with database.read() as connection:
        stored = _key_check(connection)
    _require_match(stored, vault)
    if "keys" not in stored or probe not in stored:
        rows = [{"name": "keys", "value": vault.check()}, {"name": probe, "value": vault.seal(probe, "meta.value")}]
        with database.write() as connection:
            insert(connection, meta, rows, "ON CONFLICT DO NOTHING")
            _require_match(_key_check(connection), vault)  # another machine may have begun with keys of its own


def _key_check(connection: Connection) -> dict[str, bytes]:
    rows: Iterable[Any] = connection.execute(select(meta)).all()
    return {name: bytes(value) for name, value in rows}


def _require_match(stored: Mapping[str, bytes], vault: Vault) -> None:
    if not keys_match(stored, vault):
        raise WrongKeys(OTHER_KEYS)


def keys_match(stored: Mapping[str, bytes], vault: Vault) -> bool:
    """Whether the record whose table `meta` holds this was written with these keys, or is new."""
    if not compare_digest(stored.get("keys", vault.check()), vault.check()):
        return False
    probes = {name: sealed for name, sealed in stored.items() if name.startswith("key ")}
    try:
        return all(vault.open(sealed, "meta.value") == name for name, sealed in probes.items())
    except WrongKeys:
        return False


def is_new(url: str) -> bool:
    """Whether there is no record yet, so that new keys may be made. Raises Retry."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return not Path(parsed.database or "").expanduser().exists()
    server = make_engine(parsed)
    try:
        with faults_as_retry(), server.connect() as connection:
            return not inspect(connection).has_table(meta.name)
    finally:
        server.dispose()
