"""The bytes that stand on the bus for an event: its JSON, or a reference to it where it is large.

A value over `BY_REFERENCE` is put into the `BodyStore` and a reference stands in its place, in every topic of every
adapter; `decode_event` returns the event either way. An adapter without a store publishes values up to `LIMIT` whole. A
dead letter is never too large: without a store the event inside it is cut, and its detail says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from bus._origin import origin_of
from schemas import Dead, Event, Reject, Retry, encode
from schemas import decode as decode_json

BY_REFERENCE = 256 * 1024
"""Bytes; a larger value travels by reference."""
LIMIT = 1_000_000
"""Bytes of a value at most where there is no BodyStore: what Kafka takes, with room for key and headers."""
LONGEST_KEY = 512
"""Bytes; a longer key stands as its hash, so that it neither fills the log nor keeps a dead letter out of it."""
_LONGEST_DETAIL = 2_000

_PREFIX = b'{"body_ref":"'


class BodyStore(Protocol):
    """Where large values lie, by their SHA-256 in hex, for all processes that share the bus. Both raise OSError."""

    def put(self, data: bytes, /) -> str:
        """Returns the SHA-256 once the bytes would survive a power cut."""
        ...

    def get(self, name: str, /) -> bytes: ...


class MemoryBodyStore:
    """Bodies that live as long as this object."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def put(self, data: bytes, /) -> str:
        name = sha256(data).hexdigest()
        self._bodies[name] = data
        return name

    def get(self, name: str, /) -> bytes:
        try:
            return self._bodies[name]
        except KeyError:
            raise FileNotFoundError(name) from None


class _Reference(msgspec.Struct):
    body_ref: str
    size: int
    account: str | None = None


_reference = msgspec.json.Decoder(_Reference).decode
_encode_reference = msgspec.json.Encoder().encode


def encode_events(events: Sequence[Event]) -> list[bytes]:
    """The events' JSON."""
    return [encode(_bounded(event) if isinstance(event, Dead) else event) for event in events]


def any_large(values: Sequence[bytes]) -> bool:
    """Does one of them have to travel by reference?"""
    return max(map(len, values), default=0) > BY_REFERENCE


def replace_large_values(events: Sequence[Event], values: Sequence[bytes], bodies: BodyStore | None) -> list[bytes]:
    """The values with a reference for each large one, put into the store: blocks while it does. Raises Retry, or
    Reject where one is too large; then none is to be published."""
    if bodies is None:
        return [_fitted(event, value) for event, value in zip(events, values, strict=True)]
    return [value if len(value) <= BY_REFERENCE else _put(bodies, value) for value in values]


def decode_event(topic: str, value: bytes, bodies: BodyStore | None = None) -> Event:
    """The event that stands on the topic as that value, whole. Raises Reject where it is none, Retry where its body
    cannot be read now."""
    return decode_json(topic, resolve_reference(value, bodies))


def resolve_reference(value: bytes, bodies: BodyStore | None) -> bytes:
    """The event's JSON. Raises Retry where its body cannot be read now."""
    if not value.startswith(_PREFIX):
        return value
    reference = _reference(value)
    if bodies is None:
        raise Retry("an event travels by reference, and this process has no bodies")
    try:
        return bodies.get(reference.body_ref)
    except OSError as error:
        raise Retry(f"the body of an event cannot be read: {type(error).__name__}") from error


def size_of(value: bytes) -> int:
    """Bytes of the event that the value stands for."""
    return _reference(value).size if value.startswith(_PREFIX) else len(value)


def account_of(value: bytes) -> str:
    """The account of a value, also of a reference; empty where it names none."""
    return origin_of(value).account or ""


def stored_key(key: str) -> str:
    """The key as it stands on the bus."""
    if len(key) <= LONGEST_KEY // 4:  # no character takes more than four bytes
        return key
    encoded = key.encode(errors="replace")
    return encoded.decode() if len(encoded) <= LONGEST_KEY else f"sha256:{sha256(encoded).hexdigest()}"


def _put(bodies: BodyStore, value: bytes) -> bytes:
    try:
        name = bodies.put(value)
    except OSError as error:
        raise Retry(f"the body of an event cannot be stored: {type(error).__name__}") from error
    return _encode_reference(_Reference(name, len(value), account_of(value) or None))


def _fitted(event: Event, value: bytes) -> bytes:
    if len(value) <= LIMIT:
        return value
    if isinstance(event, Dead):
        return _cut(event, len(value))
    raise Reject("too_large", f"{len(value)} bytes on {event.topic}, at most {LIMIT} without a store of bodies")


def _bounded(dead: Dead) -> Dead:
    """With a hash for each over-long identifier and a detail that ends somewhere: only its `event` can be large."""
    identifiers = ("id", "stage", "of_topic", "event_key", "code", "account", "channel", "raw", "message")
    texts = {name: _encodable(text) for name in identifiers if (text := getattr(dead, name))}
    short = {name: stored_key(text) for name, text in texts.items()}
    detail = _encodable(dead.detail[:_LONGEST_DETAIL])
    return msgspec.structs.replace(dead, **short, detail=detail, unknown_words={})


def _encodable(text: str) -> str:
    """Without the half characters that JSON may name and UTF-8 cannot hold."""
    return text.encode(errors="replace").decode()


def _cut(dead: Dead, size: int) -> bytes:
    """As JSON of at most `LIMIT` bytes, with the beginning of its event."""
    dead = _bounded(dead)
    spare = LIMIT - 200 - (size - 4 * math.ceil(len(dead.event) / 3))  # 200 for the words below
    kept = dead.event[: spare // 4 * 3]
    note = f"{dead.detail} (cut: the event has {len(dead.event)} bytes, {len(kept)} are kept)".lstrip()
    return encode(msgspec.structs.replace(dead, event=kept, detail=note))
