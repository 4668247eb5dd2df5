"""The events of the pipeline. An event's class is its topic; events of one `key` keep their order.

    Raw -> Message -> Matched -> Routed -> (record, outbox) -> (channel)        Dead: any of them, refused
    Raw -> Action  -> Matched -> Routed -> (record)                             Raw -> Receipt -> (outbox)
    Raw -> Slow -> Message, where a conversation is over its budget
    any -> Aside -> where it was going, while its account is put aside

Each stage adds what it found out and hands on the rest as it came: a Matched holds its Message or Action, a Routed its
Matched. The wire format is JSON (`wire.py`); its schemas are golden files in `tests/schemas/golden`.
"""

from __future__ import annotations

from schemas.action import Action
from schemas.aside import Aside
from schemas.dead import Dead
from schemas.event import Event
from schemas.matched import Matched, Routed
from schemas.message import Message
from schemas.raw import Raw, Slow
from schemas.receipt import Receipt

__all__ = ["EVENTS", "Action", "Aside", "Dead", "Event", "Matched", "Message", "Raw", "Receipt", "Routed", "Slow"]

EVENTS: dict[str, type[Event]] = {
    e.topic: e for e in (Raw, Slow, Message, Action, Matched, Routed, Receipt, Aside, Dead)
}
"""Every topic and what stands on it."""
