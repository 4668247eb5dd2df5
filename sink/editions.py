"""Editions: versions of what people edit at run time (accounts, rules, templates, offices, calendars, models).

Every process asks for the newest versions every few seconds. Bodies are sealed: an accounts file holds secrets.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, select

from sink.bulk import insert, instant_encoder, lock_names
from sink.record import Record
from sink.tables import editions

EDITION = 4
"""Purpose of the locks on names of editions."""
_SEALED = "editions.body"


class Edition(NamedTuple):
    """One version of something that people edit."""

    name: str
    version: int
    """1, 2, 3…"""
    body: str
    by: str
    """Who published it: `user@host`, a command's name, or `host:pid`, a process."""
    published_at: datetime


def publish_edition(record: Record, name: str, body: str, by: str, now: datetime, *, from_file: bool = False) -> int:
    """Make the body the newest version, and return that; where it is so already, nothing is written, unless somebody
    imports what a process found in its file (`from_file`): it outlives that file. Raises Retry."""
    digest = record.vault.digest("edition", body)
    with record.write() as connection:
        lock_names(connection, EDITION, [name.encode()])
        newest = _newest(connection, name)
        if newest is not None and bytes(newest.digest) == digest and (from_file or not newest.from_file):
            return int(newest.version)
        version = newest.version + 1 if newest is not None else 1
        row = {
            "name": name, "version": version, "body": record.vault.seal(body, _SEALED), "digest": digest, "by": by,
            "from_file": from_file, "published_at": instant_encoder(connection)(now),
        }  # fmt: skip
        insert(connection, editions, [row])
    return int(version)


def latest_edition(record: Record, name: str) -> Edition | None:
    """None: there is none of that name. Raises Retry."""
    with record.read() as connection:
        row = _newest(connection, name)
    return None if row is None else _opened(record, row)


def latest_given(record: Record, name: str) -> Edition | None:
    """The newest version that no process found in its file: somebody imported it, or it was learned. None: there is
    none. Raises Retry."""
    given = editions.c.name == name, editions.c.from_file.is_(False)
    with record.read() as connection:
        row = connection.execute(select(editions).where(*given).order_by(editions.c.version.desc()).limit(1)).first()
    return None if row is None else _opened(record, row)


class EditionChange(NamedTuple):
    """A version, without its body."""

    version: int
    by: str
    published_at: datetime


def edition_history(record: Record, name: str, limit: int = 100) -> list[EditionChange]:
    """The newest versions of that name, the newest first. Raises Retry."""
    columns = (editions.c.version, editions.c.by, editions.c.published_at)
    query = select(*columns).where(editions.c.name == name).order_by(editions.c.version.desc()).limit(limit)
    with record.read() as connection:
        return [EditionChange(*row) for row in connection.execute(query)]


def edition_of(record: Record, name: str, version: int) -> Edition | None:
    """That version. None: there is none. Raises Retry."""
    query = select(editions).where(editions.c.name == name, editions.c.version == version)
    with record.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _opened(record, row)


def edition_at(record: Record, name: str, at: datetime) -> Edition | None:
    """The version that held then, or the first. None: there is none. Raises Retry."""
    held = case((editions.c.published_at <= at, editions.c.version), else_=-editions.c.version)
    query = select(editions).where(editions.c.name == name).order_by(held.desc()).limit(1)
    with record.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _opened(record, row)


def edition_versions(record: Record) -> dict[str, int]:
    """The newest version of each name. Raises Retry."""
    query = select(editions.c.name, func.max(editions.c.version).label("version")).group_by(editions.c.name)
    with record.read() as connection:
        return {row.name: row.version for row in connection.execute(query)}


def _opened(record: Record, row: Any) -> Edition:
    return Edition(row.name, row.version, record.vault.open(row.body, _SEALED), row.by, row.published_at)


def _newest(connection: Connection, name: str) -> Any:
    query = select(editions).where(editions.c.name == name).order_by(editions.c.version.desc()).limit(1)
    return connection.execute(query).one_or_none()
