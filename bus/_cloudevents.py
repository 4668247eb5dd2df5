"""Headers of a record: CloudEvents 1.0 in Kafka's binary mode, and W3C Trace Context. Nothing personal stands in them,
but for what a channel itself puts into its message ids.

Every event that comes of one Raw is in one trace, whose id is the raw id's 32 hexadecimal digits; a span's id is a hash
of topic and event id, so the same event published again is the same span.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from schemas import EVENTS, Complaint, Dead, Event, Message, Raw, Receipt, Reply, Routed
from schemas.events import Slow

Header = tuple[str, bytes]
_Facts = Callable[[Any], tuple[str | None, datetime]]

_FACTS: dict[type[Event], _Facts] = {
    Raw: lambda event: (event.account, event.received_at),
    Slow: lambda event: (event.account, event.received_at),
    Message: lambda event: (event.account, event.received_at),
    Complaint: lambda event: (event.message.account, event.message.received_at),
    Routed: lambda event: (event.complaint.message.account, event.complaint.message.received_at),
    Reply: lambda event: (event.account, event.created_at),
    Receipt: lambda event: (event.account, event.at),
    Dead: lambda event: (event.account, event.at),
}
"""Whose an event is, and of when."""
_VERSION: Header = ("ce_specversion", b"1.0")
_JSON: Header = ("content-type", b"application/json")
_TYPES: dict[str, Header] = {topic: ("ce_type", f"id.satupintu.{topic}.v1".encode()) for topic in EVENTS}


def headers(event: Event) -> list[Header]:
    """The record's headers."""
    account, at = _FACTS[type(event)](event)
    name = event.event_id
    return [
        _VERSION,
        ("ce_id", name.encode()),
        _source(account or ""),
        _TYPES[event.topic],
        ("ce_time", at.isoformat().encode()),
        _JSON,
        ("traceparent", _parent(event.topic, name, event.trace or name)),
    ]


@lru_cache(1000)
def _source(account: str) -> Header:
    return "ce_source", f"/satupintu/{quote(account)}".encode()


def _parent(topic: str, name: str, trace: str) -> bytes:
    span = blake2b(f"{topic} {name}".encode(), digest_size=8).hexdigest()
    return f"00-{_trace_id(trace)}-{span}-01".encode()


@lru_cache(1000)
def _trace_id(trace: str) -> str:
    digits = trace.replace("-", "").lower()
    try:
        if len(bytes.fromhex(digits)) == 16:
            return digits
    except ValueError:
        pass
    return blake2b(trace.encode(), digest_size=16).hexdigest()  # no UUID: another's event, or a test's
