"""Where processes meet: a bus and a record, by their URLs, and what a test may do to them from outside."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psycopg

from bus import Turnstile
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

    @abstractmethod
    def write(self, sql: str) -> None:
        """Change the record, as no process of the hub would."""

    @abstractmethod
    def record_held(self) -> AbstractContextManager[None]:
        """Nothing can be written to the record."""

    @abstractmethod
    def record_awaited(self, pid: int) -> bool:
        """Does the matcher of that process wait for the record that is held?"""

    @abstractmethod
    def bus_held(self) -> AbstractContextManager[None]:
        """Nothing can be published."""


class Embedded(Stack):
    """The default: two SQLite files."""

    def flags(self) -> tuple[str, ...]:
        return ()

    def query(self, sql: str) -> list[tuple]:
        db = sqlite3.connect(f"file:{self.folder / 'record.db'}?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def write(self, sql: str) -> None:
        db = sqlite3.connect(self.folder / "record.db", isolation_level=None)
        try:
            with self.record_held():
                db.execute(sql)
        finally:
            db.close()

    def record_held(self) -> AbstractContextManager[None]:
        return _held(self.folder / "record.db")

    def record_awaited(self, pid: int) -> bool:
        waits = f"-> FLOCK  ADVISORY  WRITE {pid} "
        return any(waits in line for line in Path("/proc/locks").read_text().splitlines())

    def bus_held(self) -> AbstractContextManager[None]:
        return _held(self.folder / "bus.db")


@contextmanager
def _held(path: Path) -> Iterator[None]:
    turnstile = Turnstile(path)
    try:
        with turnstile:
            yield
    finally:
        turnstile.close()


class Distributed(Stack):
    """A broker of one node and a database."""

    def __init__(self, folder: Path, kafka: Kafka, postgres: Postgres) -> None:
        super().__init__(folder)
        self._kafka, self._postgres, self._record = kafka, postgres, postgres.new_database()

    def flags(self) -> tuple[str, ...]:
        return ("--bus", self._kafka.url(self.folder.name, session=6), "--record", self._record)

    def query(self, sql: str) -> list[tuple]:
        with self._connected() as connection:
            return connection.execute(sql).fetchall()

    def write(self, sql: str) -> None:
        with self._connected() as connection:
            connection.execute(sql)

    @contextmanager
    def record_held(self) -> Iterator[None]:
        tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
        with self._connected() as connection:
            [(names,)] = connection.execute(tables).fetchall()
            connection.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
            yield

    def record_awaited(self, pid: int) -> bool:
        waits = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted"
        return self.query(f"{waits} AND c.relname IN ('decisions', 'same_words', 'threads', 'numbers')")[0][0] > 0

    @contextmanager
    def bus_held(self) -> Iterator[None]:
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


@contextmanager
def stack(kind: str, folder: Path) -> Iterator[Stack]:
    """`sqlite`, or `kafka` with PostgreSQL."""
    if kind == "sqlite":
        yield Embedded(folder / "hub")
        return
    with ExitStack() as services:
        kafka = services.enter_context(Kafka(folder / "kafka"))
        postgres = services.enter_context(Postgres())
        yield Distributed(folder / "hub", kafka, postgres)
