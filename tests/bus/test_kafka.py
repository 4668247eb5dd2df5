"""On Kafka alone: topics, records, groups of other systems, and an unavailable broker."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4
from zlib import crc32

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bus import Batch, PartitionLost, _kafka_subscription, _kafka_writer
from bus._kafka_consumer import GroupConsumer
from bus.kafka import KafkaBus, under_replicated_topics
from schemas import EVENTS, Reject, Retry
from tests.bus.events import AT, citizens, commit, consume, everything, ids, raw, receipt, soon
from tests.bus.leaks import nothing_left_open
from tests.services.ports import free_ports

LONG_AGO = AT.replace(year=2020)


@pytest.fixture
def prefix() -> str:
    return uuid4().hex


@pytest.fixture
def url(kafka: str, prefix: str) -> str:
    return f"kafka://{kafka}/{prefix}?brokers=1"


@pytest.fixture
async def bus(url: str) -> AsyncIterator[KafkaBus]:
    async with KafkaBus(url) as bus:
        yield bus


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
def nobody() -> str:
    """A broker that is unavailable."""
    return f"kafka://127.0.0.1:{free_ports(1)[0]}"


async def test_records_carry_their_headers_and_stand_where_their_key_says(
    bus: KafkaBus, kafka: str, prefix: str
) -> None:
    await bus.publish(citizens(34))
    consumer = AIOKafkaConsumer(f"{prefix}.raw", bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        records = [await consumer.getone() for _ in range(34)]
    for record in records:
        assert record.partition == crc32(record.key) % 4
        assert dict(record.headers)["ce_type"] == b"id.satupintu.raw.v1"
        assert record.timestamp_type == 1  # by the broker's clock


async def test_topics_are_created_by_the_settings(url: str, prefix: str, admin: AIOKafkaAdminClient) -> None:
    async with KafkaBus(url, partitions=3) as bus:
        await bus.publish([raw(1)])
    topics = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["topic"].startswith(prefix)}
    assert set(topics) == {f"{prefix}.{topic}" for topic in EVENTS}
    assert {len(topic["partitions"]) for topic in topics.values()} == {3}
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, f"{prefix}.raw")])
    found = {name: value for name, value, *_ in answer.resources[0][4]}
    assert found["retention.ms"] == str(90 * 86_400_000)
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["min.insync.replicas"] == "1"
    assert int(found["max.message.bytes"]) > 1_000_000


async def test_a_topic_that_exists_keeps_its_partitions(url: str, prefix: str, admin: AIOKafkaAdminClient) -> None:
    await admin.create_topics([NewTopic(f"{prefix}.raw", 7, 1)])
    async with KafkaBus(url, partitions=2) as bus:
        await bus.publish(citizens(60, of=60))
        assert {event.partition for event in await everything(bus, "reader", 60)} == set(range(7))


async def test_several_processes_may_create_the_topics_at_once(url: str) -> None:
    async with KafkaBus(url) as one, KafkaBus(url) as two, KafkaBus(url) as three:
        await asyncio.gather(*(bus.publish([raw(n)]) for n, bus in enumerate((one, two, three))))
        assert sorted(ids(await everything(one, "reader", 3))) == [0, 1, 2]


async def test_a_producer_that_ended_in_the_background_is_replaced(bus: KafkaBus) -> None:
    await bus.publish([raw(1)])
    producer = await bus._writer._producer.get()
    producer._message_accumulator.fail_all(KeyError("a fault of aiokafka"))
    with pytest.raises(Retry, match="KeyError"):
        await bus.publish([raw(2)])
    await bus.publish([raw(2)])


async def test_a_bug_of_ours_is_no_unavailable_broker(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> None:
    await bus.publish([raw(1)])
    for bug in (AssertionError, AttributeError, TypeError, KeyError):

        async def trip(*_: object, bug: type[Exception] = bug) -> None:
            raise bug("ours")

        monkeypatch.setattr(_kafka_writer, "_hand_over", trip)
        monkeypatch.setattr(bus._admin, "_lag", trip)
        for call in (lambda: bus.publish([raw(2)]), bus.lag):
            with pytest.raises(bug, match="ours"):
                await call()
    monkeypatch.undo()
    await bus.publish([raw(2)])
    assert sorted(ids(await everything(bus, "reader", 2))) == [1, 2]


async def test_a_fault_inside_aiokafka_is_named_and_tried_again(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> None:
    await bus.publish([raw(1)])
    producer = await bus._writer._producer.get()
    monkeypatch.setattr(producer, "_metadata", None)  # so that aiokafka trips
    with pytest.raises(Retry, match=r"aiokafka failed: AttributeError at aiokafka.producer.producer:"):
        await bus.publish([raw(2)])
    await bus.publish([raw(2)])


async def test_topics_wait_for_enough_brokers(kafka: str, prefix: str, url: str) -> None:
    waiting = f"kafka://{kafka}/{prefix}?brokers=2"
    async with KafkaBus(waiting) as bus:
        with pytest.raises(Retry, match="topics are created when 2 brokers are up, now 1"):
            await bus.publish([raw(1)])
    assert await under_replicated_topics(waiting) == {}
    async with KafkaBus(url) as bus:
        await bus.publish([raw(1)])
    assert await under_replicated_topics(url) == {}
    assert await under_replicated_topics(waiting) == dict.fromkeys(EVENTS, 1)
    async with KafkaBus(waiting) as bus:  # they exist: nothing to wait for
        await bus.publish([raw(2)])


async def test_a_call_with_a_record_that_is_too_large_publishes_nothing(bus: KafkaBus) -> None:
    with pytest.raises(Reject, match="too_large"):
        await bus.publish([raw(1), raw(2, body=b"x" * 1_100_000)])
    assert [event async for event in bus.read("raw", LONG_AGO)] == []


async def test_a_batch_ends_at_about_four_megabytes(bus: KafkaBus) -> None:
    for _ in range(4):
        await bus.publish([raw(n, str(n), b"x" * 200_000) for n in range(10)])
    async with bus.subscribe("raw", "reader") as batches:
        sizes, events = [], 0
        while events < 40:
            batch = await soon(batches)
            sizes.append(sum(len(event.value) for event in batch.events))
            events += len(batch.events)
            await commit(bus, batch)
    assert max(sizes) < 6_000_000


async def test_a_publish_that_is_cancelled_harms_no_later_one(bus: KafkaBus) -> None:
    await bus.publish([raw(0)])
    for number in range(1, 40):
        giving_up = asyncio.create_task(bus.publish([raw(number)] * (1 + number % 2 * 50)))
        for _ in range(number % 8):
            await asyncio.sleep(0)
        giving_up.cancel()
        await asyncio.gather(giving_up, return_exceptions=True)
    await bus.publish([raw(100)])
    assert [n for n in ids([e async for e in bus.read("raw", LONG_AGO)]) if n in (0, 100)] == [0, 100]


async def test_lag_knows_a_group_that_has_committed_nothing_yet(bus: KafkaBus) -> None:
    await bus.publish(citizens(30))
    async with bus.subscribe("raw", "reader") as batches:
        batch = await soon(batches)
        lags = await bus.lag()
        assert sum(lag.behind for lag in lags) == 30
        assert {(lag.topic, lag.group, lag.offset) for lag in lags} == {("raw", "reader", 0)}
        assert {lag.partition for lag in lags} == set(range(4))
        await commit(bus, batch)


async def test_offsets_and_times_of_the_lag_are_those_of_the_events(bus: KafkaBus) -> None:
    await bus.publish(citizens(30))
    first = await everything(bus, "reader", 30)
    await bus.publish([raw(30)])
    (next_one,) = [event async for event in bus.read("raw", first[0].at) if ids([event]) == [30]]
    lags = {lag.partition: lag for lag in await bus.lag()}
    for partition, lag in lags.items():
        assert lag.offset == max((event.offset for event in first if event.partition == partition), default=0)
    assert (lags[next_one.partition].behind, lags[next_one.partition].oldest) == (1, next_one.at)
    assert sum(lag.behind for lag in lags.values()) == 1


async def test_groups_of_other_systems_are_not_ours(kafka: str, bus: KafkaBus, prefix: str) -> None:
    async with KafkaBus(f"kafka://{kafka}/{prefix}-other?brokers=1") as other:
        for each, group in ((bus, "reader"), (other, "stranger")):
            await each.publish([raw(1)])
            await everything(each, group, 1)
    async with AIOKafkaConsumer(
        f"{prefix}.raw", bootstrap_servers=kafka, group_id=f"{prefix}.watcher", auto_offset_reset="earliest"
    ) as foreign:
        await foreign.getone()
        await foreign.commit()
        assert {lag.group for lag in await bus.lag()} == {"reader"}


async def test_lag_is_cheap(bus: KafkaBus) -> None:
    await bus.publish(citizens(500))
    for group in "abcdefghi":
        async with bus.subscribe("raw", group, size=50) as batches:
            await commit(bus, await soon(batches))
    used = time.process_time()
    for _ in range(10):
        assert len(await bus.lag()) == 36
    assert (time.process_time() - used) / 10 < 0.1


async def test_reading_many_pages(bus: KafkaBus) -> None:
    await bus.publish(citizens(3000))
    assert sorted(ids([event async for event in bus.read("raw", LONG_AGO)])) == list(range(3000))


async def test_records_of_other_systems_without_key_or_value_are_delivered(
    bus: KafkaBus, kafka: str, prefix: str
) -> None:
    await bus.publish([raw(1)])
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(f"{prefix}.receipts", b"no event")
        await producer.send_and_wait(f"{prefix}.receipts", None, b"\xff")
    stored = await everything(bus, "receipts", 2, "receipts")
    assert sorted((event.key, event.value) for event in stored) == [("", b"no event"), ("\ufffd", b"")]


async def test_rebalances_deliver_nothing_twice(url: str) -> None:
    """Subscriptions join while another has a batch in hand."""
    async with KafkaBus(url) as bus:
        await bus.publish(citizens(400))
        seen: list[int] = []
        async with bus.subscribe("raw", "reader", size=10) as one:
            batch = await soon(one)
            async with bus.subscribe("raw", "reader", size=10) as two:
                joining = asyncio.create_task(soon(two))
                await asyncio.wait([joining], timeout=0.5)
                seen += ids(batch.events)
                await commit(bus, batch)
                other = await joining
                seen += ids(other.events)
                await commit(bus, other)
                while len(seen) < 200:
                    for batches in (one, two):
                        batch = await soon(batches)
                        seen += ids(batch.events)
                        await commit(bus, batch)
            seen += ids(await consume(bus, one, 400 - len(seen)))
    assert sorted(seen) == list(range(400))


async def test_while_the_broker_is_unavailable_every_call_raises_retry_soon(nobody: str, tmp_path: Path) -> None:
    with nothing_left_open(tmp_path):
        async with KafkaBus(nobody) as bus:
            started = time.monotonic()
            for call in (lambda: bus.publish([]), lambda: bus.publish([raw(1)]), bus.lag):
                with pytest.raises(Retry):
                    await call()
            async with bus.subscribe("raw", "reader") as batches:
                with pytest.raises(Retry):
                    await anext(batches)
            with pytest.raises(Retry):
                await anext(bus.read("raw", LONG_AGO))
        assert time.monotonic() - started < 9  # not CONNECT for each


async def test_an_unavailable_broker_is_one_line_in_the_log(nobody: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with KafkaBus(nobody) as bus:
        for _ in range(5):
            with pytest.raises(Retry):
                await bus.publish([raw(1)])
    assert len(caplog.records) == 1


async def test_several_topics_in_one_call_of_many(bus: KafkaBus) -> None:
    receipts = [receipt(str(n)) for n in range(50)]
    await bus.publish([*citizens(50), *receipts])
    assert len(await everything(bus, "receipts", 50, "receipts")) == 50


async def test_a_groups_offset_is_stored_in_kafka(bus: KafkaBus, kafka: str, prefix: str) -> None:
    """The offset in the cluster is the one after the last event of the batch."""
    await bus.publish([raw(1), raw(2)])
    await everything(bus, "reader", 2)
    async with AIOKafkaConsumer(bootstrap_servers=kafka, group_id=f"{prefix}.reader.raw") as probe:
        slots = [TopicPartition(f"{prefix}.raw", n) for n in range(4)]
        assert {await probe.committed(slot) for slot in slots} == {2, None}


async def test_a_fetcher_that_died_in_the_background_is_noticed(bus: KafkaBus) -> None:
    async with bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        await consume(bus, batches, 1)
        dead = _consumer(batches)
        dead._fetcher._fetch_task.cancel()
        for number in (2, 3):  # records that it has requested may still come
            await bus.publish([raw(number)])
            try:
                assert ids(await consume(bus, batches, 1)) == [number]
            except Retry:
                assert ids(await consume(bus, batches, 1)) == [number]
        assert _consumer(batches) is not dead


async def test_a_commit_does_not_wait_for_a_coordination_that_died(bus: KafkaBus) -> None:
    async with bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        in_hand = await soon(batches)
        member = _member(batches)
        member._steady.clear()
        member.consumer._coordinator._coordination_task.cancel()
        with pytest.raises(PartitionLost):
            await bus.commit(in_hand)
        assert ids(await consume(bus, batches, 1)) == [1]


async def test_a_commit_does_not_wait_for_ever_for_a_rebalance(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kafka_subscription, "ANSWER", 0.1)
    async with bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        in_hand = await soon(batches)
        member = _member(batches)
        member._steady.clear()
        member.assignment.steady = False
        member._began = time.monotonic()
        with pytest.raises(Retry):
            await bus.commit(in_hand)
        monkeypatch.setattr(_kafka_subscription, "GONE", 0.1)
        monkeypatch.setattr(_kafka_subscription, "ANSWER", 3.0)
        with pytest.raises(PartitionLost):
            await bus.commit(in_hand)
        assert ids(await consume(bus, batches, 1)) == [1]


async def test_a_member_whose_commits_are_never_answered_joins_anew(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_kafka_subscription, "ANSWER", 0.1)
    async with bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        in_hand = await soon(batches)
        member = _member(batches)
        monkeypatch.setattr(member.consumer, "commit", lambda offsets: asyncio.sleep(60))
        with pytest.raises(Retry):
            await bus.commit(in_hand)
        monkeypatch.setattr(_kafka_subscription, "GONE", 0.1)
        with pytest.raises(PartitionLost):
            await bus.commit(in_hand)
        monkeypatch.setattr(_kafka_subscription, "ANSWER", 3.0)
        assert ids(await consume(bus, batches, 1)) == [1]
        assert _member(batches) is not member


async def test_events_that_are_stored_and_do_not_come_are_noticed(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_kafka_subscription, "CHECK", 0.5)
    async with bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        await consume(bus, batches, 1)
        consumer = _consumer(batches)
        consumer.pause(*consumer.assignment())
        await bus.publish([raw(2)])
        with pytest.raises(Retry):
            await soon(batches)
        assert ids(await consume(bus, batches, 1)) == [2]


async def test_an_idle_member_stays_in_its_group(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kafka_subscription, "CHECK", 0.1)
    monkeypatch.setattr(_kafka_subscription, "POLL", 0.1)
    async with bus.subscribe("raw", "reader") as batches:
        await bus.publish([raw(1)])
        await consume(bus, batches, 1)
        consumer = _consumer(batches)
        waiting = asyncio.create_task(soon(batches))
        await asyncio.wait([waiting], timeout=2)
        await bus.publish([raw(2)])
        await commit(bus, await waiting)
        assert _consumer(batches) is consumer


def _consumer(batches: AsyncIterator[Batch]) -> AIOKafkaConsumer:
    return _member(batches).consumer


def _member(batches: AsyncIterator[Batch]) -> GroupConsumer:
    member = batches._consumer.now  # type: ignore[attr-defined]
    assert isinstance(member, GroupConsumer)
    return member
