"""Events to bytes and back: JSON by msgspec, one decoder a topic, built once.

Fields that we do not know are ignored. A word that an enumeration here lacks, as a later release may write it, is read
as `unknown`, and stands in `Event.unknown_words` by its path.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from schemas.body import Body
from schemas.errors import Reject
from schemas.events import EVENTS, Event

_QUOTED = re.compile(r"'.*'", re.DOTALL)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


def _to_json(value: Any) -> Any:
    if isinstance(value, Body):
        return value.to_json()
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def _from_json(kind: type, value: Any) -> Any:
    if kind is Body and isinstance(value, str):
        return Body.from_json(value)
    raise NotImplementedError(f"no {kind.__name__} can be made of this value")


encode = msgspec.json.Encoder(enc_hook=_to_json).encode
_decoders = {topic: msgspec.json.Decoder(event, dec_hook=_from_json) for topic, event in EVENTS.items()}


def decode(topic: str, value: bytes) -> Event:
    """The event that stands on `topic` as `value`. Raises Reject where the bytes are none."""
    try:
        return _decoders[topic].decode(value)
    except _UNREADABLE as error:
        event = _with_unknown_words(topic, value)
        if event is not None:
            return event
        # msgspec names field and type; the one value it quotes stays here
        raise Reject("not_an_event", f"not readable as {topic}: {_QUOTED.sub('…', str(error))}") from None


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of every event, by topic."""
    hook = {"type": "string", "description": "A colon and the text, or base64."}
    return {topic: msgspec.json.schema(event, schema_hook=lambda _: hook) for topic, event in EVENTS.items()}


def _with_unknown_words(topic: str, value: bytes) -> Event | None:
    """The event with `unknown` for each word that its enumeration lacks. None: that is not what is wrong with it."""
    words: dict[str, str] = {}
    try:
        document = _replaced(msgspec.json.decode(value), msgspec.inspect.type_info(EVENTS[topic]), "", words)
        if not words:
            return None
        document["unknown_words"] = document.get("unknown_words", {}) | words
        return msgspec.convert(document, EVENTS[topic], dec_hook=_from_json)
    except (*_UNREADABLE, AttributeError, TypeError):
        return None


def _replaced(value: Any, kind: Any, path: str, words: dict[str, str]) -> Any:
    """The value with unknown words replaced; `words` takes them by their path."""
    match kind:
        case msgspec.inspect.UnionType(types=types):
            chosen = next((t for t in types if not isinstance(t, msgspec.inspect.NoneType)), None)
            return value if value is None or chosen is None else _replaced(value, chosen, path, words)
        case msgspec.inspect.StructType(fields=fields) if isinstance(value, dict):
            for field in fields:
                if field.encode_name in value:
                    inner = f"{path}.{field.encode_name}".lstrip(".")
                    value[field.encode_name] = _replaced(value[field.encode_name], field.type, inner, words)
        case msgspec.inspect.VarTupleType(item_type=item) if isinstance(value, list):
            return [_replaced(one, item, f"{path}.{at}", words) for at, one in enumerate(value)]
        case msgspec.inspect.LiteralType(values=known) if isinstance(value, str) and value not in known:
            if "unknown" in known:
                words[path] = value
                return "unknown"
    return value
