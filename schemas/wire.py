"""Events to bytes and back: JSON by msgspec, one decoder a topic, built once."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from schemas.errors import Reject
from schemas.events import EVENTS, Event

_QUOTED = re.compile(r"'.*'", re.DOTALL)
encode = msgspec.json.Encoder().encode
_decoders = {topic: msgspec.json.Decoder(event) for topic, event in EVENTS.items()}


def decode(topic: str, value: bytes) -> Event:
    """The event that stands on `topic` as `value`. Raises Reject where the bytes are none."""
    try:
        return _decoders[topic].decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # msgspec names field and type; the one value it quotes, a word that an enumeration lacks, stays here
        raise Reject(f"not readable as an event of {topic}: {_QUOTED.sub('…', str(error))}") from None


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of every event, by topic."""
    return {topic: msgspec.json.schema(event) for topic, event in EVENTS.items()}
