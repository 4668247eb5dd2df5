"""Raws of a command's own that are on the road, and what became of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import islice
from typing import TypeVar

from bus import Lag
from hub.ledger import BOOKKEEPER
from hub.wiring import Hub
from schemas import Raw, Retry
from sink.outcomes import Fate, fates

T = TypeVar("T")
AT_ONCE = 500
PATIENCE = 600.0
"""Seconds with nothing but Retry, and the command gives up: to run it again is safe."""
COLUMNS = ("recorded", "added", "redelivered", "refused", "dead", "on_the_road", "lost", "receipts", "empty")
_COLUMN = {"receipt": "receipts"}
log = logging.getLogger(__name__)


class Waiting:
    """Holds a line number for each Raw without an outcome, the oldest first; the others are only counted."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lines: dict[str, int] = {}
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._lines)

    async def publish(self, raws: Sequence[Raw], lines: Sequence[int]) -> None:
        """Put them on the road; once this returns they are durable."""
        await patiently(lambda: self._hub.bus.publish(raws))
        self._lines.update(zip((raw.id for raw in raws), lines, strict=True))

    async def look(self) -> list[tuple[int, Fate]]:
        """Which of the oldest have an outcome now, with their lines."""
        asked = list(islice(self._lines, AT_ONCE))
        ended = await patiently(lambda: self._hub.threads.disk(fates, self._hub.record, asked))
        self._count.update(_COLUMN.get(fate.outcome, fate.outcome) for fate in ended)
        return [(self._lines.pop(fate.raw), fate) for fate in ended]

    async def counted(self) -> None:
        """Wait until the ledger has counted everything that was there when this was called."""
        heads = {lag.partition: lag.place + lag.behind for lag in await self._books()}
        while any(lag.place < heads.get(lag.partition, 0) for lag in await self._books()):  # noqa: ASYNC110 - another process may be counting
            await asyncio.sleep(0.05)

    async def _books(self) -> list[Lag]:
        return [lag for lag in await patiently(self._hub.bus.lag) if lag.group == BOOKKEEPER]

    def ledger(self) -> dict[str, int]:
        """The columns of the ledger, for these Raws alone."""
        columns = {name: self._count[name] for name in COLUMNS} | {"on_the_road": len(self)}
        return {"received": len(self) + self._count.total() - columns["receipts"] - columns["empty"], **columns}


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """A broker or a database that blinks shall not end a long import."""
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


async def first_of(mine: asyncio.Task[None], stages: Collection[asyncio.Task[None]]) -> None:
    """Wait for one's own work; a stage that gives up ends the wait with its error."""
    try:
        await asyncio.wait([mine, *stages], return_when=asyncio.FIRST_COMPLETED)
    finally:
        mine.cancel()
    for task in (*stages, mine):
        if task.done() and not task.cancelled():
            task.result()
