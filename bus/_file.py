"""The file of the log: laid out once, opened as WAL needs it, refused when it is no log or of another format."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from bus._partitions import HASH

APPLICATION = 0x53505442
FORMAT = 2

_RIGHTS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY}
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE heads (topic TEXT, partition INTEGER, head INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE offsets (grp TEXT, topic TEXT, partition INTEGER, offset INTEGER NOT NULL,
    member TEXT, epoch INTEGER NOT NULL, PRIMARY KEY (grp, topic, partition)) WITHOUT ROWID;
"""


class UnusableLog(Exception):  # noqa: N818 - it names what is the matter
    """The file cannot be used as a log; the message says why and what to do."""


class SqliteConnections(NamedTuple):
    """A connection to write with, one to read with, and how many partitions the log has."""

    writes: sqlite3.Connection
    reads: sqlite3.Connection
    partitions: int

    def close(self) -> None:
        """Inside the turnstile: the last one to close moves the WAL into the file."""
        self.reads.close()
        self.writes.close()


def open_log(path: Path, partitions: int) -> SqliteConnections:
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
            raise UnusableLog(f"the log {path.name} cannot be used ({error}): {_remedy(error)}") from error
        reads.execute("PRAGMA query_only=ON")
        stack.pop_all()
        return SqliteConnections(writes, reads, stored)


def _remedy(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    if code & 0xFF == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) == errno.ENOSPC:
        return "free space on its disk, and leave the log where it is: it holds what was accepted"
    if code & 0xFF in _RIGHTS or isinstance(error, PermissionError):
        return "chown it to the user of the hub, and leave it where it is: it holds what was accepted"
    return "mend the disk, bring back a copy, or move it away"


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that only reads. It leaves no -wal and -shm beside a file that nobody has open."""
    immutable = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, timeout=3)


def _create(path: Path) -> None:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # citizens' words are for nobody else on the machine
    sync_folder(path.parent)  # also where another process has just made it: it may not have come to this yet


def make_folder(folder: Path) -> None:
    """Make it and its parents, so that they survive a power cut. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Return when the names in the folder would survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
    if (version := connection.execute("PRAGMA user_version").fetchone()[0]) != FORMAT:
        raise UnusableLog(f"the log has format {version}, this version knows {FORMAT}: update Satu Pintu, or move it")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if meta.get("hash") != HASH:
        raise UnusableLog(f"the log maps its keys by {meta.get('hash')}, this version by {HASH}: update Satu Pintu")
    return int(meta.get("partitions", ""))
