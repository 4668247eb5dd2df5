"""The promises of the port (`bus/_port.py`), kept by every adapter. No test names an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from bus import Batch, Bus, PartitionLag, PartitionLost, StoredEvent
from schemas import encode
from tests.bus.events import citizens, consume, everything, ids, in_order, raw, receipt, soon

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def totals(lags: list[PartitionLag], group: str) -> tuple[int, int]:
    """Events behind, and partitions."""
    mine = [lag for lag in lags if lag.group == group]
    return sum(lag.behind for lag in mine), len(mine)


async def test_an_event_is_delivered_as_it_was_published(bus: Bus) -> None:
    event = raw(7, body=b"\x00\xff jalan \xf0\x9f\x98\xa1")
    before = datetime.now(UTC)
    await bus.publish([event])
    (stored,) = await everything(bus, "reader", 1)
    assert (stored.key, stored.value) == (event.key, encode(event))
    assert before - timedelta(seconds=1) <= stored.at <= datetime.now(UTC) + timedelta(seconds=1)


async def test_events_of_one_key_keep_their_order(bus: Bus) -> None:
    events = citizens(300)
    for start in range(0, 300, 60):
        await bus.publish(events[start : start + 60])
    stored = await everything(bus, "reader", 300)
    assert sorted(ids(stored)) == list(range(300))
    assert in_order(stored)


async def test_events_of_one_key_stand_in_one_partition(bus: Bus) -> None:
    await bus.publish(citizens(100))
    stored = await everything(bus, "reader", 100)
    assert len({(event.key, event.partition) for event in stored}) == 17
    assert len({event.partition for event in stored}) > 1


async def test_offsets_grow_within_a_partition(bus: Bus) -> None:
    await bus.publish(citizens(50))
    await bus.publish(citizens(50))
    last: dict[int, int] = {}
    for event in await everything(bus, "reader", 100):
        assert event.offset > last.get(event.partition, -1)
        last[event.partition] = event.offset


async def test_a_batch_holds_no_more_than_its_size(bus: Bus) -> None:
    await bus.publish(citizens(100))
    async with bus.subscribe("raw", "reader", size=7) as batches:
        for _ in range(5):
            batch = await soon(batches)
            assert 1 <= len(batch.events) <= 7
            await bus.commit(batch)


async def test_a_batch_names_its_topic_and_group(bus: Bus) -> None:
    await bus.publish([raw(1)])
    async with bus.subscribe("raw", "reader") as batches:
        batch = await soon(batches)
    assert (batch.topic, batch.group) == ("raw", "reader")


async def test_publishing_nothing_is_allowed(bus: Bus) -> None:
    await bus.publish([])
    await bus.publish([raw(1)])
    assert ids(await everything(bus, "reader", 1)) == [1]


async def test_publishers_at_the_same_time_all_get_through(bus: Bus) -> None:
    events = citizens(200)
    await asyncio.gather(*(bus.publish([event]) for event in events))
    assert sorted(ids(await everything(bus, "reader", 200))) == list(range(200))


async def test_one_call_may_publish_to_several_topics(bus: Bus) -> None:
    await bus.publish([raw(1), receipt()])
    assert ids(await everything(bus, "reader", 1)) == [1]
    assert [event.key for event in await everything(bus, "receipts", 1, "receipts")] == ["sms/r"]


async def test_every_group_sees_everything(bus: Bus) -> None:
    await bus.publish(citizens(20))
    for group in ("reader", "ledger"):
        assert sorted(ids(await everything(bus, group, 20))) == list(range(20))


async def test_a_new_group_starts_at_the_oldest_event(bus: Bus) -> None:
    await bus.publish(citizens(10))
    await everything(bus, "reader", 10)
    await bus.publish([raw(10)])
    assert sorted(ids(await everything(bus, "late", 11))) == list(range(11))


async def test_committed_events_are_not_delivered_again(bus: Bus) -> None:
    await bus.publish(citizens(10))
    await everything(bus, "reader", 10)
    await bus.publish([raw(10)])
    assert ids(await everything(bus, "reader", 1)) == [10]


async def test_uncommitted_events_are_delivered_again(bus: Bus) -> None:
    await bus.publish([raw(1)])
    async with bus.subscribe("raw", "reader") as batches:
        await soon(batches)
    assert ids(await everything(bus, "reader", 1)) == [1]


async def test_the_next_batch_waits_until_the_last_one_is_committed(bus: Bus) -> None:
    await bus.publish([raw(1), raw(2)])
    async with bus.subscribe("raw", "reader", size=1) as batches:
        first = await soon(batches)
        second = asyncio.create_task(soon(batches))
        done, _ = await asyncio.wait([second], timeout=0.05)
        assert not done
        await bus.commit(first)
        assert ids((await second).events) == [2]


async def test_a_reader_that_waits_is_woken(bus: Bus) -> None:
    async with bus.subscribe("raw", "reader") as batches:
        waiting = asyncio.create_task(soon(batches))
        await asyncio.wait([waiting], timeout=0.05)
        await bus.publish([raw(1)])
        assert ids((await waiting).events) == [1]


async def test_giving_up_waiting_loses_nothing(bus: Bus) -> None:
    async with bus.subscribe("raw", "reader") as batches:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(batches), 0.01)
        await bus.publish([raw(1)])
        assert ids(await consume(bus, batches, 1)) == [1]


async def test_two_subscriptions_of_a_group_share_the_partitions(bus: Bus) -> None:
    async with bus.subscribe("raw", "reader") as one, bus.subscribe("raw", "reader") as two:
        await _share(bus, one, two)
        seen = await _deal(bus, one, two)
        assert not {event.partition for event in seen[0]} & {event.partition for event in seen[1]}


async def _share(bus: Bus, *subscriptions: AsyncIterator[Batch]) -> None:
    """Publish and consume until each of them has had an event."""
    async with asyncio.timeout(30):
        while not all(await _deal(bus, *subscriptions)):
            pass


async def _deal(bus: Bus, *subscriptions: AsyncIterator[Batch]) -> list[list[StoredEvent]]:
    """Publish events and let them take and commit these; the events of each."""
    seen: list[list[StoredEvent]] = [[] for _ in subscriptions]
    await bus.publish(citizens(40))

    async def work(batches: AsyncIterator[Batch], events: list[StoredEvent]) -> None:
        while sum(map(len, seen)) < 40:
            with suppress(TimeoutError):
                batch = await asyncio.wait_for(anext(batches), 0.1)
                events += batch.events
                await bus.commit(batch)

    await asyncio.gather(*map(work, subscriptions, seen))
    return seen


async def test_the_partitions_of_a_subscription_that_left_pass_to_the_others(bus: Bus) -> None:
    async with bus.subscribe("raw", "reader") as one:
        async with bus.subscribe("raw", "reader") as two:
            await _share(bus, one, two)
        await bus.publish(citizens(40))
        assert sorted(ids(await consume(bus, one, 40))) == list(range(40))


async def test_a_batch_shows_that_a_partition_was_assigned(bus: Bus) -> None:
    await bus.publish(citizens(40))
    async with bus.subscribe("raw", "reader", size=10) as one:
        first, *others = await _taken(bus, one, 40)
        assert first.partitions_assigned
        assert others
        assert not any(batch.partitions_assigned for batch in others)
        async with bus.subscribe("raw", "reader") as two:
            await _share(bus, one, two)
        await bus.publish(citizens(40))
        assert any(batch.partitions_assigned for batch in await _taken(bus, one, 40))


async def _taken(bus: Bus, batches: AsyncIterator[Batch], count: int) -> list[Batch]:
    """Take and commit batches until that many events came."""
    taken: list[Batch] = []
    while sum(len(batch.events) for batch in taken) < count:
        taken.append(await soon(batches))
        await bus.commit(taken[-1])
    return taken


async def test_a_commit_after_the_partition_was_assigned_to_another_is_lost(bus: Bus) -> None:
    await bus.publish([raw(1)])
    async with bus.subscribe("raw", "reader") as batches:
        old = await soon(batches)
    async with bus.subscribe("raw", "reader") as batches:
        new = await soon(batches)
        with pytest.raises(PartitionLost):
            await bus.commit(old)
        await bus.commit(new)
    assert totals(await bus.lag(), "reader") == (0, 4)


async def test_what_is_published_with_a_commit_is_published_also_where_the_batch_is_lost(bus: Bus) -> None:
    await bus.publish([raw(1)])
    async with bus.subscribe("raw", "reader") as batches:
        old = await soon(batches)
    async with bus.subscribe("raw", "reader") as batches:
        new = await soon(batches)
        with suppress(PartitionLost):
            assert not await bus.publish_with_commit([receipt("old")], old)
        assert totals(await bus.lag(), "reader") == (1, 4)
        if not await bus.publish_with_commit([receipt("new")], new):
            await bus.commit(new)
    assert totals(await bus.lag(), "reader") == (0, 4)
    found = [stored.event() async for stored in bus.read("receipts", LONG_AGO)]
    assert {event.reply for event in found} == {"old", "new"}  # type: ignore[attr-defined]


async def test_a_batch_is_committed_twice_without_harm(bus: Bus) -> None:
    await bus.publish([raw(1), raw(2)])
    async with bus.subscribe("raw", "reader", size=1) as batches:
        first = await soon(batches)
        await bus.commit(first)
        await bus.commit(await soon(batches))
        await bus.commit(first)
    assert totals(await bus.lag(), "reader") == (0, 4)


async def test_lag_says_how_far_behind_a_group_is(bus: Bus) -> None:
    await everything(bus, "reader", 0)
    await bus.publish(citizens(30))
    async with bus.subscribe("raw", "reader", size=10) as batches:
        await bus.commit(await soon(batches))
    lags = await bus.lag()
    assert totals(lags, "reader") == (20, 4)
    assert all((lag.oldest is None) == (lag.behind == 0) for lag in lags)


async def test_reading_from_an_instant_belongs_to_no_group(bus: Bus) -> None:
    await bus.publish(citizens(20))
    stored = await everything(bus, "reader", 20)
    again = [event async for event in bus.read("raw", LONG_AGO)]
    assert sorted(again) == sorted(stored)
    assert in_order(again)


async def test_reading_starts_at_the_instant(bus: Bus) -> None:
    for number in range(6):
        await bus.publish([raw(number)])
    stored = await everything(bus, "reader", 6)
    since = stored[3].at
    assert [e async for e in bus.read("raw", since)] == [e for e in stored if e.at >= since]
    assert [e async for e in bus.read("raw", stored[5].at + timedelta(seconds=1))] == []


async def test_reading_a_topic_that_nobody_wrote_to_is_empty(bus: Bus) -> None:
    assert [event async for event in bus.read("receipts", LONG_AGO)] == []
