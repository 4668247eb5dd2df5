"""A command's own Raws that are in flight, and what became of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from bus import Bus, PartitionLag
from hub.ledger import BOOKKEEPER
from schemas import Raw, Retry
from sink import ItemOutcome, outcomes_of
from sink.ledger import COLUMNS

if TYPE_CHECKING:
    from hub.running.pools import Pools
    from sink import Record

T = TypeVar("T")
AT_ONCE = 500
"""Rows that are published, and asked about, in one call."""
PATIENCE = 600.0
"""Seconds with nothing but Retry, and the command gives up: it is safe to run it again."""
_COLUMNS = {"receipt": "receipts"}
log = logging.getLogger(__name__)


class RowsInFlight:
    """Holds a line number for each Raw without an outcome, the oldest first; the others are only counted."""

    def __init__(self, bus: Bus, record: Record, pools: Pools) -> None:
        self._bus = bus
        self._record = record
        self._pools = pools
        self._lines: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._lines)

    async def publish(self, raws: Sequence[Raw], lines: Sequence[int]) -> None:
        """Publish them; once this returns they are durable."""
        await retry_for_long(lambda: self._bus.publish(raws))
        self._lines.update(zip((raw.id for raw in raws), lines, strict=True))

    async def ended(self) -> list[tuple[int, ItemOutcome]]:
        """The outcomes of those of the oldest of which every item has one now, with their lines."""
        asked = list(islice(self._lines, AT_ONCE))
        outcomes = await retry_for_long(lambda: self._pools.io(outcomes_of, self._record, asked))
        found = Counter(o.raw for o in outcomes)
        ended = [o for o in outcomes if found[o.raw] >= o.item_count]
        self._counts.update(_COLUMNS.get(o.outcome, o.outcome) for o in ended)
        lines = {raw: self._lines.pop(raw) for raw in {o.raw for o in ended}}
        return [(lines[o.raw], o) for o in ended]

    def oldest_line(self) -> int | None:
        """The first line that still has no outcome; None: each has one."""
        return next(iter(self._lines.values()), None)

    async def booked(self) -> None:
        """Wait until the ledger has booked everything that was published when this was called."""
        heads = {lag.partition: lag.offset + lag.behind for lag in await self._lags()}
        while any(lag.offset < heads.get(lag.partition, 0) for lag in await self._lags()):  # noqa: ASYNC110 - another process may be booking
            await asyncio.sleep(0.05)

    async def _lags(self) -> list[PartitionLag]:
        return [lag for lag in await retry_for_long(self._bus.lag) if lag.group == BOOKKEEPER]

    def ledger(self) -> dict[str, int]:
        """The columns of the ledger, for these Raws alone."""
        counts = {name: self._counts[name] for name in COLUMNS if name != "received"} | {"in_flight": len(self)}
        received = len(self) + self._counts.total() - counts["receipts"] - counts["empty"]
        return {"received": received, **counts}


async def retry_for_long(call: Callable[[], Awaitable[T]]) -> T:
    """The result of the call, made again after Retry for `PATIENCE` seconds: a broker or a database that fails for a
    moment shall not end a long import."""
    until, pause = time.monotonic() + PATIENCE, 0.1
    while True:
        try:
            return await call()
        except Retry as fault:
            if time.monotonic() > until:
                raise
            log.warning("%s; trying again", fault.reason)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 10.0)


async def wait_or_stage_error(own: asyncio.Task[None], stages: Collection[asyncio.Task[None]]) -> None:
    """Wait for the command's own work; a stage that gives up ends the wait with its error."""
    try:
        await asyncio.wait([own, *stages], return_when=asyncio.FIRST_COMPLETED)
    finally:
        own.cancel()
    for task in (*stages, own):
        if task.done() and not task.cancelled():
            task.result()
