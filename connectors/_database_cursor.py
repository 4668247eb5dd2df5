"""Where the polls of a database go on, and the digests by which a sweep knows what was read before."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any

import msgspec

from connectors._database_sql import DIGEST, FoundRow
from connectors._database_values import from_position

BLOCKS = 16_384
"""Digests of a sweep, about: where there are more rows, a block is several."""
_PACKED = "z:"
Position = tuple[str, str]


class Sweep(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A sweep that is under way."""

    began: float
    """Seconds of our own clock."""
    at: Position | None = None
    """The last key."""
    found: str = ""
    """Digests of its blocks."""
    ids: list[str] = msgspec.field(default_factory=list)


class ViewPlace(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the next poll of a view goes on."""

    of: str = ""
    """Which query this place is of."""
    floor: Position | None = None
    """What was not changed since is not ours."""
    since: Position | None = None
    """The newest change."""
    since_at: float = 0
    """When it was seen first, in seconds of our own clock."""
    began: float = 0
    """When the reading of these pages began."""
    settled: bool = False
    """All that may commit late beside the newest change was read: only what is newer is asked for."""
    top: Position | None = None
    """The newest change of the pages that are being read."""
    after: tuple[Position, Position] | None = None
    """The (time, key) behind which the next page begins."""
    seen: dict[str, int] = msgspec.field(default_factory=dict)
    """Digests of the rows near the newest change, with their times in seconds."""
    swept: float = 0
    block: int = 1
    """Rows of a block, about."""
    known: str = ""
    """Digests of the last sweep's blocks."""
    ids: list[str] = msgspec.field(default_factory=list)
    sweep: Sweep | None = None


class DatabaseCursor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The cursor of an account."""

    turn: str = ""
    places: dict[str, ViewPlace] = msgspec.field(default_factory=dict)


def decode_cursor(written: str | None) -> DatabaseCursor:
    """One that cannot be read is none: what was read before is then read again, and told by its ids."""
    try:
        text = written or "{}"
        body = zlib.decompress(b64decode(text[len(_PACKED) :])) if text.startswith(_PACKED) else text.encode()
        cursor = msgspec.json.decode(body, type=DatabaseCursor)
        for position in chain.from_iterable(map(_positions, cursor.places.values())):
            position_value(position)
    except (msgspec.MsgspecError, ValueError, zlib.error):
        return DatabaseCursor()
    return cursor


def _positions(place: ViewPlace) -> tuple[Position | None, ...]:
    return place.floor, place.since, place.top, *(place.after or ()), place.sweep.at if place.sweep else None


def encode_cursor(cursor: DatabaseCursor) -> str:
    body = msgspec.json.encode(cursor)
    return body.decode() if len(body) < 4096 else _PACKED + b64encode(zlib.compress(body, 1)).decode()


def cut_into_blocks(rows: Sequence[FoundRow], size: int, *, ended: bool) -> list[list[FoundRow]]:
    """Cut behind certain keys, so that a row more or less changes its own block only. Of rows that go on, the last
    block is left out: the next page begins with it."""
    blocks: list[list[FoundRow]] = [[]]
    for row in rows:
        blocks[-1].append(row)
        if size == 1 or blake2b(repr(row.key).encode(), digest_size=2).digest() < (65536 // size).to_bytes(2, "big"):
            blocks.append([])
    whole = [block for block in blocks[:-1] if block]
    return whole if whole and not ended else [*whole, *([blocks[-1]] if blocks[-1] else [])]


def digest_of_block(rows: Sequence[FoundRow]) -> bytes:
    return blake2b(b"".join(row.digest for row in rows), digest_size=DIGEST).digest()


def digest_text(row: FoundRow) -> str:
    return b64encode(row.digest).decode()


def unpack_digests(packed: str) -> set[bytes]:
    found = b64decode(packed)
    return {found[at : at + DIGEST] for at in range(0, len(found), DIGEST)}


def position_value(position: Position | None) -> Any:
    return from_position(position) if position else None
