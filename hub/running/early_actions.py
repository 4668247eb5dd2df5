"""Actions that come before the report that they are about: a portal or a recap names both in one row, and they come by
two topics.

Such an action waits until everything that came in before it was first seen here is decided on, however long that takes
after a stop or in a large import; only then does nobody know its report.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from bus import PartitionLag, Run
from hub.reading import RunInThread
from normalizer import Memory, match
from schemas import Action, Event, Retry

LEAST = timedelta(seconds=20)
"""An action waits so long after its receipt in any case: its report may come by another door."""
SKEW = timedelta(seconds=5)
"""How far the clocks of two machines may be apart."""
AHEAD = frozenset({("raw", "reader"), ("slow", "slow"), ("messages", "matcher")})
"""Topics and groups by which a report is on its way."""
LONG_AGO = datetime.fromtimestamp(0, UTC)


def matching_actions(
    memory: Memory, io: RunInThread, lag: Callable[[], Awaitable[Sequence[PartitionLag]]], now: Callable[[], datetime]
) -> Run:
    """Actions to Matched. Raises Retry while one waits for its report."""
    first_seen: dict[str, datetime] = {}

    async def matcher(events: Sequence[Event]) -> Sequence[Event]:
        actions = [event for event in events if isinstance(event, Action)]
        try:
            matched = await io(match, actions, memory, early_since=LONG_AGO)
        except Retry:
            seen = max(first_seen.setdefault(action.event_id, now()) for action in actions)
            if any(_may_hold(part, seen) for part in await lag()):
                raise
            matched = await io(match, actions, memory, early_since=now() - LEAST)
        for action in actions:
            first_seen.pop(action.event_id, None)
        return matched

    return matcher


def _may_hold(part: PartitionLag, seen: datetime) -> bool:
    """Is something on its way that was published before?"""
    if (part.topic, part.group) not in AHEAD or not part.behind:
        return False
    return part.oldest is None or part.oldest <= seen + SKEW
