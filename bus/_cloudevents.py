"""Headers of a record: CloudEvents 1.0 in Kafka's binary mode, and W3C Trace Context. Nothing personal stands in them,
but for the ids that a channel itself makes of a phone number.

Every event that comes of one Raw is in one trace, whose id is the raw id's 32 hexadecimal digits; a span's id is a hash
of topic and event id, so the same event published again is the same span.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote

from bus._facts import event_facts
from schemas import EVENTS, Event

Header = tuple[str, bytes]

_VERSION: Header = ("ce_specversion", b"1.0")
_JSON: Header = ("content-type", b"application/json")
_TYPES: dict[str, Header] = {topic: ("ce_type", f"id.satupintu.{topic}.v1".encode()) for topic in EVENTS}
_LONGEST = 512
"""Characters of an id."""


def cloudevents_headers(event: Event) -> list[Header]:
    """The CloudEvents headers of the Kafka record that carries the event."""
    facts = event_facts(event)
    name = event.event_id[:_LONGEST]
    return [
        _VERSION,
        ("ce_id", name.encode(errors="replace")),
        _source(facts.account),
        _TYPES[event.topic],
        ("ce_time", facts.at.isoformat().encode()),
        _JSON,
        ("traceparent", _parent(event.topic, name, event.trace or name)),
    ]


@lru_cache(1000)
def _source(account: str) -> Header:
    return "ce_source", f"/satupintu/{quote(account[:_LONGEST])}".encode()


def _parent(topic: str, name: str, trace: str) -> bytes:
    span = blake2b(f"{topic} {name}".encode(errors="replace"), digest_size=8).hexdigest()
    return f"00-{_trace_id(trace)}-{span}-01".encode()


@lru_cache(1000)
def _trace_id(trace: str) -> str:
    digits = trace.replace("-", "").lower()
    try:
        if len(bytes.fromhex(digits)) == 16:
            return digits
    except ValueError:
        pass
    return blake2b(trace.encode(errors="replace"), digest_size=16).hexdigest()  # no UUID: another system's event
