"""Many rows in one statement, the same words on SQLite and PostgreSQL.

Rows are written by the driver, many in one statement: SQLAlchemy's work for each would cost more than the database's,
and a statement for each would ask for the interpreter's lock as often, with the record's own lock in hand.
So values are what the driver takes: an instant goes through `Stamp`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table

from sink.instant import stamp

T = TypeVar("T")
Row = Mapping[str, Any]
AT_ONCE = 500
"""Values in one IN list, rows in one VALUES list."""
TOGETHER = 64
"""Rows that `put` inserts with one statement."""
Stamp = Callable[[datetime], Any]


def stamper(database: Connection | Engine) -> Stamp:
    """How this database takes an instant."""
    return stamp if database.dialect.name == "sqlite" else _as_it_is


def _as_it_is(at: datetime) -> datetime:
    return at


def put(connection: Connection, table: Table, rows: Sequence[Row], on: str = "") -> None:
    """Insert the rows, all with the same columns; `on` is an ON CONFLICT clause."""
    if not rows:
        return
    columns = tuple(rows[0])
    values, mark, start = _values(columns, rows), _mark(connection), 0
    while left := len(values) - start:
        size = min(1 << (left.bit_length() - 1), TOGETHER)  # few sizes, so that few statements are compiled
        sql = _insert(mark, table.name, columns, size, on)
        connection.exec_driver_sql(sql, tuple(chain.from_iterable(values[start : start + size])))
        start += size


def put_returning(connection: Connection, table: Table, rows: Sequence[Row], on: str) -> set[tuple[Any, ...]]:
    """As `put`, and the primary keys of the rows that were really written. No key may stand in `rows` twice."""
    found: set[tuple[Any, ...]] = set()
    keys = ", ".join(column.name for column in table.primary_key)
    for part in parts(rows):
        columns = tuple(part[0])
        values = tuple(value for row in _values(columns, part) for value in row)
        sql = _insert(_mark(connection), table.name, columns, len(part), f"{on} RETURNING {keys}")
        found.update(tuple(row) for row in connection.exec_driver_sql(sql, values))
    return found


def run(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """One statement, once for each row; `?` marks the values."""
    if rows:
        connection.exec_driver_sql(sql.replace("?", _mark(connection)), list(rows))


def ask(connection: Connection, sql: str, values: Iterable[Any], *more: Any) -> Iterator[Any]:
    """Rows of a query whose `IN (*)` holds the values, asked for in parts; `more` are for the `?` behind it."""
    mark = _mark(connection)
    for part in parts(list(values)):
        marks = ", ".join([mark] * len(part))
        yield from connection.exec_driver_sql(sql.replace("?", mark).replace("(*)", f"({marks})"), (*part, *more))


def parts(values: Sequence[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """The values in order, so many at a time."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.name == "sqlite" else "%s"


def _values(columns: tuple[str, ...], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    if len(columns) == 1:
        return [(row[columns[0]],) for row in rows]
    return list(map(itemgetter(*columns), rows))


@lru_cache(maxsize=512)
def _insert(mark: str, table: str, columns: tuple[str, ...], rows: int, on: str) -> str:
    one = f"({', '.join([mark] * len(columns))})"
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([one] * rows)} {on}"  # noqa: S608 - names of our tables
