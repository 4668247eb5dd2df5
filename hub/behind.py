"""The events of a topic that a group has still to commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime

from bus import Bus, Lag, Stored

_EPOCH = datetime.fromtimestamp(0, UTC)


async def behind(bus: Bus, topic: str, groups: Collection[str]) -> AsyncIterator[Stored]:
    """Events that one of these groups has still to commit, those included that were published before this call and are
    committed during it. Raises Retry."""
    lags = [lag for lag in await bus.lag() if lag.topic == topic and lag.group in groups]
    new = bool(set(groups) - {lag.group for lag in lags})  # a group that never read the topic has all of it before it
    since = _EPOCH if new else min((lag.oldest or _EPOCH for lag in lags if lag.behind), default=None)
    if since is None:
        return
    committed = _committed(lags)
    async for event in bus.read(topic, since):
        if new or event.offset > committed.get(event.partition, -1):
            yield event


def _committed(lags: Collection[Lag]) -> dict[int, int]:
    lowest: dict[int, int] = {}
    for lag in lags:
        lowest[lag.partition] = min(lag.offset, lowest.get(lag.partition, lag.offset))
    return lowest
