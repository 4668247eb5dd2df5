"""Processes of the reader and of the slow lane, one step at a time: take, publish, commit, die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

from bus import Batch, MemoryBus, PartitionLost
from hub.lanes import GROUP, Lanes
from schemas import Event, Message, Raw, Slow

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BUDGET = 3


def raw_of(citizen: int, number: int) -> Raw:
    return Raw(
        id=f"{citizen}.{number}", account="sms", channel="sms", owner="32.73", received_at=LONG_AGO,
        conversation=str(citizen),
    )  # fmt: skip


def message_of(raw: Raw) -> Message:
    return Message(
        id=f"sms/sms/{raw.id}", raw=raw.id, account="sms", channel="sms", owner="32.73",
        conversation=raw.conversation or "", received_at=raw.received_at,
    )  # fmt: skip


class ManualClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class LaneProcess:
    """One process of the reader's group, or of the slow lane's."""

    def __init__(self, bus: MemoryBus, topic: str, clock: ManualClock, size: int) -> None:
        self._bus, self._topic, self._size = bus, topic, size
        self._lanes = Lanes(bus, budget=BUDGET, clock=clock) if topic == Raw.topic else None
        self._stack = AsyncExitStack()
        self._batches: AsyncIterator[Batch] | None = None
        self._batch: Batch | None = None
        self.unpublished: list[list[Event]] = []
        """What the batch in hand still has to publish, in calls of their own: a broker takes topic by topic."""

    async def step(self, random: Random) -> None:
        """Its next action."""
        if self.unpublished:
            await self._bus.publish(self.unpublished.pop(random.randrange(len(self.unpublished))))
        elif self._batch is not None:
            with suppress(PartitionLost):
                await self._bus.commit(self._batch)
            self._batch = None
        else:
            await self._take()

    async def die(self) -> list[list[Event]]:
        """It ends with the batch in hand; returns what it had not published, for a zombie."""
        await self._stack.aclose()
        left, self.unpublished, self._batch, self._batches = self.unpublished, [], None, None
        return left

    async def _take(self) -> None:
        if self._batches is None:
            group = GROUP if self._topic == Slow.topic else "reader"
            self._batches = await self._stack.enter_async_context(
                self._bus.subscribe(self._topic, group, size=self._size)
            )
        taking = asyncio.ensure_future(anext(self._batches))
        for _ in range(4):
            await asyncio.sleep(0)
        if not taking.done():
            taking.cancel()
            await asyncio.wait([taking])
            return
        self._batch = taking.result()
        raws: list[Any] = [stored.event() for stored in self._batch.events]
        made = await self._made_of(raws, assigned=self._batch.partitions_assigned)
        self.unpublished = [list(call) for call in made if call]

    async def _made_of(self, raws: Sequence[Raw], *, assigned: bool) -> tuple[Sequence[Event], Sequence[Event]]:
        if self._lanes is None:
            return [message_of(raw) for raw in raws], []
        if assigned:
            await self._lanes.scan()
        here, diverted = await self._lanes.divide(raws)
        return [message_of(raw) for raw in here], diverted


async def order_of(bus: MemoryBus, topic: str = "messages") -> dict[str, list[int]]:
    """By citizen, the numbers of the events on the topic, each where it stands first."""
    found: dict[str, list[int]] = {}
    async for stored in bus.read(topic, LONG_AGO):
        event: Any = stored.event()
        number = int(getattr(event, "raw", event.id).split(".")[1])
        if number not in found.setdefault(event.conversation, []):
            found[event.conversation].append(number)
    return found
