"""The file of the log: laid out once, opened with what WAL needs, refused when it is another's or a newer one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from bus._partitions import HASH

APPLICATION = 0x53505442
FORMAT = 1

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE heads (topic TEXT, partition INTEGER, head INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE places (grp TEXT, topic TEXT, partition INTEGER, place INTEGER NOT NULL,
    member TEXT, epoch INTEGER NOT NULL, PRIMARY KEY (grp, topic, partition)) WITHOUT ROWID;
"""


class UnusableLog(Exception):  # noqa: N818 - it says what is the matter
    """The file cannot be used as a log; the message says why and what to do."""


class OpenLog(NamedTuple):
    """A connection to write with, one to read with, and how many partitions the log has."""

    writes: sqlite3.Connection
    reads: sqlite3.Connection
    partitions: int

    def close(self) -> None:
        """Inside the turnstile: the last one to close moves the WAL into the file."""
        self.reads.close()
        self.writes.close()


def open_log(path: Path, partitions: int) -> OpenLog:
    """Lay out a missing file, refuse a foreign one. Raises UnusableLog. Inside the turnstile."""
    with ExitStack() as stack:
        try:
            _create(path)
            writes, reads = _connect(path, stack), _connect(path, stack)
            writes.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only before the first table
            if not writes.execute("PRAGMA schema_version").fetchone()[0]:
                _lay_out(writes, partitions)
            stored = _check(writes)
        except (sqlite3.Error, OSError, TypeError, ValueError) as error:
            what = f"the log {path.name} cannot be used ({error}): mend the disk, bring back a copy, or move it away"
            raise UnusableLog(what) from error
        reads.execute("PRAGMA query_only=ON")
        stack.pop_all()
        return OpenLog(writes, reads, stored)


def look_into(path: Path) -> sqlite3.Connection:
    """To read only, beside those who have it open. A file that nobody has open gets no companions."""
    still = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{still}", uri=True, timeout=3)


def _create(path: Path) -> None:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # what citizens say is for nobody else on the machine
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _connect(path: Path, stack: ExitStack) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=5)
    stack.callback(connection.close)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection


def _lay_out(connection: sqlite3.Connection, partitions: int) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(  # one transaction: a crash leaves an empty file or a whole one
        f"BEGIN IMMEDIATE; {_SCHEMA} INSERT INTO meta VALUES ('hash', '{HASH}'), ('partitions', '{partitions:d}');"  # noqa: S608 - a constant and a number
        f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT}; COMMIT;"
    )


def _check(connection: sqlite3.Connection) -> int:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise UnusableLog("the file is no log of Satu Pintu: name another in SATUPINTU_BUS")
    if (version := connection.execute("PRAGMA user_version").fetchone()[0]) > FORMAT:
        raise UnusableLog(f"the log has format {version}, this version knows up to {FORMAT}: update Satu Pintu")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if meta.get("hash") != HASH:
        raise UnusableLog(f"the log places its keys by {meta.get('hash')}, this version by {HASH}: update Satu Pintu")
    return int(meta.get("partitions", ""))
