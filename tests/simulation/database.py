"""The record of a seed, and a process's view of it with the faults of a database."""

from __future__ import annotations

import shutil
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, make_url

from schemas import Retry
from sink import Record, Vault
from sink.database import Database
from tests.simulation.blocking import let_others_run
from tests.simulation.faults import Faults
from tests.simulation.process import Process
from tests.simulation.watch import Watch

KEY = bytes(range(32))
VAULT = Vault("k1", {"k1": KEY}, {"lookup": KEY, "number": KEY[::-1], "token": KEY})
SHARED_MEMORY = Path("/dev/shm")
"""A folder in memory, where the system has one: no seed waits for a disk."""


def open_cursor(sealed: str) -> str:
    """A cursor as its channel gave it."""
    return VAULT.open(b64decode(sealed), "account_states.cursor")


class Databases:
    """One database after another, each new; the engine and what it compiled are used again."""

    def __init__(self, **record: Any) -> None:
        self._folder = TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
        self.folder = Path(self._folder.name)
        self._template = self.folder / "template.db"
        self.file = self.folder / "record.db"
        self.arguments = record
        with Record.open(f"sqlite:///{self._template}", VAULT, **record):
            pass
        self.database = Database(make_url(f"sqlite:///{self.file}"), nullcontext())

    def renew(self) -> None:
        """Begin with an empty record."""
        self.database.close()
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self._template, self.file)

    def close(self) -> None:
        """Remove everything."""
        self.database.close()
        self._folder.cleanup()


class SeenRecord(Record):
    """The record as one process sees it."""

    def __init__(self, databases: Databases, faults: Faults, watch: Watch, process: Process) -> None:
        super().__init__(databases.database, VAULT, **databases.arguments)
        self._ready = True
        self._faults = faults
        self._watch = watch
        self._process = process

    @contextmanager
    def read(self) -> Iterator[Connection]:
        let_others_run()
        self._refuse()
        with super().read() as connection:
            yield connection

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Connection]:
        let_others_run()
        self._refuse()
        with super().write(urgent=urgent) as connection:
            driver: Any = connection.connection.driver_connection
            before = driver.total_changes
            yield connection
            changed = driver.total_changes != before
        if changed:
            self._watch.committed(self._process.name)
        if self._faults("record written, answer lost"):
            raise Retry("the record: the connection was lost")

    def _refuse(self) -> None:
        if self._faults("record refused"):
            raise Retry("the record: no connection")
