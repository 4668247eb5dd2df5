"""The pump: whatever a stage does, every event is handed on or dead, and committed once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from msgspec import defstruct
from msgspec.structs import asdict

from bus import Batch, MemoryBus, Stage, StageStopped
from schemas import Dead, Event, Matched, Message, Reject, Retry, Routed, Slow, decode
from tests.bus.events import AT, citizens, everything, ids, in_order, raw
from tests.bus.pumping import Pumping, read_one, stage_that


@pytest.fixture
async def pumping() -> AsyncIterator[Pumping]:
    async with MemoryBus() as bus:
        yield Pumping(bus)


FAULTS: dict[str, Callable[[int, int], Exception | None]] = {
    "succeeds": lambda number, time: None,
    "fails for good": lambda number, time: Reject("no_text"),
    "fails for now": lambda number, time: Retry("the database is unavailable") if time < 3 else None,
    "the world outside fails": lambda number, time: Retry("the gateway is unavailable", limit=2),
    "some fail for good": lambda number, time: Reject("no_text") if number % 7 == 0 else None,
    "some fail for now": lambda number, time: Retry("busy") if number % 5 == 0 and time < 6 else None,
    "some are bugs": lambda number, time: KeyError("Budi") if number % 9 == 0 else None,
    "mixed": lambda number, time: (
        Reject("no_text") if number % 7 == 0
        else Retry("busy", limit=1) if number % 5 == 0
        else ZeroDivisionError() if number % 11 == 0
        else Retry("unavailable") if time < number % 3
        else None
    ),
}  # fmt: skip


class OneTransaction(MemoryBus):
    """Publishes and commits at once, as the SQLite log does."""

    async def publish_with_commit(self, events: Sequence[Event], batch: Batch) -> bool:
        await self.publish(events)
        await self.commit(batch)
        return True


@pytest.mark.parametrize("bus", [MemoryBus, OneTransaction])
@pytest.mark.parametrize("size", [1, 10, 500])
@pytest.mark.parametrize("fails", FAULTS.values(), ids=FAULTS)
async def test_every_event_is_handed_on_or_dead(
    bus: type[MemoryBus], fails: Callable[[int, int], Exception | None], size: int
) -> None:
    async with bus() as opened:
        await _handed_on_or_dead(Pumping(opened), fails, size)


async def _handed_on_or_dead(pumping: Pumping, fails: Callable[[int, int], Exception | None], size: int) -> None:
    stage = await pumping.run(stage_that(fails), citizens(60), size=size)
    dead = [int(letter.raw or "") for letter in await pumping.dead()]
    assert sorted({*await pumping.made(), *dead}) == list(range(60))
    assert not {*await pumping.made()} & {*dead}
    assert await pumping.behind() == 0
    assert (stage.counts.committed, stage.counts.dead) == (60, len(dead))


async def test_what_succeeds_is_handed_on_once_and_in_order(pumping: Pumping) -> None:
    await pumping.run(stage_that(), citizens(60))
    assert sorted(await pumping.made()) == list(range(60))


async def test_events_run_singly_keep_their_order(pumping: Pumping) -> None:
    await pumping.run(stage_that(FAULTS["some fail for good"]), citizens(60))
    by_citizen = [[n for n in await pumping.made() if n % 17 == citizen] for citizen in range(17)]
    assert all(numbers == sorted(numbers) for numbers in by_citizen)


async def test_one_bad_event_is_dead_and_the_rest_go_on(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda number, _: Reject("no_text") if number == 3 else None), citizens(9))
    assert sorted(await pumping.made()) == [0, 1, 2, 4, 5, 6, 7, 8]
    (dead,) = await pumping.dead()
    assert (dead.raw, dead.stage, dead.of_topic, dead.code, dead.at) == ("3", "reader", "raw", "no_text", AT)
    assert decode("raw", dead.event) == citizens(4)[3]


async def test_a_retry_waits_longer_each_time(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda _, time: Retry("unavailable") if time < 12 else None), [raw(1)])
    assert pumping.waits.asked[:3] == [0.1, 0.2, 0.4]
    assert pumping.waits.asked[-1] == 30.0
    assert await pumping.made() == [1]


async def test_a_retry_says_itself_how_long_to_wait(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda _, time: Retry("slow down", after=7.5) if time < 2 else None), [raw(1)])
    assert pumping.waits.asked == [7.5, 7.5]


async def test_case_24_our_own_database_blinks_and_nothing_dies(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda _, time: Retry("unavailable") if time < 40 else None), citizens(3))
    assert sorted(await pumping.made()) == [0, 1, 2]
    assert await pumping.dead() == []


@pytest.mark.parametrize("failing", [2, 3, 4, 9])
async def test_after_an_outage_a_batch_goes_whole_again(failing: int, pumping: Pumping) -> None:
    calls: list[int] = []

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        calls.append(len(events))
        if len(calls) <= failing:
            raise Retry("the record is away")
        return [read_one(event) for event in events]

    await pumping.run(run, [raw(n, conversation="a") for n in range(400)])
    assert (await pumping.made(), sum(calls[failing:])) == (list(range(400)), 400)
    assert len(calls) <= failing + 3


async def test_few_are_run_in_vain_before_one_that_cannot_be_run_yet(pumping: Pumping) -> None:
    calls: list[int] = []

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        calls.append(len(events))
        if any(event.id == "300" for event in events) and len(calls) < 500:  # type: ignore[attr-defined]
            raise Retry("its body is away")
        return [read_one(event) for event in events]

    await pumping.run(run, [raw(n, conversation="a") for n in range(400)])
    assert await pumping.made() == list(range(400))
    assert sum(1 for n in calls if n > 1) <= 30


async def test_the_world_outside_is_asked_a_set_number_of_times(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda *_: Retry("the gateway is unavailable", limit=3)), [raw(1)])
    (dead,) = await pumping.dead()
    assert (dead.attempts, dead.code, dead.detail) == (4, "gave_up", "the gateway is unavailable")
    assert len(pumping.waits.asked) == 3


async def test_a_bug_is_told_without_its_words(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda *_: KeyError("Budi, 0812-0000-0001")), [raw(1)])
    (dead,) = await pumping.dead()
    assert dead.code == "bug"
    assert dead.detail.startswith("KeyError at tests.bus.pumping:")
    assert "Budi" not in dead.detail


async def test_bytes_that_are_no_event_are_dead(pumping: Pumping) -> None:
    torn = defstruct("Torn", [("received_at", str)], bases=(Message,), frozen=True, kw_only=True)
    event = {**asdict(read_one(raw(5))), "received_at": AT.replace(tzinfo=None).isoformat()}  # no zone
    await pumping.run(stage_that(), [torn(**event)])
    (dead,) = await pumping.dead()
    assert (dead.raw, dead.item_index, dead.item_count, dead.message, dead.account) == ("5", 1, 2, "sms/sms/5", "sms")
    assert (dead.code, dead.received_at) == ("not_an_event", None)


def origin(dead: Dead) -> tuple[object, ...]:
    return dead.account, dead.channel, dead.raw, dead.item_index, dead.item_count, dead.message, dead.received_at


async def test_a_dead_letter_says_where_its_event_came_from(pumping: Pumping) -> None:
    async def refuse(events: Sequence[Event]) -> Sequence[Event]:
        raise Reject("no_rule")

    matched = Matched(id="c", outcome="recorded", message=read_one(raw(5)))
    await pumping.run(refuse, [matched])
    await pumping.run(refuse, [Routed(matched=matched)])
    assert {origin(dead) for dead in await pumping.dead()} == {("sms", "sms", "5", 1, 2, "sms/sms/5", AT)}


async def test_an_event_whose_result_is_too_large_is_dead(pumping: Pumping) -> None:
    async def swell(events: Sequence[Event]) -> Sequence[Event]:
        return [raw(99, body=b"x" * 1_100_000) if event == raw(2) else read_one(event) for event in events]

    await pumping.run(swell, [raw(1), raw(2), raw(3)])
    assert sorted(await pumping.made()) == [1, 3]
    assert [dead.raw for dead in await pumping.dead()] == ["2"]


class Faulty(MemoryBus):
    """A bus that fails for now, some times, at each kind of call."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = {"publish": times, "commit": times}

    def _blink(self, what: str) -> None:
        if self.left[what] > 0:
            self.left[what] -= 1
            raise Retry("disk full")

    async def publish(self, events: Sequence[Event]) -> None:
        if events[0].topic != "raw":
            self._blink("publish")
        await super().publish(events)

    async def commit(self, batch) -> None:  # type: ignore[no-untyped-def]
        self._blink("commit")
        await super().commit(batch)


