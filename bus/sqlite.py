"""The bus in one SQLite file, for all processes of one machine. See `_log.py` for what lies in it.

Reads are short and happen on the loop; everything written goes through one thread (`_writer.py`). A process that
commits new events wakes the readers: its own directly, others by a datagram (`_membership.py`). A ticker looks once a
second whether a datagram was missed.
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
from bus._groups import GroupInUse
from bus._membership import MEMBERS, Membership
from bus._opened import cancel_and_wait
from bus._partitions import Rows, Slot, group_by_partition, utc_now
from bus._port import Batch, Bus, PartitionLag, PartitionLost, StoredEvent
from bus._subscription import CommitToken, PartitionOwner, Subscription
from bus._values import BodyStore, any_large, encode_events, replace_large_values
from bus._writer import SqliteWriter
from schemas import Event, Retry

TICK = 1.0
"""Seconds between two looks for missed datagrams."""
_HEARTBEAT, _TIDY = 3, 60
"""Ticks between two heartbeats, and between two runs of the retention."""

_logger = logging.getLogger(__name__)


class SqliteBus(Bus):
    """`async with SqliteBus(path) as bus:`. The number of partitions stored in the log wins over the argument.

    Events older than `retention`, and the oldest of a file over `max_bytes`, are removed once every group has committed
    them. Opening raises `UnusableLog`.
    """

    def __init__(
        self,
        path: Path,
        partitions: int = 4,
        retention: timedelta = timedelta(days=90),
        max_bytes: int | None = None,
        *,
        bodies: BodyStore | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.partitions = partitions
        self._path = path
        self._retention, self._max_bytes = retention, max_bytes
        self._bodies = bodies
        self._clock = clock
        self._heads: dict[Slot, int] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._version = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._writer = SqliteWriter(self._path, self._clock, self._committed)
            self._reads = await self._writer.open(self.partitions)
            stack.push_async_callback(self._writer.close)
            self.partitions = self._writer.partitions
            self._membership = stack.enter_context(Membership(self._path, self._received))
            self._wake_readers()
            stack.push_async_callback(cancel_and_wait, asyncio.create_task(self._tick()))
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def publish(self, events: Sequence[Event]) -> None:
        if events:
            await self._writer.append(await self._rows(events))

    async def _rows(self, events: Sequence[Event]) -> Rows:
        values = encode_events(events)
        if any_large(values):
            values = await asyncio.to_thread(replace_large_values, events, values, self._bodies)
        return group_by_partition(events, values, self.partitions)

    @asynccontextmanager
    async def subscribe(self, topic: str, group: str, *, size: int = 500) -> AsyncIterator[AsyncIterator[Batch]]:
        with _faults():
            member = self._membership.add(topic, group)
        subscription = self._subscriptions[member] = Subscription(self, topic, group, size, member)
        self._wake()
        try:
            yield subscription
        finally:
            del self._subscriptions[member]
            self._membership.remove(member, topic, group)
            self._wake()

    async def commit(self, batch: Batch) -> None:
        _settle(batch, await self._writer.do(_commit_of(batch)))

    async def publish_with_commit(self, events: Sequence[Event], batch: Batch) -> bool:
        _settle(batch, await self._writer.append(await self._rows(events), _commit_of(batch)))
        return True

    async def lag(self) -> Sequence[PartitionLag]:
        with _faults():
            return _log.group_lags(self._reads)

    async def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        with _faults():
            heads = [(slot, head) for slot, head in _log.last_offsets(self._reads) if slot[0] == topic]
        for slot, head in heads:
            with _faults():
                offset = _log.offset_before(self._reads, slot, _log.to_micros(since))
            while offset < head:
                events = self.page(*slot, offset, min(500, head - offset))
                for event in events:
                    yield event
                offset = events[-1].offset if events else head
                await asyncio.sleep(0)  # other tasks have waited for the page

    async def forget_group(self, group: str) -> int:
        """See `bus.forget_group`."""
        with _faults():
            if self._membership.in_use(group):
                raise GroupInUse(group)
        return await self._writer.do(partial(_log.forget_group, group=group))

    async def rewind_group(self, group: str, at: datetime) -> dict[str, int]:
        """See `bus.rewind_group`."""
        with _faults():
            if self._membership.in_use(group):
                raise GroupInUse(group)
            offsets = {
                slot: _log.offset_before(self._reads, slot, _log.to_micros(at))
                for slot, _ in _log.last_offsets(self._reads)
            }
        return await self._writer.do(partial(_log.rewind_group, group=group, offsets=offsets))

    async def tidy(self) -> int:
        """Apply the retention; the number of events removed. Happens once a minute by itself."""
        policy = _retention.RetentionPolicy(self._clock() - self._retention, self._max_bytes)
        with _faults():
            return await _retention.delete_expired(self._writer, self._reads, policy)

    async def when_done(self, topic: str, group: str, then: Callable[[], None]) -> bool:
        """Whether the group has committed all of the topic; if so, `then` is called while no process can publish.
        Raises Retry."""

        def check(connection: sqlite3.Connection) -> bool:
            done = not _log.count_uncommitted(connection, topic, group)
            if done:
                then()
            return done

        return await self._writer.do(check)

    def behind(self, topic: str, group: str) -> int:
        """Events of the topic that the group has still to commit. Raises Retry."""
        with _faults():
            return _log.count_uncommitted(self._reads, topic, group)

    def used(self) -> int:
        """Bytes of the file that are in use. Raises Retry."""
        with _faults():
            return _retention.used_bytes(self._reads)

    def head(self, topic: str, partition: int) -> int:
        return self._heads.get((topic, partition), 0)

    def page(self, topic: str, partition: int, after: int, limit: int) -> list[StoredEvent]:
        with _faults():
            return _log.read_page(self._reads, (topic, partition), after, limit, self._bodies)

    def members(self, topic: str, group: str) -> Sequence[str]:
        return self._membership.members(topic, group)

    def owners(self, topic: str, group: str) -> dict[int, PartitionOwner]:
        with _faults():
            return _log.partition_owners(self._reads, topic, group)

    async def join(self, topic: str, group: str) -> None:
        await self._writer.do(partial(_log.add_group, topic=topic, group=group, partitions=self.partitions))

    async def assign(self, topic: str, group: str, member: str | None, epochs: Mapping[int, int]) -> None:
        await self._writer.do(partial(_log.assign_partitions, topic=topic, group=group, member=member, epochs=epochs))
        if member is None:
            self._membership.announce()
            self._wake()

    def _committed(self, heads: dict[Slot, int]) -> None:
        """This process's writer has committed these."""
        topics = {topic for topic, _ in heads}
        for slot, head in heads.items():
            self._heads[slot] = max(head, self._heads.get(slot, 0))  # `_wake_readers` may have seen more by now
        self._membership.notify(topics)
        for subscription in self._subscriptions.values():
            if subscription.topic in topics:
                subscription.wake()

    def _received(self, datagrams: set[bytes]) -> None:
        """From other processes."""
        if MEMBERS in datagrams:
            self._wake()
        with suppress(sqlite3.Error):  # the ticker tries again
            self._wake_readers()

    def _wake_readers(self) -> None:
        """See which topics have grown, and wake their readers."""
        heads = dict(_log.last_offsets(self._reads))
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
                    self._tick_once(n)
                except Exception as error:  # the next tick tries again
                    _logger.warning("the log could not be looked at: %s", type(error).__name__)
                if n % _TIDY == 0:
                    tasks.create_task(self._tidy())

    def _tick_once(self, n: int) -> None:
        if n % _HEARTBEAT == 0:
            self._membership.heartbeat()
        self._writer.overdue()
        version = self._reads.execute("PRAGMA data_version").fetchone()[0]
        if self._membership.refresh() or version != self._version:
            self._version = version
            self._wake_readers()
            self._wake()

    async def _tidy(self) -> None:
        try:
            await self.tidy()
        except Exception as error:  # the next minute tries again
            _logger.warning("the log could not be tidied: %s", type(error).__name__)


def _commit_of(batch: Batch) -> Callable[[sqlite3.Connection], list[int]]:
    token: CommitToken = batch.token
    return partial(_log.commit_offsets, topic=batch.topic, group=batch.group, offsets=token.offsets)


def _settle(batch: Batch, lost: list[int]) -> None:
    token: CommitToken = batch.token
    token.subscription.settle(token, lost)
    if lost:
        raise PartitionLost(f"{batch.group} on {batch.topic}")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Retry(f"the log cannot be read: {error}") from error
