"""Instants in the record: aware and UTC inside, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine


@lru_cache(maxsize=4096)  # one message's instants stand in several of its rows
def format_instant(at: datetime) -> str:
    """An instant as SQLite keeps it: UTC, of fixed width, so that the order of the texts is the order in time."""
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")[:26]


def parse_instant(value: str | datetime) -> datetime:
    """An instant as a driver gives it, without SQLAlchemy's column type."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


class Instant(TypeDecorator[datetime]):
    """`timestamptz` on PostgreSQL, text on SQLite; gives aware datetimes in UTC and takes no naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(26) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return format_instant(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        found: datetime = value
        return found.astimezone(UTC)
