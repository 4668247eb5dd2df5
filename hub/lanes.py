"""The slow lane: a conversation over its budget is read there, after all others, and stays until its lane is empty.

The reader either reads a Raw (`raw` -> `messages`) or diverts it (`raw` -> `slow`), where a stage of its own reads it
(`slow` -> `messages`) and gives way to all others. A conversation has a budget of `BUDGET` Raws a minute; over it, all
its Raws in the batch are diverted, and so are later ones, until a scan of the bus finds none of it that the group
`slow` has still to commit. A Raw without a conversation is never diverted.

**Why a conversation is never reordered.** Let r1, r2, … be its Raws in the order of the ingress. They stand in one
partition of `raw`, and those diverted in one partition of `slow`. An event that is handled twice appears on `messages`
twice, and the matcher decides on (raw, item) once, so only first appearances count. Two statements hold when rk is
published:

1. *Read by the reader*: every rj before it stands on `messages`. Either rj is in the same call, for a batch sends all
   of a conversation one way, and one partition keeps the order of a call. Or it was handled before: by this reader, or
   by the partition's last owner, who published it first and then committed it. If it was read, it is there. If it was
   diverted, it is there once the slow lane has committed it, and a scan that began after it was published has found
   that. For what other readers did, that is the scan after the partition was assigned; for what this one did, the scan
   before a conversation leaves: it runs between two batches, when everything diverted here is published, or never will
   be.
2. *Diverted*: every rj before it stands on `slow` or on `messages` already, by the same cases. The slow lane takes in
   order and publishes before it commits, so when it publishes rk, every rj before it stands on `messages`.

A zombie, whose partition belongs to another reader now, still publishes its current batch, at any later moment. What it
decided on was true when it decided, and an event that stands on a topic stays there; what it publishes is handled by
its successor too, since the zombie can no longer commit. A crash leaves less than that. So neither reorders anything.
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
"""Raws of one conversation that are read without delay in a minute."""
MINUTE = 60.0
KEYS = 100_000
"""Conversations counted at most; beyond that the minute begins anew, for so many conversations are no single sender."""
SCAN_EVERY = 1.0
"""Seconds between two scans of the slow lane, while it holds anything."""
SCAN_REST = 20
"""A scan rests this many times its own duration before the next."""

LIVE = frozenset({"reader", "matcher", "router", "sink"})
"""The groups that the slow lane gives way to."""
ENOUGH = 200
"""Events of these groups together, still to commit, for which it does not wait."""
LONGEST_WAIT, PAUSE = 0.5, 0.05
"""Seconds that it waits before a batch at most, and between two looks at the lag."""


class Lanes:
    """Divides the Raws of one reader between the lanes. `clock` is monotonic, in seconds."""

    def __init__(self, bus: Bus, *, budget: int = BUDGET, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus, self._budget, self._clock = bus, budget, clock
        self._counts: dict[str, int] = {}
        self._minute_ends = self._next_scan = 0.0
        self._slow: set[str] = set()

    async def scan(self) -> None:
        """Learn from the bus which conversations are in the slow lane. Call it when a partition was assigned. Raises
        Retry."""
        began = self._clock()
        self._slow = {event.key async for event in behind(self._bus, Slow.topic, {GROUP})}
        ended = self._clock()
        self._next_scan = ended + max(SCAN_EVERY, (ended - began) * SCAN_REST)

    async def divide(self, raws: Sequence[Raw]) -> tuple[Sequence[Raw], list[Slow]]:
        """The Raws to read, and those to divert: of each conversation all or none. Call it only when the last call's
        are published. Raises Retry."""
        if self._slow and self._clock() >= self._next_scan:
            await self.scan()
        self._slow |= self._over_budget(raws)
        if not self._slow:
            return raws, []
        diverted = [raw.conversation is not None and raw.key in self._slow for raw in raws]
        slow = [Slow(**asdict(raw)) for raw, off in zip(raws, diverted, strict=True) if off]
        return [raw for raw, off in zip(raws, diverted, strict=True) if not off], slow

    def _over_budget(self, raws: Sequence[Raw]) -> set[str]:
        """The conversations that are over their budget with these."""
        now, counts, over = self._clock(), self._counts, set[str]()
        if now >= self._minute_ends or len(counts) > KEYS:
            counts.clear()
            self._minute_ends = now + MINUTE
        for raw in raws:
            if raw.conversation is not None:
                key = raw.key
                counts[key] = count = counts.get(key, 0) + 1
                if count > self._budget:
                    over.add(key)
        return over


async def give_way(bus: Bus, sleep: Callable[[float], Awaitable[object]]) -> None:
    """Wait while the live groups are behind, for `LONGEST_WAIT` at most. Raises Retry."""
    waited = 0.0
    while waited < LONGEST_WAIT and sum(lag.behind for lag in await bus.lag() if lag.group in LIVE) > ENOUGH:
        await sleep(PAUSE)
        waited += PAUSE
