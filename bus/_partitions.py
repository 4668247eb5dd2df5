"""What the adapters that we write ourselves share: which partition a key has, and how many a member is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zlib import crc32

from bus._values import stored_key
from schemas import Event

HASH = "crc32"
"""Name of the hash that maps keys to partitions; `hash()` differs from process to process."""

Slot = tuple[str, int]
"""Topic and partition."""
Rows = dict[Slot, list[tuple[str, bytes]]]
"""Key and value of new events, in order, by topic and partition."""


def utc_now() -> datetime:
    """The present by the machine's clock, aware, UTC."""
    return datetime.now(UTC)


def group_by_partition(events: Sequence[Event], values: Sequence[bytes], partitions: int) -> Rows:
    """The events by topic and partition."""
    rows: Rows = {}
    for event, value in zip(events, values, strict=True):
        key = stored_key(event.key)
        slot = event.topic, crc32(key.encode()) % partitions
        if slot in rows:
            rows[slot].append((key, value))
        else:
            rows[slot] = [(key, value)]
    return rows


def fair_share(members: Sequence[str], member: str, partitions: int) -> int:
    """How many partitions that member is due: all alike, the first ones take one more of the remainder."""
    if member not in members:
        return 0
    each, remainder = divmod(partitions, len(members))
    return each + (sorted(members).index(member) < remainder)
