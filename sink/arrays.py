"""PostgreSQL's form of `sink.bulk`: one statement, with one binary array for each column (docs/decisions/0009).

The text of a statement does not depend on the number of its rows, so a connection prepares each once. Rows are written
in the order of their keys: two processes that write the same rows wait for one another without a deadlock. PostgreSQL's
text holds no NUL: it becomes U+FFFD, also in the values of a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, LargeBinary, Table

from sink.instant import Instant

Row = Mapping[str, Any]
_KINDS: tuple[tuple[type, str], ...] = (
    (Instant, "timestamptz"), (LargeBinary, "bytea"), (Boolean, "boolean"), (BigInteger, "bigint"),
    (Integer, "integer"), (Float, "double precision"),
)  # fmt: skip
MANY_KEYS = 16
"""Values from which on a query asks for an index: until a table's values have been counted for the first time, the
planner takes a few hundred keys for all of its rows (measured: `recall` of 500 took 1.5 s instead of 0.2)."""
_BY_INDEX = "SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"
"""And for no second process: from a million rows on, 1,500 keys would start one for each query."""
_MARK = re.compile(r":(\w+)")


def insert(connection: Connection, table: Table, rows: Sequence[Row], on: str) -> Iterable[Any]:
    """Insert the rows; returns what the RETURNING in `on` gives."""
    columns = tuple(rows[0])
    return connection.exec_driver_sql(_insert(table, columns, on), _arrays(table, columns, _in_order(table, rows)))


def insert_all(connection: Connection, inserts: Sequence[tuple[Table, Sequence[Row], str]]) -> None:
    """Insert rows of several tables with one statement: each statement is a round trip, and a wait for Python's lock.
    The inserts do not see each other's rows."""
    sql = _insert_all(tuple((table, tuple(rows[0]), on) for table, rows, on in inserts))
    values = (_arrays(table, tuple(rows[0]), _in_order(table, rows)) for table, rows, _ in inserts)
    connection.exec_driver_sql(sql, tuple(chain.from_iterable(values)))


def execute_each(connection: Connection, table: Table, sql: str, rows: Sequence[Row]) -> None:
    """Run the UPDATE or DELETE for every row."""
    columns = tuple(rows[0])
    _ask_for_index(connection, len(rows))
    connection.exec_driver_sql(_change(table, columns, sql), _arrays(table, columns, _in_order(table, rows)))


def query_in(connection: Connection, sql: str, values: list[Any], *more: Any) -> Iterable[Any]:
    """Rows of the query for any of the values."""
    if not values:
        return ()
    _ask_for_index(connection, len(values))
    return connection.exec_driver_sql(_query(sql), (_without_nul(values), *more))


def lock_rows(connection: Connection, table: Table, column: str, values: list[Any]) -> None:
    """Lock these rows, in the order of their keys."""
    if values:
        _ask_for_index(connection, len(values))
        connection.exec_driver_sql(_lock(table, column), (_without_nul(values),)).all()


def lock_names(connection: Connection, purpose: int, keys: Iterable[int]) -> None:
    """Take these advisory locks, in order, until the transaction ends."""
    sql = "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%b::integer[]) AS key"
    connection.exec_driver_sql(sql, (purpose, sorted(set(keys)))).all()


def _ask_for_index(connection: Connection, keys: int) -> None:
    """For the rest of the transaction, once. What asks for other than keys never comes here, and is planned freely."""
    transaction = connection.get_transaction()
    if keys >= MANY_KEYS and connection.info.get("by_index") is not transaction:
        connection.exec_driver_sql(_BY_INDEX)
        connection.info["by_index"] = transaction


def _in_order(table: Table, rows: Sequence[Row]) -> Sequence[Row]:
    keys = [column.name for column in table.primary_key if column.name in rows[0]]
    return sorted(rows, key=itemgetter(*keys)) if keys else rows


def _arrays(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> tuple[list[Any], ...]:
    return tuple(_array(table.c[name], [row[name] for row in rows]) for name in columns)


def _array(column: Column[Any], values: list[Any]) -> list[Any]:
    kind = _kind(column)
    if kind == "text":
        return _without_nul(values)
    if kind == "double precision":  # an array has one kind of number
        return [None if value is None else float(value) for value in values]
    return values


def _without_nul(values: list[Any]) -> list[Any]:
    """There is hardly ever one, so all values are searched first."""
    if any("\x00" in value for value in values if isinstance(value, str)):
        return [value.replace("\x00", "\ufffd") if isinstance(value, str) else value for value in values]
    return values


def _kind(column: Column[Any]) -> str:
    return next((kind for of, kind in _KINDS if isinstance(column.type, of)), "text")


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...], on: str) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM {_unnest(table, columns)} {on}"  # noqa: S608 - our names


@lru_cache(maxsize=256)
def _insert_all(inserts: tuple[tuple[Table, tuple[str, ...], str], ...]) -> str:
    """All inserts are common table expressions: PostgreSQL would run a main one first, and break the order of locks."""
    parts = (f"put_{table.name} AS ({_insert(table, names, on)})" for table, names, on in inserts)
    return f"WITH {', '.join(parts)} SELECT 1"


@lru_cache(maxsize=256)
def _change(table: Table, columns: tuple[str, ...], sql: str) -> str:
    """The columns of the rows have other names than those of the table."""
    head, where, tail = _MARK.sub(r"given.new_\1", sql).partition(" WHERE ")
    also = "FROM" if head.startswith("UPDATE") else "USING"
    return f"{head} {also} {_unnest(table, columns)} AS given({', '.join(f'new_{c}' for c in columns)}){where}{tail}"


def _unnest(table: Table, columns: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%b::{_kind(table.c[name])}[]' for name in columns)})"


@lru_cache(maxsize=256)
def _lock(table: Table, column: str) -> str:
    keys = ", ".join(c.name for c in table.primary_key)
    return f"SELECT 1 FROM {table.name} WHERE {column} = ANY(%b) ORDER BY {keys} FOR UPDATE"  # noqa: S608 - our names


@lru_cache(maxsize=256)
def _query(sql: str) -> str:
    return sql.replace("?", "%s").replace("IN (*)", "= ANY(%b)")
