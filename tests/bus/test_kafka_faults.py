"""A broker that is killed, paused, started again; and one that asks for a login over TLS."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from bus import Bus, _kafka_writer
from bus.kafka import KafkaBus
from schemas import Event, Retry
from tests.bus.events import AT, citizens, commit, consume, everything, ids, in_order, raw, soon
from tests.bus.test_processes import first_sights_are_in_order
from tests.services.kafka import Kafka

pytestmark = pytest.mark.slow
LONG_AGO = AT.replace(year=2020)


@pytest.fixture
async def bus(broker: Kafka) -> AsyncIterator[KafkaBus]:
    async with KafkaBus(broker.url(uuid4().hex)) as bus:
        yield bus


async def stubbornly(bus: Bus, events: Sequence[Event], refused: list[Retry] | None = None) -> None:
    """Publish until it is durable; collect the refusals."""
    while True:
        try:
            return await bus.publish(events)
        except Retry as fault:
            if refused is not None:
                refused.append(fault)
            await asyncio.sleep(0.05)


class Publisher:
    """Numbers its events, and collects those that were acknowledged."""

    def __init__(self, bus: Bus, citizen: str, first: int, many: int) -> None:
        self.acknowledged: list[int] = []
        self.refused: list[Retry] = []
        self._bus, self._citizen, self._next, self._many = bus, citizen, first, many

    async def run(self) -> None:
        while True:
            numbers = range(self._next, self._next + self._many)
            await stubbornly(self._bus, [raw(n, self._citizen) for n in numbers], self.refused)
            self.acknowledged += numbers
            self._next += self._many


async def until(condition: object, within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_nothing_acknowledged_is_lost_when_the_broker_is_killed(broker: Kafka, bus: KafkaBus) -> None:
    publishers = [Publisher(bus, f"c{n}", n * 1_000_000, many) for n, many in enumerate((1, 1, 3, 50))]
    tasks = [asyncio.create_task(publisher.run()) for publisher in publishers]
    await until(lambda: all(len(publisher.acknowledged) > 100 for publisher in publishers))
    broker.kill()
    await until(lambda: all(publisher.refused for publisher in publishers))
    before = [len(publisher.acknowledged) for publisher in publishers]
    await asyncio.to_thread(broker.start)
    await until(lambda: all(len(p.acknowledged) > n + 100 for p, n in zip(publishers, before, strict=True)))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    stored = [event async for event in bus.read("raw", LONG_AGO)]
    assert not {n for publisher in publishers for n in publisher.acknowledged} - set(ids(stored))
    assert first_sights_are_in_order([event.key for event in stored], ids(stored))


async def test_a_subscription_outlives_its_broker(broker: Kafka, bus: KafkaBus) -> None:
    await bus.publish(citizens(20))
    async with bus.subscribe("raw", "reader", size=5) as batches:
        in_hand = await soon(batches)
        broker.kill()
        with pytest.raises(Retry):
            await bus.publish([])
        with pytest.raises(Retry):
            await bus.commit(in_hand)
        await asyncio.to_thread(broker.start)
        await stubbornly(bus, [raw(20)])
        await commit(bus, in_hand)
        rest = await consume(bus, batches, 21 - len(in_hand.events))
    assert sorted(ids(in_hand.events) + ids(rest)) == list(range(21))
    assert not any(lag.behind for lag in await bus.lag())


async def test_a_broker_that_hangs_is_noticed_in_seconds_and_left_at_once(broker: Kafka) -> None:
    async with KafkaBus(broker.url(uuid4().hex)) as bus:
        await stubbornly(bus, [raw(1)])
        async with bus.subscribe("raw", "reader") as batches:
            batch = await soon(batches)
            broker.pause()
            try:
                started = time.monotonic()
                with pytest.raises(Retry):
                    await bus.publish([raw(2)])
                with pytest.raises(Retry):
                    await bus.commit(batch)
                with pytest.raises(Retry):
                    await bus.lag()
                assert time.monotonic() - started < 60  # not the minutes that aiokafka would take
                await asyncio.wait_for(batches.close(), 30)  # type: ignore[attr-defined]
            finally:
                broker.resume()
        await stubbornly(bus, [raw(3)])
        assert 3 in ids([event async for event in bus.read("raw", LONG_AGO)])


async def test_closing_does_not_wait_for_a_broker_that_hangs(broker: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kafka_writer, "PATIENCE", 600.0)
    handed_over = asyncio.Event()
    hand_over = _kafka_writer._hand_over

    async def and_tell(producer: AIOKafkaProducer, rows: Any) -> Any:
        sent = await hand_over(producer, rows)
        handed_over.set()
        return sent

    async with KafkaBus(broker.url(uuid4().hex)) as bus:
        await stubbornly(bus, [raw(1)])
        broker.pause()
        try:
            monkeypatch.setattr(_kafka_writer, "_hand_over", and_tell)
            publishing = asyncio.create_task(bus.publish([raw(2)]))
            await asyncio.wait_for(handed_over.wait(), 60)
            await asyncio.wait_for(bus.__aexit__(), 60)
            with pytest.raises(Retry):
                await publishing
        finally:
            broker.resume()


def certificate(folder: Path) -> None:
    """A key for 127.0.0.1 in `keys.p12`, its certificate in `ca.pem`."""
    store = ["-keystore", f"{folder}/keys.p12", "-storepass", "geheim", "-alias", "broker"]
    make = ["-genkeypair", "-keyalg", "RSA", "-storetype", "PKCS12", "-dname", "CN=test", "-ext", "san=ip:127.0.0.1"]
    subprocess.run(["keytool", *make, *store], check=True, capture_output=True)
    subprocess.run(
        ["keytool", "-exportcert", "-rfc", "-file", f"{folder}/ca.pem", *store], check=True, capture_output=True
    )


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Kafka]:
    """A broker that admits no client without TLS and a password."""
    certificate(tmp_path)
    broker = Kafka(tmp_path)
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    users = 'username="broker" password="b" user_broker="b" user_hub="geheim/1"'
    port = broker.ports[0]
    broker._env["KAFKA_PROPERTIES"] = f"""
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config={login} {users};
ssl.keystore.location={tmp_path}/keys.p12
ssl.keystore.password=geheim
ssl.keystore.type=PKCS12
ssl.truststore.location={tmp_path}/keys.p12
ssl.truststore.password=geheim
ssl.truststore.type=PKCS12
ssl.endpoint.identification.algorithm=
"""
    with broker:
        yield broker


async def test_a_login_over_tls(guarded: Kafka, tmp_path: Path) -> None:
    options = f"?tls=true&ca={tmp_path}/ca.pem&sasl=PLAIN&brokers=1"
    async with KafkaBus(f"kafka://hub:geheim%2F1@{guarded.servers}/p{options}") as bus:
        await stubbornly(bus, citizens(40))
        stored = await everything(bus, "reader", 40)
        assert in_order(stored)
        assert [lag.behind for lag in await bus.lag()] == [0] * 4
    for wrong in (f"hub:wrong@{guarded.servers}/p{options}", f"{guarded.servers}/p"):
        async with KafkaBus(f"kafka://{wrong}") as bus:
            with pytest.raises(Retry) as refused:
                await bus.publish([raw(1)])
            assert "wrong" not in str(refused.value)
