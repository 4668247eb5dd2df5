"""What a channel gave, made fit for the road: UTF-8 can carry it, databases can hold it, fields have their types."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from normalizer.clean import encodable
from schemas import Message, Receipt, Reject, decode, encode

T = TypeVar("T", Message, Receipt)


def sound(item: T) -> T:
    """The item as the next stage will read it from the bus.

    Lone surrogates become U+FFFD; NUL, which PostgreSQL refuses, stays in `text` only, where words are kept as said.
    Raises Reject, naming the field, where a value has not the type of its field.
    """
    try:
        wire = encode(item)
        if b"\\u0000" in wire:
            wire = encode(_mended(item))
    except UnicodeEncodeError:
        wire = encode(_mended(item))
    except (TypeError, ValueError, OverflowError) as error:
        raise Reject(f"the channel gave a value that no event can hold ({type(error).__name__})") from error
    return decode(item.topic, wire)  # type: ignore[return-value]


def _mended(item: T) -> T:
    fields: dict[str, Any] = msgspec.to_builtins(item)
    mended = {name: _tidy(value) for name, value in fields.items() if name != "text"}
    if "text" in fields:
        mended["text"] = encodable(fields["text"])
    return msgspec.convert(mended, type(item))


def _tidy(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value).replace("\0", "")
    if isinstance(value, dict):
        return {_tidy(k): _tidy(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_tidy(v) for v in value]
    return value
