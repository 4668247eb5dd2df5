"""Where an event came from, read even from bytes that are no event, such as a later release's."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Origin(msgspec.Struct):
    """The fields that most events have."""

    id: str | None = None
    raw: str | None = None
    item_index: int = 0
    item_count: int = 1
    account: str | None = None
    channel: str | None = None
    received_at: datetime | None = None
    message: Origin | str | None = None
    action: Origin | None = None
    matched: Origin | None = None


_decode = msgspec.json.Decoder(Origin).decode


def origin_of(value: bytes) -> Origin:
    """Where the event of that JSON came from, as far as it can be read."""
    try:
        found = _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Origin()
    return _innermost(found)


def _innermost(found: Origin) -> Origin:
    inner = found.matched or found.action or found.message
    return _innermost(inner) if isinstance(inner, Origin) else found
