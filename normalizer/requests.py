"""Requests taken apart once, however many Raws share them: each Raw holds the parts of one conversation."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from normalizer._port import Channel, Item
from schemas import Raw, Reject

DECODED_AT_ONCE = 8
"""Requests whose parts are held; the Raws of one request follow one another closely."""


class DecodedParts(NamedTuple):
    """The parts of a request, and the fault that ended them, if one did."""

    parts: list[Any]
    fault: Reject | None = None


class DecodedRequests:
    """The requests of one batch."""

    def __init__(self) -> None:
        self._decoded: dict[Hashable, DecodedParts] = {}

    def items(self, raw: Raw, channel: Channel) -> list[Item]:
        """The items of the Raw, in order. What was read before a fault stands; the fault comes last, once: in the Raw
        that holds the last part, or all parts."""
        parts, fault = self._of(raw, channel)
        positions = range(len(parts)) if raw.parts is None else raw.parts
        items = [_item(parts, position, raw, channel) for position in positions]
        if fault is not None and (raw.parts is None or not parts or len(parts) - 1 in raw.parts):
            items.append(fault)
        return items

    def _of(self, raw: Raw, channel: Channel) -> DecodedParts:
        if raw.parts is None:
            return _decoded(raw, channel)
        request = (raw.account, raw.method, raw.path, raw.query, frozenset(raw.headers.items()), raw.blob or raw.body)
        if request not in self._decoded:
            if len(self._decoded) >= DECODED_AT_ONCE:
                del self._decoded[next(iter(self._decoded))]
            self._decoded[request] = _decoded(raw, channel)
        return self._decoded[request]


def _decoded(raw: Raw, channel: Channel) -> DecodedParts:
    parts: list[Any] = []
    try:
        for part in channel.parts(raw):  # one by one: what was yielded before a fault stands
            parts.append(part)
    except Reject as reject:
        return DecodedParts(parts, reject)
    except Exception as fault:  # one poisonous Raw must not fail its batch; the dead letter shows it
        detail = f"{type(fault).__name__} while taking the request apart: mend the channel, then replay"
        return DecodedParts(parts, Reject("channel_bug", detail))
    return DecodedParts(parts)


def _item(parts: list[Any], position: int, raw: Raw, channel: Channel) -> Item:
    if not 0 <= position < len(parts):
        return Reject("part_missing", f"the request has {len(parts)} parts now, and no part {position}")
    return channel.read_safely(parts[position], raw)
