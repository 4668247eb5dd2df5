"""The normalizer: `Reader` makes items of the bytes that came in, `match` decides which complaint each is about."""

from normalizer._port import (
    Channel,
    Decision,
    Entry,
    Knowledge,
    Known,
    Memory,
    PlaceQuestion,
    Query,
    Referred,
    Thread,
)
from normalizer.match import MATCHER, match
from normalizer.own_ids import ID_USED_BEFORE
from normalizer.phones import to_e164
from normalizer.place_words import PlaceWords
from normalizer.read import Reader

__all__ = [
    "ID_USED_BEFORE",
    "MATCHER",
    "Channel",
    "Decision",
    "Entry",
    "Knowledge",
    "Known",
    "Memory",
    "PlaceQuestion",
    "PlaceWords",
    "Query",
    "Reader",
    "Referred",
    "Thread",
    "match",
    "to_e164",
]  # fmt: skip
