"""Short words for columns and tables, shared by the files beside this one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
HASH = LargeBinary(16)


def column(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    more.setdefault("nullable", False)
    return Column(name, kind, **more)


def maybe(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=True, **more)


def key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def seq() -> Column[Any]:
    """A growing integer of the table's own: a tree that grows at its end is cheap to write."""
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def table(name: str, *parts: Any, **more: Any) -> Table:
    return Table(name, metadata, *parts, **more)


def growing(name: str, *parts: Any) -> Table:
    """A table keyed by `seq`; a number is never used again."""
    return Table(name, metadata, seq(), *parts, sqlite_autoincrement=True)


def clustered(name: str, *parts: Any) -> Table:
    """Rows that lie in the order of their key: one tree less to write on SQLite."""
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


def index(table: Table, *columns: str, only: str) -> Index:
    """An index of some rows; `only` has to stand in the query as it stands here."""
    name = f"ix_{table.name}_{'_'.join(columns)}"
    return Index(name, *(table.c[c] for c in columns), sqlite_where=text(only), postgresql_where=text(only))


def item() -> tuple[Column[Any], Column[Any]]:
    return key("raw"), key("item_index", Integer)


def owner() -> Column[Any]:
    return column("owner")
