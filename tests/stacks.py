"""Where processes meet: a bus and a record, by their URLs, and what a test may do to them from outside."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg

from tests.programs import Program
from tests.services.kafka import Kafka
from tests.services.postgres import Postgres, plain


class Stack(ABC):
    """One bus and one record, for processes in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def program(self, channels: str) -> Program:
        """The first of the processes; the others are `beside` it."""
        return Program(self.folder, channels, *self.flags())

    @abstractmethod
    def flags(self) -> tuple[str, ...]:
        """Flags that name bus and record."""

    @abstractmethod
    def query(self, sql: str) -> list[tuple]:
        """Rows of the record."""


class Embedded(Stack):
    """The default: two SQLite files."""

    def flags(self) -> tuple[str, ...]:
        return ()

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.folder / 'record.db'}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()


class Servers(NamedTuple):
    """One broker and one database server, for one stack after another: each leaves them running."""

    kafka: Kafka
    postgres: Postgres


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Both started; ended at the end."""
    with Kafka(folder) as kafka, Postgres() as postgres:
        yield Servers(kafka, postgres)


class Distributed(Stack):
    """Topics and a database of its own on those servers, which it may hold up or kill."""

    def __init__(self, folder: Path, servers: Servers) -> None:
        super().__init__(folder)
        self._kafka, self._postgres = servers
        self._bus, self._record = self._kafka.url(uuid4().hex, session=6), self._postgres.new_database()

    def flags(self) -> tuple[str, ...]:
        return ("--bus", self._bus, "--record", self._record)

    def query(self, sql: str) -> list[tuple]:
        with self._connected() as connection:
            return connection.execute(sql).fetchall()

    @contextmanager
    def record_held(self) -> Iterator[None]:
        """Nothing can be written to the record."""
        tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
        with self._connected() as connection:
            [(names,)] = connection.execute(tables).fetchall()
            connection.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
            yield

    def record_awaited(self) -> bool:
        """Does a matcher wait for the record that is held?"""
        waits = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted"
        return self.query(f"{waits} AND c.relname IN ('decisions', 'same_words', 'threads', 'numbers')")[0][0] > 0

    @contextmanager
    def bus_held(self) -> Iterator[None]:
        """Nothing can be published."""
        self._kafka.pause()
        try:
            yield
        finally:
            self._kafka.resume()

    @contextmanager
    def unavailable(self) -> Iterator[None]:
        """Broker and database are killed, and started again at the end."""
        self._kafka.kill()
        self._postgres.kill()
        yield
        self._postgres.start()
        self._kafka.start()

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(plain(self._record))
