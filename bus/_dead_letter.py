"""Dead letters: the event as it stood, where it came from as far as that can be read, and what to mend."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from types import TracebackType
from typing import Any

import msgspec
from uuid_utils import UUID

from bus._port import Stored
from schemas import Dead


class _Origin(msgspec.Struct):
    """What events have in common, read even from bytes that are no event (of a newer writer, say)."""

    id: str | None = None
    raw: str | None = None
    index: int = 0
    of: int = 1
    account: str | None = None
    channel: str | None = None
    received_at: datetime | None = None
    message: _Origin | str | None = None
    complaint: _Origin | str | None = None


_decode = msgspec.json.Decoder(_Origin).decode


def bury(topic: str, stored: Stored, **known: Any) -> Dead:
    """The dead letter for an event of that topic. `known`: stage, reason, at, attempts."""
    origin = _origin(stored.value)
    return Dead(
        id=_letter_id(topic, stored, known["stage"]),
        of_topic=topic,
        event_key=stored.key,
        event=stored.value,
        raw=origin.id if topic in {"raw", "slow"} else origin.raw,
        index=origin.index,
        of=origin.of,
        account=origin.account,
        channel=origin.channel,
        message=origin.id if topic in {"messages", "complaints", "routed"} else None,
        received_at=origin.received_at,
        **known,
    )


def _letter_id(topic: str, stored: Stored, stage: str) -> str:
    """The same event, delivered again and refused again, is the same letter."""
    where = f"{stage}/{topic}/{stored.partition}/{stored.place}/{stored.at.isoformat()}/"
    return str(UUID(bytes=sha256(where.encode() + stored.value).digest()[:16], version=8))


def _origin(value: bytes) -> _Origin:
    try:
        found = _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Origin()
    while isinstance(inner := found.complaint or found.message, _Origin):
        found = inner
    return found


def place_of(error: BaseException) -> str:
    """An exception's class and place, without its words: they may be a citizen's."""
    name, trace = type(error).__name__, error.__traceback__
    return f"{name} at {_deepest(trace)}" if trace else name


def _deepest(trace: TracebackType) -> str:
    while trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
