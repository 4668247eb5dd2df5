"""Events for the tests of the bus, and helpers for subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from bus import Batch, Bus, StoredEvent
from schemas import Body, Message, Raw, Receipt, Retry

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def raw(number: int, conversation: str = "62812-0000-0001", body: bytes = b"Lampu jalan mati") -> Raw:
    """A Raw whose id is its number."""
    return Raw(
        id=str(number),
        account="sms",
        channel="sms",
        owner="32.73",
        received_at=AT,
        conversation=conversation,
        body=Body(body),
    )


def message(of: Raw) -> Message:
    """The message that a reader makes of the Raw."""
    return Message(
        id=f"sms/{of.account}/{of.id}", raw=of.id, item_index=1, item_count=2, account=of.account, channel=of.channel,
        owner=of.owner, conversation=of.conversation or "", received_at=AT,
    )  # fmt: skip


def receipt(reply: str = "r") -> Receipt:
    """That a reply was sent."""
    return Receipt(account="sms", channel="sms", state="sent", at=AT, reply=reply, raw="0", received_at=AT)


def citizens(count: int, of: int = 17) -> list[Raw]:
    """That many Raws, numbered from 0, of that many citizens in turn."""
    return [raw(i, f"62812-0000-{i % of:04d}") for i in range(count)]


def ids(events: list[StoredEvent] | tuple[StoredEvent, ...]) -> list[int]:
    """The numbers of stored Raws."""
    return [int(event.event().id) for event in events]  # type: ignore[attr-defined]


async def soon(batches: AsyncIterator[Batch]) -> Batch:
    """The next batch, which is expected soon."""
    return await asyncio.wait_for(anext(batches), 20)


async def commit(bus: Bus, batch: Batch) -> None:
    """As the pump does: again and again while the log has no time to answer. Raises PartitionLost."""
    while True:
        try:
            return await bus.commit(batch)
        except Retry:
            await asyncio.sleep(0.05)


async def consume(bus: Bus, batches: AsyncIterator[Batch], count: int) -> list[StoredEvent]:
    """Take and commit batches until that many events have come."""
    events: list[StoredEvent] = []
    while len(events) < count:
        batch = await soon(batches)
        events += batch.events
        await commit(bus, batch)
    return events


async def everything(bus: Bus, group: str, count: int, topic: str = "raw") -> list[StoredEvent]:
    """That many events for the group, all committed."""
    async with bus.subscribe(topic, group) as batches:
        return await consume(bus, batches, count)


def in_order(events: list[StoredEvent]) -> bool:
    """Events of one key come in the order of their numbers."""
    last: dict[str, int] = {}
    for event, number in zip(events, ids(events), strict=True):
        if number <= last.get(event.key, -1):
            return False
        last[event.key] = number
    return True
