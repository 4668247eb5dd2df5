"""Dead letters: the event as it stood, where it came from as far as that can be read, and what to mend."""

from __future__ import annotations

from hashlib import sha256
from types import TracebackType
from typing import Any

from uuid_utils import UUID

from bus._origin import origin_of
from bus._port import StoredEvent
from bus._values import resolve_reference
from schemas import Dead, Matched, Message, Raw, Routed, Slow

_RAW = {Raw.topic, Slow.topic}
_OF_MESSAGES = {Message.topic, Matched.topic, Routed.topic}


def dead_letter(stored: StoredEvent, **known: Any) -> Dead:
    """The dead letter for that event. `known`: stage, code, detail, at, attempts. Raises Retry where the event's body
    cannot be read now, and nothing else."""
    origin = origin_of(resolve_reference(stored.value, stored.bodies))
    received = origin.received_at
    return Dead(
        id=_letter_id(stored, known["stage"]),
        of_topic=stored.topic,
        event_key=stored.key,
        event=stored.value,
        raw=origin.id if stored.topic in _RAW else origin.raw,
        item_index=origin.item_index,
        item_count=origin.item_count,
        account=origin.account,
        channel=origin.channel,
        message=origin.id if stored.topic in _OF_MESSAGES else None,
        received_at=received if received and received.tzinfo else None,
        **known,
    )


def _letter_id(stored: StoredEvent, stage: str) -> str:
    """The same event, delivered again and refused again, is the same letter."""
    where = f"{stage}/{stored.topic}/{stored.partition}/{stored.offset}/{stored.at.isoformat()}/"
    return str(UUID(bytes=sha256(where.encode() + stored.value).digest()[:16], version=8))


def fault_location(error: BaseException) -> str:
    """An exception's class and line, without its words: they may be a citizen's."""
    name, trace = type(error).__name__, error.__traceback__
    return f"{name} at {_deepest(trace)}" if trace else name


def _deepest(trace: TracebackType) -> str:
    while trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
