"""The account, the channel and the time of an event, whichever kind it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from schemas import Action, Aside, Dead, Event, Matched, Message, Raw, Receipt, Routed, Slow


class Facts(NamedTuple):
    """Whose an event is, and of when."""

    account: str
    """Empty where none is known."""
    channel: str
    at: datetime


def facts_of(event: Event) -> Facts:
    """Of any event that this release knows."""
    return _FACTS[type(event)](event)


def _received(event: Any) -> Facts:
    return Facts(event.account, event.channel, event.received_at)


_FACTS: dict[type[Event], Callable[[Any], Facts]] = {
    Raw: _received,
    Slow: _received,
    Message: _received,
    Action: _received,
    Matched: lambda event: _received(event.item),
    Routed: lambda event: _received(event.matched.item),
    Receipt: lambda event: Facts(event.account, event.channel, event.at),
    Aside: lambda event: Facts(event.account, "", event.of_at),
    Dead: lambda event: Facts(event.account or "", event.channel or "", event.at),
}
