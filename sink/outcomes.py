"""What became of the items of some Raws: asked by whoever put them on the road and waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from schemas import Message
from sink.bulk import ask
from sink.record import Record

_decode = msgspec.json.Decoder(Message).decode


class Fate(NamedTuple):
    """The one end of an item."""

    raw: str
    index: int  # type: ignore[assignment]  # hides a method of tuples that nobody calls here
    of: int
    """How many items its Raw holds."""
    outcome: str
    """recorded, added, redelivered, refused, dead; receipt or empty."""
    reason: str | None
    number: str | None
    """Of the complaint that it opened or joined, once that is on record."""


_FATES = """
    SELECT raw, idx, "of", outcome, reason, (SELECT number FROM complaints WHERE id = o.complaint)
    FROM outcomes o WHERE raw IN (*)
"""


def fates(record: Record, raws: Sequence[str]) -> list[Fate]:
    """The outcomes there are by now. Raises Retry."""
    with record.read() as connection:
        return [Fate(*row) for row in ask(connection, _FATES, raws)]


_READINGS = "SELECT raw, idx, made FROM readings WHERE raw IN (*) ORDER BY reader"


def readings(record: Record, raws: Sequence[str]) -> dict[tuple[str, int], Message]:
    """What was made of the items, by raw id and index; by the newest reader, and without what is personal. Redelivered
    and refused items have none. Raises Retry."""
    with record.read() as connection:
        return {(raw, index): _decode(made) for raw, index, made in ask(connection, _READINGS, raws)}
