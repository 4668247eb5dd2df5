"""Values of a database: as JSON has them in a row, and as text in a cursor, from which they come back as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from connectors._json import without_surrogates
from connectors._portal_expressions import plain_text
from connectors._portal_rows import Row
from schemas import AccountFault

_NO_DATE = "0000-00-00"
"""MySQL's date that is none."""


def row_of(found: Mapping[Any, Any]) -> Row:
    """The row as JSON: times as ISO has them, bytes that are no text as null."""
    return {str(name): json_value(value) for name, value in found.items()}


def json_value(value: Any) -> Any:
    """As JSON has it; what has no form there, as its text."""
    if value is None or type(value) in {int, bool}:
        return value
    write = next((write for of, write in _AS_JSON if isinstance(value, of)), str)
    return write(value)


def _text(value: str) -> str | None:
    """Without what fills up a column of fixed width."""
    return None if value.startswith(_NO_DATE) else without_surrogates(value.rstrip(" "))


def _text_of(value: bytes) -> str | None:
    """MySQL gives a text of a binary collation as bytes."""
    try:
        return bytes(value).decode("utf-8").rstrip(" ")
    except UnicodeDecodeError:
        return None


def _number(value: Any) -> int | float | str | None:
    if not isfinite(value):
        return None
    if value == int(value) and abs(value) < 2**63:
        return int(value)
    return str(value) if isinstance(value, Decimal) else value


_AS_JSON: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, _text),
    (bytes | bytearray | memoryview, _text_of),
    (datetime, lambda value: value.isoformat(" " if value.tzinfo is None else "T")),
    (Decimal | float, _number),
    (dict, row_of),
    (list | tuple, lambda value: [json_value(one) for one in value]),
)


def as_position(value: Any) -> tuple[str, str]:
    """A time or key with its type, for the cursor. Raises AccountFault where it is of a type that has no order here."""
    for name, (of, write, _) in _TYPES.items():
        if type(value) is of:
            return name, write(value)
    if isinstance(value, datetime):  # a driver's own
        return "datetime", value.isoformat()
    kind = "NULL" if value is None else type(value).__name__
    raise AccountFault("column_type", f"key or time: a column of {kind} has no order: name another, or cast it")


def from_position(position: tuple[str, str]) -> Any:
    """Raises ValueError."""
    if (known := _TYPES.get(position[0])) is None:
        raise ValueError("no type of a position")
    try:
        return known[2](position[1])
    except ArithmeticError:  # of a Decimal
        raise ValueError("no number of a position") from None


_TYPES: dict[str, tuple[type, Any, Any]] = {
    "int": (int, str, int),
    "str": (str, str, str),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "float": (float, repr, float),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
}


class Clock:
    """The times of a database's column, in the zone of the account where they have none."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def instant(self, value: Any) -> datetime | None:
        """None: it is none."""
        try:
            return self._instant(value)
        except (ValueError, OverflowError, OSError):
            return None

    def _instant(self, value: Any) -> datetime | None:
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=self._zone)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=self._zone)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return datetime.fromtimestamp(float(value) / (1000 if value > 10**11 else 1), self._zone)
        return self._instant(datetime.fromisoformat(plain_text(value))) if isinstance(value, str) else None

    def earlier(self, value: Any, by: timedelta) -> Any:
        """The value of the column so much earlier, as the column writes it. Raises AccountFault."""
        if (instant := self.instant(value)) is None:
            raise AccountFault("column_type", "time: the column holds no times: name another, or cast it")
        return self.written(instant - by, value)

    def written(self, instant: datetime, like: Any) -> Any:
        """As the column writes it; `like`: a value of the column."""
        local = instant.astimezone(self._zone)
        if isinstance(like, datetime):
            return local if like.tzinfo else local.replace(tzinfo=None)
        if isinstance(like, date):
            return local.date()
        if isinstance(like, str):
            return _as_text(local, like)
        seconds = instant.timestamp() * (1000 if like > 10**11 else 1)
        return type(like)(seconds)


def _as_text(local: datetime, like: str) -> str:
    """`2026-11-29 10:00:00`, with what `like` has between date and time, and as many digits."""
    if len(like) <= 10:
        return local.date().isoformat()
    zoned = datetime.fromisoformat(like).tzinfo
    local = local.astimezone(zoned) if zoned else local.replace(tzinfo=None)
    spec = "microseconds" if "." in like else "seconds"
    return local.isoformat(like[10], spec)
