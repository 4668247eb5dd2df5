"""The statements around a view's query: a page by (time, key), a page by key, and how many rows there are. Names are
quoted by the dialect, values are bound, and the hub sets the limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from connectors._database_manifest import View
from connectors._database_values import row_of
from connectors._portal_rows import Row
from schemas import AccountFault

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.sql import ColumnElement, Select

DIGEST = 6
"""Bytes of a row's digest."""
BYTES = 16 * 1024 * 1024
"""Of a page: a view may hold files."""
_COLON = re.compile(r"(?<![:\w\\]):(?=\w)")


class FoundRow:
    """A row as the database gave it, and as JSON."""

    __slots__ = ("body", "digest", "key", "row", "time")

    def __init__(self, found: Mapping[Any, Any], view: View) -> None:
        self.key, self.time = found[view.key], found[view.time] if view.time else None
        self.row: Row = row_of(found)
        self.body = msgspec.json.encode(self.row)
        kept = {name: value for name, value in self.row.items() if name not in view.ignore} if view.ignore else None
        self.digest = blake2b(msgspec.json.encode(kept) if kept else self.body, digest_size=DIGEST).digest()


class PageOfRows:
    """Rows in their order."""

    def __init__(self, rows: list[FoundRow], *, full: bool) -> None:
        self.rows, self.full = rows, full
        """`full`: there may be more."""


class ViewStatements:
    """The statements of one view."""

    def __init__(self, name: str, view: View) -> None:
        from sqlalchemy import column, func, select, text

        self.name, self.view = name, view
        names = [view.key, *([view.time] if view.time and view.time != view.key else [])]
        query = view.query.strip().rstrip(";").rstrip()
        inner = text(_COLON.sub(r"\\:", query)).columns(*map(column, names)).subquery("satu_pintu")
        self._key: ColumnElement[Any] = inner.c[view.key]
        self._time: ColumnElement[Any] | None = inner.c[view.time] if view.time else None
        self._all: Select[Any] = select(text("*")).select_from(inner)
        newest = [func.max(self._time)] if self._time is not None else []
        self._counted: Any = select(func.count(), *newest).select_from(inner)

    def count(self, connection: Connection, before: Any = None) -> tuple[int, Any]:
        """How many rows there are, and the newest time of them, or of those up to `before`."""
        asked = self._counted if before is None or self._time is None else self._counted.where(self._time <= _b(before))
        found = connection.execute(asked).one()
        return int(found[0]), found[1] if len(found) > 1 else None

    def by_key(self, connection: Connection, after: Any, floor: Any) -> PageOfRows:
        """The rows behind that key, in its order; those changed since `floor` only, or of no time."""
        from sqlalchemy import or_

        asked = self._all if after is None else self._all.where(self._key > _b(after))
        if floor is not None and self._time is not None:
            asked = asked.where(or_(self._time >= _b(floor), self._time.is_(None)))
        page = self._page(connection, asked.order_by(self._key))
        self._require_keys([row.key for row in page.rows])
        return page

    def by_time(
        self, connection: Connection, since: Any, after: tuple[Any, Any] | None, *, later: bool = False
    ) -> PageOfRows:
        """The rows changed since, or `later` than that, or those behind that (time, key), in this order."""
        from sqlalchemy import and_, or_

        assert self._time is not None
        if after is None:
            asked = self._all.where(self._time > _b(since) if later else self._time >= _b(since))
        else:
            time, key = after
            behind = or_(self._time > _b(time), and_(self._time == _b(time), self._key > _b(key)))
            asked = self._all.where(behind)
        page = self._page(connection, asked.order_by(self._time, self._key))
        self._require_keys([None if row.key is None else (row.time, row.key) for row in page.rows])
        return page

    def sample(self, connection: Connection, rows: int) -> list[FoundRow]:
        """Some rows, the last by key."""
        return self._fetched(connection, self._all.order_by(self._key.desc()), rows)[0]

    def _page(self, connection: Connection, asked: Select[Any]) -> PageOfRows:
        rows, full = self._fetched(connection, asked, self.view.size)
        return PageOfRows(rows, full=full)

    def _fetched(self, connection: Connection, asked: Select[Any], most: int) -> tuple[list[FoundRow], bool]:
        options = {"stream_results": True, "max_row_buffer": 100}
        rows, size = [], 0
        with connection.execute(asked.limit(most), execution_options=options) as result:
            self._require_columns(list(result.keys()))
            for found in result.mappings():
                rows.append(row := FoundRow(found, self.view))
                size += len(row.body)
                if size > BYTES:
                    return rows, True
        return rows, len(rows) == most

    def _require_columns(self, names: list[str]) -> None:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise AccountFault("query_wrong", f"views.{self.name}.query: two columns are called {twice[0]}: use AS")
        for setting in ("key", "time"):
            wanted = getattr(self.view, setting)
            if wanted and wanted not in names:
                raise AccountFault("query_wrong", f"views.{self.name}.{setting}: the query has no column {wanted}")

    def _require_keys(self, places: list[Any]) -> None:
        """Rows of one place in the order cannot be told apart at the border of two pages."""
        if any(one is None for one in places) or any(before == one for before, one in pairwise(places)):
            raise AccountFault(
                "key_not_unique", f"views.{self.name}.key: some rows have the same key or none: name another column"
            )


def _b(value: Any) -> ColumnElement[Any]:
    """Bound as it is: the driver knows its type."""
    from sqlalchemy import bindparam
    from sqlalchemy.types import NullType

    return bindparam(None, value, type_=NullType(), unique=True)
