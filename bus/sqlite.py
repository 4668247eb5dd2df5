"""The bus in one SQLite file, for all processes of one machine. See `_log.py` for what lies in it.

Reads are short and happen on the loop; everything written goes through one thread (`_writer.py`). Whoever commits new
events wakes the readers: in this process directly, in others by a datagram (`_neighbours.py`). Once a second one
ticker for the whole bus looks whether anything was missed.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Self

from bus import _log, _retention
from bus._membership import MEMBERS, Neighbours
from bus._partitions import Slot, now, pack
from bus._port import Batch, Bus, Lag, Lost, Stored
from bus._subscription import Lease, Subscription, Ticket
from bus._writer import Writer
from schemas import Event, Retry

TICK = 1.0
"""Seconds between two looks at what no datagram told."""
_BEAT, _TIDY = 3, 60
"""Ticks between two signs of life, and between two looks at what may go."""

_logger = logging.getLogger(__name__)


class SqliteBus(Bus):
    """`async with SqliteBus(path) as bus:`. The number of partitions stored in the log wins over the argument.

    `retention` and `max_bytes` say what is kept; what a group has still to commit is kept anyway. Opening raises
    `UnusableLog`.
    """

    def __init__(
        self,
        path: Path,
        partitions: int = 4,
        retention: timedelta = timedelta(days=90),
        max_bytes: int | None = None,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.partitions = partitions
        self._path = path
        self._retention, self._max_bytes = retention, max_bytes
        self._clock = clock
        self._heads: dict[Slot, int] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._version = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._writer = Writer(self._path, self._clock, self._committed)
            self._reads = await self._writer.open(self.partitions)
            stack.push_async_callback(self._writer.close)
            self.partitions = self._writer.partitions
            self._near = stack.enter_context(Neighbours(self._path, self._heard))
            self._look()
            stack.push_async_callback(_end, asyncio.create_task(self._tick()))
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def publish(self, events: Sequence[Event]) -> None:
        if rows := pack(events, self.partitions):
            await self._writer.append(rows)

    @asynccontextmanager
    async def subscribe(self, topic: str, group: str, *, size: int = 500) -> AsyncIterator[AsyncIterator[Batch]]:
        with _faults():
            member = self._near.arrive(topic, group)
        subscription = self._subscriptions[member] = Subscription(self, topic, group, size, member)
        self._wake()
        try:
            yield subscription
        finally:
            del self._subscriptions[member]
            self._near.leave(member, topic, group)
            self._wake()

    async def commit(self, batch: Batch) -> None:
        ticket: Ticket = batch.ticket
        move = partial(_log.move, topic=batch.topic, group=batch.group, places=ticket.places)
        lost = await self._writer.do(move)
        ticket.subscription.settle(ticket, lost)
        if lost:
            raise Lost(f"{batch.group} on {batch.topic}")

    async def lag(self) -> Sequence[Lag]:
        with _faults():
            return _log.lag(self._reads)

    async def read(self, topic: str, since: datetime) -> AsyncIterator[Stored]:
        with _faults():
            heads = [(slot, head) for slot, head in _log.heads(self._reads) if slot[0] == topic]
        for slot, head in heads:
            with _faults():
                place = _log.before(self._reads, slot, _log.micros(since))
            while place < head:
                events = self.page(*slot, place, min(500, head - place))
                for event in events:
                    yield event
                place = events[-1].place if events else head
                await asyncio.sleep(0)  # others have waited for the page

    async def tidy(self) -> int:
        """Remove what is past its age or too much; the number of events. Happens once a minute by itself."""
        keep = _retention.Keep(self._clock() - self._retention, self._max_bytes)
        with _faults():
            return await _retention.tidy(self._writer, self._reads, keep)

    async def when_done(self, topic: str, group: str, then: Callable[[], None]) -> bool:
        """Whether the group has committed all of the topic; if so, `then` is called while nobody can publish, in any
        process. Raises Retry."""

        def look(connection: sqlite3.Connection) -> bool:
            done = not _log.behind(connection, topic, group)
            if done:
                then()
            return done

        return await self._writer.do(look)

    def behind(self, topic: str, group: str) -> int:
        """Events of the topic that the group has still to commit. Raises Retry."""
        with _faults():
            return _log.behind(self._reads, topic, group)

    def used(self) -> int:
        """Bytes of the file that are in use. Raises Retry."""
        with _faults():
            return _retention.used(self._reads)

    def head(self, topic: str, partition: int) -> int:
        return self._heads.get((topic, partition), 0)

    def page(self, topic: str, partition: int, after: int, limit: int) -> list[Stored]:
        with _faults():
            return _log.page(self._reads, (topic, partition), after, limit)

    def members(self, topic: str, group: str) -> Sequence[str]:
        return self._near.members(topic, group)

    def leases(self, topic: str, group: str) -> dict[int, Lease]:
        with _faults():
            return _log.leases(self._reads, topic, group)

    async def join(self, topic: str, group: str) -> None:
        await self._writer.do(partial(_log.add_group, topic=topic, group=group, partitions=self.partitions))

    async def pass_on(self, topic: str, group: str, member: str | None, epochs: Mapping[int, int]) -> None:
        await self._writer.do(partial(_log.pass_on, topic=topic, group=group, member=member, epochs=epochs))
        if member is None:
            self._near.changed()
            self._wake()

    def _committed(self, heads: dict[Slot, int]) -> None:
        """Our own writer has committed these."""
        topics = {topic for topic, _ in heads}
        for slot, head in heads.items():
            self._heads[slot] = max(head, self._heads.get(slot, 0))  # a look may have seen more by now
        self._near.tell(topics)
        for subscription in self._subscriptions.values():
            if subscription.topic in topics:
                subscription.wake()

    def _heard(self, said: set[bytes]) -> None:
        """Another process has something to tell."""
        if MEMBERS in said:
            self._wake()
        with suppress(sqlite3.Error):  # the ticker tries again
            self._look()

    def _look(self) -> None:
        """See which topics have grown, and wake who reads them."""
        heads = dict(_log.heads(self._reads))
        grown = {slot[0] for slot, head in heads.items() if head != self._heads.get(slot)}
        self._heads = heads
        for subscription in self._subscriptions.values():
            if subscription.topic in grown:
                subscription.wake()

    def _wake(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.wake(stale=True)

    async def _tick(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for n in count(1):
                await asyncio.sleep(TICK)
                try:
                    self._go_round(n)
                except Exception as error:  # whatever it was, the next round is due
                    _logger.warning("the log could not be looked at: %s", type(error).__name__)
                if n % _TIDY == 0:
                    tasks.create_task(self._tidy())

    def _go_round(self, n: int) -> None:
        if n % _BEAT == 0:
            self._near.beat()
        self._writer.overdue()
        version = self._reads.execute("PRAGMA data_version").fetchone()[0]
        if self._near.look() or version != self._version:
            self._version = version
            self._look()
            self._wake()

    async def _tidy(self) -> None:
        try:
            await self.tidy()
        except Exception as error:  # the next minute tries again
            _logger.warning("the log could not be tidied: %s", type(error).__name__)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Retry(f"the log cannot be read: {error}") from error


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
