"""Large events travel by reference, and a dead letter always fits, on every adapter. No test names an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bus import Bus, MemoryBodyStore, Stage, decode_event, pump
from schemas import Dead, Event, Raw, Reject, Retry, encode
from tests.bus.events import AT, consume, everything, ids, raw

LARGE = b"x" * 3_000_000


async def dead_letters(bus: Bus, count: int) -> list[Dead]:
    """That many, whole."""
    return [stored.event() for stored in await everything(bus, "dead", count, "dead")]  # type: ignore[misc]


async def pumped(bus: Bus, events: Sequence[Event], refusal: Reject) -> list[Dead]:
    """The dead letters of a stage that refuses all of the events."""

    async def run(batch: Sequence[Event]) -> Sequence[Event]:
        raise refusal

    await bus.publish(events)
    pumping = asyncio.create_task(pump(bus, Stage("reader", events[0].topic, run)))
    letters = asyncio.create_task(dead_letters(bus, len(events)))
    done, _ = await asyncio.wait([pumping, letters], return_when=asyncio.FIRST_COMPLETED, timeout=30)
    assert done == {letters}
    pumping.cancel()
    await asyncio.wait([pumping])
    return letters.result()


async def test_a_large_event_is_delivered_whole_and_stands_as_a_reference(bus: Bus, bodies: MemoryBodyStore) -> None:
    event = raw(1, body=LARGE)
    await bus.publish([raw(0), event, raw(2)])
    stored = await everything(bus, "reader", 3)
    assert [one.event() for one in stored] == [raw(0), event, raw(2)]
    assert all(len(one.value) < 1000 for one in stored)
    assert decode_event("raw", stored[1].value, bodies) == event


async def test_a_large_event_is_read_whole(bus: Bus) -> None:
    await bus.publish([raw(1, body=LARGE)])
    (stored,) = [one async for one in bus.read("raw", datetime(2020, 1, 1, tzinfo=UTC))]
    assert stored.event() == raw(1, body=LARGE)


async def test_an_event_up_to_256_kib_stands_as_it_is(bus: Bus) -> None:
    event = raw(1, body=b"x" * (256 * 1024 + 1 - len(encode(raw(1, body=b"x")))))
    await bus.publish([event])
    (stored,) = await everything(bus, "reader", 1)
    assert stored.value == encode(event)


async def test_a_body_that_cannot_be_read_is_for_now(bus: Bus, bodies: MemoryBodyStore) -> None:
    await bus.publish([raw(1, body=LARGE)])
    (stored,) = await everything(bus, "reader", 1)
    bodies._bodies.clear()
    with pytest.raises(Retry, match="cannot be read"):
        stored.event()
    with pytest.raises(Retry, match="no bodies"):
        stored._replace(bodies=None).event()


async def test_without_bodies_an_event_passes_up_to_a_limit(bare: Bus) -> None:
    fits = raw(1, body=b"x" * 990_000)
    await bare.publish([fits])
    with pytest.raises(Reject) as refused:
        await bare.publish([raw(2), raw(3, body=b"x" * 1_000_000)])
    assert refused.value.code == "too_large"
    await bare.publish([raw(4)])
    assert ids(await everything(bare, "reader", 2)) == [1, 4]


async def test_a_very_long_key_keeps_its_order(bus: Bus) -> None:
    events = [raw(number, conversation="A" * 600_000) for number in range(5)]
    for event in events:
        await bus.publish([event])
    stored = await everything(bus, "reader", 5)
    assert ids(stored) == [0, 1, 2, 3, 4]
    assert {len(one.key) for one in stored} == {len("sha256:") + 64}


def poison() -> Raw:
    """A row of a file with a conversation of 600 kB and a name of 200 kB."""
    return raw(1, conversation="A" * 600_000, body=b'{"text":"x y z","name":"' + b"B" * 200_000 + b'"}')


async def test_a_poison_pill_dies_whole(bus: Bus, bodies: MemoryBodyStore) -> None:
    (letter,) = await pumped(bus, [poison()], Reject("no_text"))
    assert (letter.code, letter.raw, letter.account) == ("no_text", "1", "sms")
    assert decode_event(letter.of_topic, letter.event, bodies) == poison()
    assert len(letter.event_key) < 100


async def test_a_poison_pill_without_bodies_dies_and_is_cut(bare: Bus) -> None:
    (letter,) = await pumped(bare, [poison()], Reject("no_text", "nothing was written"))
    whole = encode(poison())
    assert (letter.code, letter.raw, letter.account) == ("no_text", "1", "sms")
    assert letter.detail == f"nothing was written (cut: the event has {len(whole)} bytes, {len(letter.event)} are kept)"
    assert whole.startswith(letter.event)
    assert len(letter.event) > 700_000


async def test_a_dead_letter_that_a_stage_makes_fits_too(bare: Bus) -> None:
    long = "Z" * 900_000
    letter = Dead(
        id=long, stage=long, of_topic="raw", event_key=long, event=b"\xff" * 900_000, code=long, detail="\ud800" + long,
        at=AT, account=long, channel=long, raw=long, message=long, unknown_words={long: long},
    )  # fmt: skip
    await bare.publish([letter])
    (found,) = await dead_letters(bare, 1)
    assert letter.event.startswith(found.event)
    assert len(found.event) > 700_000
    assert "are kept" in found.detail


async def test_a_pump_works_on_large_events_in_order(bus: Bus) -> None:
    taken: list[int] = []

    async def run(batch: Sequence[Event]) -> Sequence[Event]:
        assert sum(len(event.body) for event in batch if isinstance(event, Raw)) < 7_500_000
        taken.extend(int(event.id) for event in batch if isinstance(event, Raw))
        return []

    await bus.publish([raw(number, body=LARGE) for number in range(6)])
    pumping = asyncio.create_task(pump(bus, Stage("reader", "raw", run)))
    async with asyncio.timeout(30):
        while len(taken) < 6:
            await asyncio.sleep(0.01)
    pumping.cancel()
    await asyncio.wait([pumping])
    assert taken == [0, 1, 2, 3, 4, 5]


async def test_a_subscription_takes_large_events_in_batches(bus: Bus) -> None:
    await bus.publish([raw(number, body=LARGE) for number in range(4)])
    async with bus.subscribe("raw", "reader") as batches:
        assert ids(await consume(bus, batches, 4)) == [0, 1, 2, 3]
