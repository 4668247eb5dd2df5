"""The producer: idempotent, acknowledged by all replicas in step.

A publish of many events is handed over as ready batches, which costs a quarter of the CPU of sending one by one; few
events go one by one, and those that come while a request is in flight share the next. After any failure, and after a
time without an answer, the fate of the batches is unknown and their sequence is broken: that producer is dropped and a
new one opened, and every call that waited on it raises Retry.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator

from bus._kafka_link import ANSWER, CONNECT, FAULTS, TRIPS, KafkaConnection, close_client
from bus._kafka_records import NewRecord, Rows
from bus._opened import LazyResource
from schemas import Reject

PATIENCE = 10.0
"""Seconds from handing over until every event is acknowledged."""
BATCH = 512 * 1024
"""Bytes of one partition's batch."""
FEW = 16
"""Events up to which they are sent one by one."""
CLOSE = 1.0
"""Seconds for closing in order."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

_Future = asyncio.Future[object]


class KafkaWriter:
    """Call `close` at the end."""

    def __init__(self, link: KafkaConnection) -> None:
        self._link = link
        self._producer = LazyResource(self._open, _close)

    async def write(self, rows: Rows) -> None:
        """Return once all are durable. Raises Retry, or Reject where the broker takes no record of that size."""
        producer = await self._working()
        try:
            async with asyncio.timeout(PATIENCE):
                sent = await _hand_over(producer, rows)
                await asyncio.wait(sent)
        except TOO_LARGE as error:
            raise Reject("too_large", f"{error}") from error
        except FAULTS as error:
            self._producer.drop(producer)
            raise self._link.unavailable(error) from error
        except TRIPS as error:
            self._producer.drop(producer)
            raise self._link.tripped(error) from None
        if failures := [failure for future in sent if (failure := future.exception())]:
            self._producer.drop(producer)
            if any(isinstance(failure, TOO_LARGE) for failure in failures):
                raise Reject("too_large", "the broker takes no such record: raise the topic's max.message.bytes")
            raise self._link.unavailable(failures[0]) from failures[0]
        self._link.available()

    async def _working(self) -> AIOKafkaProducer:
        """A producer whose work in the background goes on: one that has ended fails every record it is given."""
        producer = await self._producer.get()
        if (error := producer._message_accumulator._exception) is not None:
            self._producer.drop(producer)
            raise self._link.unavailable(error) from error
        return producer

    async def ping(self) -> None:
        """Does a broker answer? Raises Retry."""
        producer = await self._producer.get()
        with self._link.asking():
            async with asyncio.timeout(ANSWER):
                if not await producer.client.force_metadata_update():
                    raise KafkaError("no metadata")

    async def close(self) -> None:
        await self._producer.close()

    async def _open(self) -> AIOKafkaProducer:
        await self._link.client()  # makes sure that the topics are there
        address = self._link.address
        producer = AIOKafkaProducer(
            **address.client(PATIENCE),
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",  # events of one batch are alike: a quarter of the bytes for a few microseconds each
            max_batch_size=BATCH,
            max_request_size=2 * 1024 * 1024,
        )
        try:
            with self._link.asking():
                async with asyncio.timeout(CONNECT):
                    await producer.start()
                    await producer.client.set_topics([address.prefix + topic for topic in self._link.counts])
        except BaseException:
            await _close(producer)
            raise
        return producer


async def _hand_over(producer: AIOKafkaProducer, rows: Rows) -> list[_Future]:
    sent: list[_Future] = []
    few = sum(map(len, rows.values())) <= FEW
    for slot, events in rows.items():
        await (_one_by_one if few else _in_batches)(producer, slot, events, sent)
    return sent


async def _one_by_one(
    producer: AIOKafkaProducer, slot: TopicPartition, rows: list[NewRecord], sent: list[_Future]
) -> None:
    topic, partition = slot
    for key, value, headers in rows:
        _track(sent, await producer.send(topic, value, key, partition, headers=headers))


async def _in_batches(
    producer: AIOKafkaProducer, slot: TopicPartition, rows: list[NewRecord], sent: list[_Future]
) -> None:
    batch = producer.create_batch()
    for row in rows:
        if not _append(batch, row):
            _track(sent, await producer.send_batch(batch, slot.topic, partition=slot.partition))
            batch = producer.create_batch()
            _append(batch, row)
    batch.close()
    _track(sent, await producer.send_batch(batch, slot.topic, partition=slot.partition))


def _append(batch: BatchBuilder, row: NewRecord) -> bool:
    return batch.append(timestamp=None, key=row.key, value=row.value, headers=row.headers) is not None


def _track(sent: list[_Future], future: _Future) -> None:
    future.add_done_callback(_retrieve)
    sent.append(future)


def _retrieve(future: _Future) -> None:
    """asyncio would log the exception of a publish that was given up."""
    if not future.cancelled():
        future.exception()


async def _close(producer: AIOKafkaProducer) -> None:
    """`stop()` blocks until delivery; we must not block, so tear down by hand."""
    accumulator = producer._message_accumulator
    if not (accumulator._exception or accumulator._batches or accumulator._pending_batches):
        with suppress(*FAULTS):
            async with asyncio.timeout(CLOSE):
                await producer.stop()
                return
    producer._closed = True
    if (task := producer._sender.sender_task) is not None:
        await _end(task, producer.client)
    await close_client(producer.client)
    _fail(accumulator)


def _fail(accumulator: MessageAccumulator) -> None:
    """Fail every call that waits. `fail_all` trips over batches that were to be sent again, and leaves exceptions
    unretrieved."""
    batches = {batch for queue in accumulator._batches.values() for batch in queue} | accumulator._pending_batches
    accumulator._pending_batches |= batches
    for batch in batches:
        batch._drain_waiter.add_done_callback(_retrieve)
        batch.failure(KafkaError("given up"))
    accumulator._exception = KafkaError("given up")


async def _end(task: asyncio.Task[None], client: AIOKafkaClient) -> None:
    """Once cancelled the sender waits for requests in flight, which fail as the connections close, and then for
    metadata, which will never come."""
    task.cancel()
    await close_client(client)
    until = time.monotonic() + CLOSE
    while not task.done():
        if (update := client._md_update_fut) is not None and not update.done():
            update.set_result(False)
        await asyncio.wait([task], timeout=0.02)
        if time.monotonic() > until:  # it may still be connecting
            task.cancel()
