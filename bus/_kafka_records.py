"""Events as records and records as events. Our offset is Kafka's offset after the record, so ours start at 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zlib import crc32

from aiokafka import ConsumerRecord, TopicPartition

from bus._cloudevents import Header, cloudevents_headers
from bus._port import StoredEvent
from bus._values import BodyStore, stored_key
from schemas import Event


class NewRecord(NamedTuple):
    """A Kafka record to be produced."""

    key: bytes
    value: bytes
    headers: list[Header]


Rows = dict[TopicPartition, list[NewRecord]]


def group_by_partition(
    events: Sequence[Event], values: Sequence[bytes], counts: Mapping[str, int], prefix: str
) -> Rows:
    """The events by topic and partition, in order."""
    rows: Rows = {}
    for event, value in zip(events, values, strict=True):
        topic, key = event.topic, stored_key(event.key).encode()
        slot = TopicPartition(prefix + topic, crc32(key) % counts[topic])
        row = NewRecord(key, value, cloudevents_headers(event))
        if slot in rows:
            rows[slot].append(row)
        else:
            rows[slot] = [row]
    return rows


def stored_events(topic: str, records: Iterable[ConsumerRecord], bodies: BodyStore | None) -> list[StoredEvent]:
    """Of one partition of our topic. Where another system wrote a record without key or value, that is empty."""
    events = []
    stamp, at = 0, from_millis(0)
    for record in records:
        if record.timestamp != stamp:  # records of one publish have one timestamp
            stamp = record.timestamp
            at = from_millis(stamp)
        key = (record.key or b"").decode(errors="replace")
        events.append(StoredEvent(topic, record.partition, record.offset + 1, key, record.value or b"", at, bodies))
    return events


def from_millis(milliseconds: int) -> datetime:
    """A record's timestamp, aware, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
