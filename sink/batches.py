"""Batches of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from schemas import Event

E = TypeVar("E", bound=Event)


def without_duplicates(events: Iterable[E]) -> list[E]:
    """The events in order; of several with one id the first."""
    found: dict[str, E] = {}
    for event in events:
        found.setdefault(event.event_id, event)
    return list(found.values())