async def test_a_bus_that_fails_for_now_is_asked_again(pumping: Pumping) -> None:
    async with Faulty(times=5) as bus:
        pumping = Pumping(bus)
        stage = await pumping.run(stage_that(), citizens(20))
        assert sorted(await pumping.made()) == list(range(20))
        assert stage.counts.retries == 10
        assert await pumping.behind() == 0


@pytest.mark.parametrize("bus", [MemoryBus, OneTransaction])
async def test_a_lost_batch_is_dropped(bus: type[MemoryBus]) -> None:
    async with bus() as opened:
        await _dropped(Pumping(opened))


async def _dropped(pumping: Pumping) -> None:
    runs = []

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        runs.append(len(events))
        if len(runs) == 1:
            pumping.bus.rebalance("raw", "reader")
        return [read_one(event) for event in events]

    stage = await pumping.run(run, [raw(1)])
    assert stage.counts.lost == 1
    assert await pumping.made() == [1] * len(runs)


async def test_a_dead_letter_makes_no_dead_letter(pumping: Pumping) -> None:
    dead = Dead(id="d", stage="reader", of_topic="raw", event_key="k", event=b"", code="no_text", at=AT)

    async def refuse(events: Sequence[Event]) -> Sequence[Event]:
        raise Reject("no_table")

    with pytest.raises(StageStopped, match="cannot be stored"):
        await pumping.run(refuse, [dead])


