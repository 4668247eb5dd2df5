"""Where an event came from, read even from bytes that are no event, such as a later release's."""

from __future__ import annotations

from datetime import datetime

import msgspec


class EventOrigin(msgspec.Struct):
    """The fields that most events have."""

    id: str | None = None
    raw: str | None = None
    item_index: int = 0
    item_count: int = 1
    account: str | None = None
    channel: str | None = None
    received_at: datetime | None = None
    message: EventOrigin | str | None = None
    action: EventOrigin | None = None
    matched: EventOrigin | None = None


_decode = msgspec.json.Decoder(EventOrigin).decode


def origin_of(value: bytes) -> EventOrigin:
    """Where the event of that JSON came from, as far as it can be read."""
    try:
        found = _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return EventOrigin()
    return _innermost(found)


def _innermost(found: EventOrigin) -> EventOrigin:
    inner = found.matched or found.action or found.message
    return _innermost(inner) if isinstance(inner, EventOrigin) else found
