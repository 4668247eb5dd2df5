"""What stands on a topic that a group has still to commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime

from bus import Bus, Lag, Stored

_EPOCH = datetime.fromtimestamp(0, UTC)


async def behind(bus: Bus, topic: str, groups: Collection[str]) -> AsyncIterator[Stored]:
    """The topic's events that one of these groups has still to commit. What is published before this is asked, and
    committed after, is among them. Raises Retry."""
    places = [lag for lag in await bus.lag() if lag.topic == topic and lag.group in groups]
    new = bool(set(groups) - {lag.group for lag in places})  # it never read the topic: everything is behind it
    since = _EPOCH if new else min((lag.oldest or _EPOCH for lag in places if lag.behind), default=None)
    if since is None:
        return
    reached = _reached(places)
    async for event in bus.read(topic, since):
        if new or event.place > reached.get(event.partition, -1):
            yield event


def _reached(places: Collection[Lag]) -> dict[int, int]:
    reached: dict[int, int] = {}
    for lag in places:
        reached[lag.partition] = min(lag.place, reached.get(lag.partition, lag.place))
    return reached
