"""Actions that come before the report that they are about: a portal or a recap names both in one row, and they come by
two topics; or another system answers a complaint that we created there, before we know its id.

Such an action waits until everything that came in before it was first seen here is decided on, and every create that
had begun; only then does nobody know its report. Meanwhile all actions wait behind it, those of officers too: so they
wait `LONGEST` in all while one backlog is worked off, and from then on `LEAST` for each that is early.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bus import PartitionLag, Run
from hub.running.pools import RunInThread
from normalizer import Memory, match
from schemas import Action, Event, Retry

LEAST = timedelta(seconds=20)
"""An action waits so long after its receipt in any case: its report may come by another door."""
LONGEST = timedelta(minutes=10)
SKEW = timedelta(seconds=5)
"""How far the clocks of two machines may be apart."""
FORGOTTEN = timedelta(days=1)
"""After which an action that was seen here waits elsewhere: its partition moved."""
AHEAD = frozenset({("raw", "reader"), ("slow", "slow"), ("messages", "matcher")})
"""Topics and groups by which a report is on its way."""
LONG_AGO = datetime.fromtimestamp(0, UTC)


def matching_actions(
    memory: Memory,
    io: RunInThread,
    lag: Callable[[], Awaitable[Sequence[PartitionLag]]],
    creates: Callable[[], Sequence[datetime]],
    now: Callable[[], datetime],
) -> Run:
    """Actions to Matched. Raises Retry while one waits for its report. `creates` tells when those creates in other
    systems began of which nobody knows yet what became of them."""
    waits = EarlyActions()

    async def matcher(events: Sequence[Event]) -> Sequence[Event]:
        actions = [event for event in events if isinstance(event, Action)]
        waits.tried_again(now())
        try:
            matched = await io(match, actions, memory, early_since=LONG_AGO)
        except Retry:
            if waits.go_on(actions, [*oldest_on_the_way(await lag()), *await io(creates)], now()):
                raise
            matched = await io(match, actions, memory, early_since=now() - LEAST)
        waits.decided(actions)
        return matched

    return matcher


class EarlyActions:
    """Since when which actions wait in this process, and how long they have held up the others."""

    def __init__(self) -> None:
        self.seen: dict[str, datetime] = {}
        """When each that waits was first seen."""
        self._backlog = LONG_AGO
        """What was published before is worked off at present."""
        self._held = timedelta()
        """So long the others waited meanwhile."""
        self._waiting_since: datetime | None = None

    def tried_again(self, now: datetime) -> None:
        """A wait is over."""
        if self._waiting_since:
            self._held += now - self._waiting_since
            self._waiting_since = None

    def go_on(self, actions: Iterable[Action], ahead: Sequence[datetime], now: datetime) -> bool:
        """Do these, of which one is early, wait on? `ahead`: since when something is on its way."""
        self.seen = {id: at for id, at in self.seen.items() if at > now - FORGOTTEN}
        seen = max(self.seen.setdefault(action.event_id, now) for action in actions)
        oldest = min(ahead, default=now + FORGOTTEN) - SKEW
        if oldest > self._backlog:
            self._backlog, self._held = seen, timedelta()
        waits = oldest <= seen and (self._held < LONGEST or now - seen < LEAST)
        self._waiting_since = now if waits else None
        return waits

    def decided(self, actions: Iterable[Action]) -> None:
        """They wait no more."""
        for action in actions:
            self.seen.pop(action.event_id, None)


def oldest_on_the_way(lag: Iterable[PartitionLag]) -> list[datetime]:
    """When the oldest report was published of each partition by which one may be on its way."""
    behind = (part for part in lag if (part.topic, part.group) in AHEAD and part.behind)
    return [part.oldest or LONG_AGO + SKEW for part in behind]  # a group that has read nothing has all before it
