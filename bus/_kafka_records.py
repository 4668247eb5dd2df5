"""Events as records and records as events. A place is the offset after the record, so places start at 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zlib import crc32

from aiokafka import ConsumerRecord, TopicPartition

from bus._cloudevents import Header, headers
from bus._partitions import LIMIT, measure
from bus._port import Stored
from schemas import Event, encode


class Row(NamedTuple):
    """A record to be."""

    key: bytes
    value: bytes
    headers: list[Header]


Rows = dict[TopicPartition, list[Row]]


def pack(events: Sequence[Event], counts: Mapping[str, int], prefix: str) -> Rows:
    """The events by where they go, in order. Raises Reject where one is too large; then none is published."""
    rows: Rows = {}
    for event in events:
        value, topic, key = encode(event), event.topic, event.key.encode()
        if len(value) > LIMIT:
            measure(topic, value)
        slot = TopicPartition(prefix + topic, crc32(key) % counts[topic])
        row = Row(key, value, headers(event))
        if slot in rows:
            rows[slot].append(row)
        else:
            rows[slot] = [row]
    return rows


def unpack(records: Iterable[ConsumerRecord]) -> list[Stored]:
    """Of one partition. Where another wrote a record without key or value, that is empty."""
    events = []
    stamp, at = 0, instant(0)
    for record in records:
        if record.timestamp != stamp:  # records of one publish have one timestamp
            stamp = record.timestamp
            at = instant(stamp)
        key = (record.key or b"").decode(errors="replace")
        events.append(Stored(record.partition, record.offset + 1, key, record.value or b"", at))
    return events


def instant(milliseconds: int) -> datetime:
    """A record's timestamp, aware, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
