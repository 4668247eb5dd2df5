"""Many rows in one statement, the same calls on SQLite and PostgreSQL.

Rows are written by the driver, many in one statement: SQLAlchemy's work for each would cost more than the database's,
and a statement for each would need the interpreter's lock as often, while the record's own lock is held. So values are
what the driver takes: an instant goes through `instant_encoder`.

SQLite is given lists of values, PostgreSQL (`sink.arrays`) an array for each column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar
from zlib import crc32

from sqlalchemy import Connection, Engine, Table

from sink import arrays
from sink.instant import format_instant

T = TypeVar("T")
Row = Mapping[str, Any]
CHUNK = 500
"""Values in one IN list, rows in one VALUES list."""
ROWS_PER_INSERT = 64
"""Rows that `insert` inserts with one statement."""
LOCKS = 128
"""Advisory locks of one purpose: a transaction may take them all, and PostgreSQL has some thousands."""
InstantEncoder = Callable[[datetime], Any]


def instant_encoder(database: Connection | Engine) -> InstantEncoder:
    """What this database's driver takes for an instant."""
    return format_instant if database.dialect.name == "sqlite" else _unchanged


def _unchanged(at: datetime) -> datetime:
    return at


def insert(connection: Connection, table: Table, rows: Sequence[Row], on: str = "") -> None:
    """Insert the rows, all with the same columns; `on` is an ON CONFLICT clause. With DO UPDATE, no key may stand in
    `rows` twice."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        arrays.insert(connection, table, rows, on)
        return
    columns = tuple(rows[0])
    values, start = _values(columns, rows), 0
    while left := len(values) - start:
        size = min(1 << (left.bit_length() - 1), ROWS_PER_INSERT)  # few sizes, so that few statements are compiled
        sql = _insert(table.name, columns, size, on)
        connection.exec_driver_sql(sql, tuple(chain.from_iterable(values[start : start + size])))
        start += size


def insert_all(connection: Connection, *inserts: tuple[Table, Sequence[Row], str]) -> None:
    """`insert` into several tables, which must not need each other's rows."""
    some = [insert for insert in inserts if insert[1]]
    if connection.dialect.name == "postgresql" and some:
        arrays.insert_all(connection, some)
        return
    for table, rows, on in some:
        insert(connection, table, rows, on)


def insert_returning(connection: Connection, table: Table, rows: Sequence[Row], on: str) -> set[tuple[Any, ...]]:
    """As `insert`, and the primary keys of the rows that were really written. No key may stand in `rows` twice."""
    if not rows:
        return set()
    found: set[tuple[Any, ...]] = set()
    on = f"{on} RETURNING {', '.join(column.name for column in table.primary_key)}"
    if connection.dialect.name == "postgresql":
        found.update(tuple(row) for row in arrays.insert(connection, table, rows, on))
        return found
    for part in split_into_chunks(rows):
        columns = tuple(part[0])
        sql = _insert(table.name, columns, len(part), on)
        values = tuple(chain.from_iterable(_values(columns, part)))
        found.update(tuple(row) for row in connection.exec_driver_sql(sql, values))
    return found


def execute_each(connection: Connection, table: Table, sql: str, rows: Sequence[Row]) -> None:
    """One UPDATE or DELETE of the table for each row; `:name` marks a value, which is of the kind of the column of that
    name. No two rows may concern the same row of the table."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        arrays.execute_each(connection, table, sql, rows)
    else:
        connection.exec_driver_sql(sql, [dict(row) for row in rows])


def update_by_id(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Set the columns of the row that each `id` names; all rows have the same columns."""
    if rows:
        columns = ", ".join(f"{name} = :{name}" for name in rows[0] if name != "id")
        execute_each(connection, table, f"UPDATE {table.name} SET {columns} WHERE id = :id", rows)  # noqa: S608 - our own names


def query_in(connection: Connection, sql: str, values: Iterable[Any], *more: Any) -> Iterator[Any]:
    """Rows of a query whose `IN (*)` stands for the values; `more` are for the `?` behind it."""
    if connection.dialect.name == "postgresql":
        yield from arrays.query_in(connection, sql, list(values), *more)
        return
    for part in split_into_chunks(list(values)):
        one = sql.replace("(*)", f"({', '.join('?' * len(part))})")
        yield from connection.exec_driver_sql(one, (*part, *more)).all()  # SQLAlchemy fetches one by one else


def lock_rows(connection: Connection, table: Table, column: str, values: Iterable[Any]) -> None:
    """Lock these rows until the transaction ends. On SQLite there is one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        arrays.lock_rows(connection, table, column, list(values))


def lock_names(connection: Connection, purpose: int, names: Iterable[bytes]) -> None:
    """Take advisory locks on these names, of one purpose, until the transaction ends: for what has no row yet. Names
    share a few locks. On SQLite there is one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        arrays.lock_names(connection, purpose, (crc32(name) % LOCKS for name in names))


def split_into_chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in order, `size` at a time."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def _values(columns: tuple[str, ...], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    if len(columns) == 1:
        return [(row[columns[0]],) for row in rows]
    return list(map(itemgetter(*columns), rows))


@lru_cache(maxsize=512)
def _insert(table: str, columns: tuple[str, ...], rows: int, on: str) -> str:
    one = f"({', '.join('?' * len(columns))})"
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([one] * rows)} {on}"  # noqa: S608 - names of our tables
