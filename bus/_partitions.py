"""What the adapters that we write ourselves have in common: which partition, which bytes, whose share, what time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zlib import crc32

from schemas import Event, Reject, encode

HASH = "crc32"
"""Name of the hash that places keys; `hash()` differs from process to process."""
LIMIT = 700_000
"""Bytes of an event at most, so that the Dead which holds it (base64) still passes Kafka's limit of 1 MiB."""
DEAD_LIMIT = 1_000_000

Slot = tuple[str, int]
"""Topic and partition."""
Rows = dict[Slot, list[tuple[str, bytes]]]
"""Key and value of new events, in order, by where they go."""


def now() -> datetime:
    """The instant, aware, UTC."""
    return datetime.now(UTC)


def pack(events: Sequence[Event], partitions: int) -> Rows:
    """The events as bytes, each encoded once. Raises Reject where one is too large; then none is published."""
    rows: Rows = {}
    for event in events:
        value, key, topic = encode(event), event.key, event.topic
        if len(value) > LIMIT:
            measure(topic, value)
        slot = topic, crc32(key.encode()) % partitions
        if slot in rows:
            rows[slot].append((key, value))
        else:
            rows[slot] = [(key, value)]
    return rows


def measure(topic: str, value: bytes) -> None:
    """Raises Reject where that many bytes are too many for the topic."""
    limit = DEAD_LIMIT if topic == "dead" else LIMIT
    if len(value) > limit:
        raise Reject(f"too large for the bus: {len(value)} bytes on {topic}, at most {limit}")


def share(members: Sequence[str], member: str, partitions: int) -> int:
    """How many partitions are that member's due: all alike, the first ones take one more of what is left over."""
    if member not in members:
        return 0
    whole, rest = divmod(partitions, len(members))
    return whole + (sorted(members).index(member) < rest)
