"""Questions that are still open when they are sent: a reply may wait, and the report may be recorded after what was
added to it. What its reporter has said by then is not asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from schemas.lacking import lacks_place, lacks_words
from sink.additions import said_so_far
from sink.bulk import query_in
from sink.readings import place_of

_REPORTS = (
    "SELECT id, owner, title, place_code, place_level, place_name, place_words, place_source, lat, lon "
    "FROM complaints WHERE id IN (*)"
)


def answered_meanwhile(connection: Connection, complaints: Iterable[str]) -> Mapping[str, set[str]]:
    """What these reports, which lacked something, do not lack now; by complaint."""
    found = {row.id: row for row in query_in(connection, _REPORTS, set(complaints))}
    said = said_so_far(connection, found) if found else {}
    return {id: set(_answered(row, said[id].cleaned)) for id, row in found.items()}


def _answered(row: Any, words: str) -> Iterable[str]:
    if not lacks_words(f"{row.title or ''} {words}"):
        yield "text"
    if not lacks_place(place_of(row), row.owner):
        yield "place"
