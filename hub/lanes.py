"""The slow lane: a conversation over its budget goes there, so that it starves nobody, and stays until it is empty.

The reader either reads a Raw (`raw` -> `messages`) or puts it aside (`raw` -> `slow`), where a stage of its own reads
it (`slow` -> `messages`) and gives way to all others. A conversation has a budget of `BUDGET` Raws a minute; over it,
all that it has in the batch goes aside, and so does whatever comes later, until a look at the bus finds nothing of it
behind the place of the group `slow`. A Raw without a conversation is never put aside.

**Why a conversation is never reordered.** Say that r1, r2, … are its Raws in door order. They stand in one partition
of `raw`, and those put aside in one partition of `slow`. What is handled twice comes to `messages` twice, and the
matcher decides on (raw, index) once, so only first appearances count. Two statements hold when rk is published:

1. *Read by the reader*: every rj before it stands on `messages`. Either rj is in the same call, for a batch sends all
   of a conversation one way, and one partition keeps the order of a call. Or it was handled before: by us, or by
   whoever held the partition, who committed it, having published it first. If it was read, it is there. If it was put
   aside, it is there once the slow lane has committed it; and a look made after it was published has found that. For
   what others did, that is the look when the partition was gained; for what we did, the look before a conversation
   leaves: it is made between two batches, when all that we put aside is published, or was never to be.
2. *Put aside*: every rj before it stands on `slow` or on `messages` already, by the same cases. The slow lane takes in
   order and publishes before it commits, so when it publishes rk, every rj before it stands on `messages`.

A zombie, whose partition another has taken, still publishes the batch in hand, at any later moment. What it decided on
was true when it decided, and that something stands on a topic stays true; what it publishes is handled by its
successor too, since it can no longer commit. A crash leaves less than that. So neither reorders anything.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import asdict

from bus import Bus
from hub.behind import behind
from schemas import Raw, Slow

GROUP = "slow"
BUDGET = 60
"""Raws of one conversation that are read at once in a minute."""
MINUTE = 60.0
KEYS = 100_000
"""Conversations counted at most; with more, the minute begins anew: then nobody of them is hot."""
LOOK = 1.0
"""Seconds between two looks at the slow lane, while anything is in it."""
UNHURRIED = 20
"""A look that took long is not taken again before so many times its length."""

LIVE = frozenset({"reader", "matcher", "router", "sink"})
"""The groups that the slow lane gives way to."""
ENOUGH = 200
"""Events behind, of all of them together, that it need not wait for."""
AT_MOST, PAUSE = 0.5, 0.05
"""Seconds that it gives way before it does a batch all the same, and between two looks meanwhile."""


class Lanes:
    """Which conversations go which way, for one reader. `clock` is monotonic, in seconds."""

    def __init__(self, bus: Bus, *, budget: int = BUDGET, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus, self._budget, self._clock = bus, budget, clock
        self._counts: dict[str, int] = {}
        self._minute = self._next = 0.0
        self._slow: set[str] = set()

    async def look(self) -> None:
        """Learn from the bus who is in the slow lane. To be called when a partition was gained. Raises Retry."""
        began = self._clock()
        self._slow = {event.key async for event in behind(self._bus, Slow.topic, {GROUP})}
        ended = self._clock()
        self._next = ended + max(LOOK, (ended - began) * UNHURRIED)

    async def part(self, raws: Sequence[Raw]) -> tuple[Sequence[Raw], list[Slow]]:
        """What to read, and what to put aside: of each conversation all or nothing. The last call's are published.
        Raises Retry."""
        if self._slow and self._clock() >= self._next:
            await self.look()
        self._slow |= self._hot(raws)
        if not self._slow:
            return raws, []
        aside = [raw.conversation is not None and raw.key in self._slow for raw in raws]
        slow = [Slow(**asdict(raw)) for raw, off in zip(raws, aside, strict=True) if off]
        return [raw for raw, off in zip(raws, aside, strict=True) if not off], slow

    def _hot(self, raws: Sequence[Raw]) -> set[str]:
        """The conversations that are over their budget with these."""
        now, counts, hot = self._clock(), self._counts, set[str]()
        if now >= self._minute or len(counts) > KEYS:
            counts.clear()
            self._minute = now + MINUTE
        for raw in raws:
            if raw.conversation is not None:
                key = raw.key
                counts[key] = count = counts.get(key, 0) + 1
                if count > self._budget:
                    hot.add(key)
        return hot


async def give_way(bus: Bus, sleep: Callable[[float], Awaitable[object]]) -> None:
    """Wait while live traffic is behind, but not for ever. Raises Retry."""
    waited = 0.0
    while waited < AT_MOST and sum(lag.behind for lag in await bus.lag() if lag.group in LIVE) > ENOUGH:
        await sleep(PAUSE)
        waited += PAUSE
