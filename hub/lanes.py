"""The slow lane: a conversation over its budget is read there, after all others, and stays until its lane is empty.

The reader either reads a Raw (`raw` -> `messages`) or diverts it (`raw` -> `slow`), where a stage of its own reads it
(`slow` -> `messages`) and gives way to all others. A conversation has a budget of `BUDGET` Raws a minute; over it, all
its Raws in the batch are diverted, and so are later ones, until a scan of the bus finds none of it that the group
`slow` has still to commit. A Raw without a conversation is never diverted. Why no conversation is reordered stands with
`bus.SideLane`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import asdict

from bus import AsideStore, Bus, MemoryAsides, SideLane, keys_of_waiting_events, stored_key, uncommitted_events
from schemas import Raw, Slow

GROUP = "slow"
BUDGET = 60
"""Raws of one conversation that are read without delay in a minute."""
MINUTE = 60.0
KEYS = 100_000
"""Conversations counted at most; beyond that the minute begins anew, for so many are no single sender."""

LIVE = frozenset({"reader", "matcher", "router", "sink"})
"""The groups that the slow lane gives way to."""
ENOUGH = 200
"""Events of these groups together, still to commit, for which it does not wait."""
LONGEST_WAIT, PAUSE = 0.5, 0.05
"""Seconds that it waits before a batch at most, and between two readings of the lag."""


class Lanes:
    """Divides the Raws of one reader between the lanes. `clock` is monotonic, in seconds; `asides` are the accounts
    that stages have put aside: those of the slow lane wait in lanes of their own."""

    def __init__(
        self, bus: Bus, asides: AsideStore | None = None, *, budget: int = BUDGET,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._bus, self._budget, self._clock = bus, budget, clock
        self._asides = asides or MemoryAsides()
        self._counts: dict[str, int] = {}
        self._minute_ends = 0.0
        self._lane = SideLane(self._in_slow_lane, clock)

    async def scan(self) -> None:
        """Learn from the bus which conversations are in the slow lane. Call it when a partition was assigned. Raises
        Retry."""
        await self._lane.scan()

    async def divide(self, raws: Sequence[Raw]) -> tuple[Sequence[Raw], list[Slow]]:
        """The Raws to read, and those to divert: of each conversation all or none. Call it only when the last call's
        are published. Raises Retry."""
        if self._lane.keys:
            await self._lane.scan_if_due()
        self._lane.keys |= self._over_budget(raws)
        here, diverted = self._lane.divide(raws, _key)
        return here, [Slow(**asdict(raw)) for raw in diverted]

    async def _in_slow_lane(self) -> set[str]:
        waiting = {stored.key async for stored in uncommitted_events(self._bus, Slow.topic, GROUP)}
        # in this order: events move from there to here
        return waiting | await keys_of_waiting_events(self._bus, self._asides, GROUP)

    def _over_budget(self, raws: Sequence[Raw]) -> set[str]:
        """The conversations that are over their budget with these."""
        now, counts, over = self._clock(), self._counts, set[str]()
        if now >= self._minute_ends or len(counts) > KEYS:
            counts.clear()
            self._minute_ends = now + MINUTE
        for raw in raws:
            if raw.conversation is not None:
                key = stored_key(raw.key)
                counts[key] = count = counts.get(key, 0) + 1
                if count > self._budget:
                    over.add(key)
        return over


def _key(raw: Raw) -> str:
    """As the bus has it; empty where there is no conversation."""
    return "" if raw.conversation is None else stored_key(raw.key)


async def wait_for_live_groups(bus: Bus, sleep: Callable[[float], Awaitable[object]]) -> None:
    """Wait while the live groups are behind, for `LONGEST_WAIT` at most. Raises Retry."""
    waited = 0.0
    while waited < LONGEST_WAIT and sum(lag.behind for lag in await bus.lag() if lag.group in LIVE) > ENOUGH:
        await sleep(PAUSE)
        waited += PAUSE