async def test_storing_the_dead_is_tried_for_ever(pumping: Pumping) -> None:
    dead = Dead(id="d", stage="reader", of_topic="raw", event_key="k", event=b"", code="no_text", at=AT)
    left = [50]

    async def store(events: Sequence[Event]) -> Sequence[Event]:
        left[0] -= 1
        if left[0]:
            raise Retry("unavailable", limit=2)
        return []

    stage = await pumping.run(store, [dead])
    assert (stage.counts.committed, stage.counts.dead) == (1, 0)


async def test_nothing_personal_is_logged(pumping: Pumping, caplog: pytest.LogCaptureFixture) -> None:
    await pumping.run(stage_that(FAULTS["mixed"]), citizens(60))
    await pumping.run(stage_that(lambda *_: KeyError("Budi")), [raw(1)])
    assert "dead letter" in caplog.text
    assert not [word for word in ("Budi", "62812", "Lampu") if word in caplog.text]


def test_the_group_of_a_stage_is_its_name() -> None:
    assert Stage("reader", "raw", stage_that()).group == "reader"


async def test_a_stage_reads_what_was_published_while_it_ran(pumping: Pumping) -> None:
    stage = await pumping.run(stage_that(), citizens(20))
    await pumping.bus.publish(citizens(20))
    stored = await everything(pumping.bus, stage.group, 20)
    assert in_order(stored)
    assert sorted(ids(stored)) == list(range(20))


async def test_a_stage_hears_of_an_assignment_before_the_batch_until_it_succeeds(pumping: Pumping) -> None:
    calls: list[str] = []

    async def assigned() -> None:
        calls.append("assigned")
        if len(calls) < 3:
            raise Retry("unavailable")

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        calls.append("batch")
        return []

    await pumping.bus.publish(citizens(40))
    await pumping.go(Stage("reader", "raw", run, batch_size=10, on_partitions_assigned=assigned), 40)
    assert calls == ["assigned", "assigned", "assigned", "batch", "batch", "batch", "batch"]


async def test_a_dead_letter_of_the_slow_lane_goes_back_to_it(pumping: Pumping) -> None:
    slow = Slow(**asdict(citizens(4)[3]))
    await pumping.run(stage_that(lambda *_: Reject("no_text")), [slow])
    (dead,) = await pumping.dead()
    assert (dead.of_topic, dead.raw, dead.event_key) == ("slow", "3", slow.key)
    assert decode(dead.of_topic, dead.event) == slow


async def test_the_cause_of_waiting_is_logged_once_a_minute(pumping: Pumping, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]

    def fails(number: int, time: int) -> Exception | None:
        now[0] += 1.0
        return Retry("the record does not answer") if time < 130 else None

    await pumping.bus.publish([raw(1)])
    await pumping.go(Stage("reader", "raw", stage_that(fails)), 1, monotonic=lambda: now[0])
    lines = [record.message for record in caplog.records if "waiting" in record.message]
    assert lines == [
        f"reader: waiting to try again (attempt {attempt}): the record does not answer" for attempt in (1, 61, 121)
    ]
