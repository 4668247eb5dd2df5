"""A bus in front of another, with a switch: it takes events, refuses them, hangs, or answers too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal

from bus import Batch, Bus, PartitionLag, StoredEvent
from schemas import Event, Retry

Mood = Literal["well", "refuses", "hangs", "late"]


class Faulty(Bus):
    """`late` takes the events and never answers. A call under way when the mood changes stays in the old one."""

    def __init__(self, inner: Bus, mood: Mood = "well") -> None:
        self.inner, self.mood = inner, mood
        self.calls = 0
        self.asked: list[list[Event]] = []
        """The events of each publish."""
        self.before: Callable[[], None] = lambda: None

    async def publish(self, events: Sequence[Event]) -> None:
        self.calls += 1
        self.asked.append(list(events))
        self.before()
        mood = self.mood
        if mood == "refuses":
            raise Retry("the broker is unavailable")
        if mood == "hangs":
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        await self.inner.publish(events)
        if mood == "late":
            await asyncio.Event().wait()

    def subscribe(
        self, topic: str, group: str, *, size: int = 500
    ) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        return self.inner.subscribe(topic, group, size=size)

    async def commit(self, batch: Batch) -> None:
        await self.inner.commit(batch)

    async def lag(self) -> Sequence[PartitionLag]:
        if self.mood != "well":
            raise Retry("the broker is unavailable")
        return await self.inner.lag()

    def read(self, topic: str, since: datetime) -> AsyncIterator[StoredEvent]:
        return self.inner.read(topic, since)
