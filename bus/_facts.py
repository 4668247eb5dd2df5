"""The account, the channel and the time of an event, whichever kind it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from schemas import Action, Aside, Dead, Event, Matched, Message, Raw, Receipt, Routed, Slow


class EventFacts(NamedTuple):
    """Account, channel and time of an event."""

    account: str
    """Empty where none is known."""
    channel: str
    at: datetime


def event_facts(event: Event) -> EventFacts:
    """Those of any event that this release knows."""
    return _FACTS[type(event)](event)


def _received(event: Any) -> EventFacts:
    return EventFacts(event.account, event.channel, event.received_at)


_FACTS: dict[type[Event], Callable[[Any], EventFacts]] = {
    Raw: _received,
    Slow: _received,
    Message: _received,
    Action: _received,
    Matched: lambda event: _received(event.item),
    Routed: lambda event: _received(event.matched.item),
    Receipt: lambda event: EventFacts(event.account, event.channel, event.at),
    Aside: lambda event: EventFacts(event.account, "", event.of_at),
    Dead: lambda event: EventFacts(event.account or "", event.channel or "", event.at),
}
