"""The guard: a stage stops loudly where nearly everything dies, and only there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from msgspec.structs import replace

from bus import Guard, MemoryBus, Stage, Stopped
from bus.pump import Run
from schemas import Dead, Event, Raw, Reject, encode
from tests.bus.events import AT, raw
from tests.bus.pumping import Pumping, read_one, stage_that

GUARD = Guard(run=20, share=0.5, of=100, spared={"file"})


@pytest.fixture
async def pumping() -> AsyncIterator[Pumping]:
    async with MemoryBus(partitions=1) as bus:
        yield Pumping(bus)


def reader_that(bad: Callable[[int], bool]) -> Run:
    """A stage that, as the reader does, hands out a Dead itself for what it cannot read."""

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        return [_dead(e) if bad(int(e.id)) else read_one(e) for e in events if isinstance(e, Raw)]

    return run


def _dead(of: Raw) -> Dead:
    return Dead(
        id=f"letter-{of.id}", stage="reader", of_topic="raw", event_key=of.key, event=encode(of), reason="no text",
        at=AT, account=of.account, channel=of.channel, raw=of.id,
    )  # fmt: skip


def raising(bad: Callable[[int], bool]) -> Run:
    return stage_that(lambda number, _: Reject("no text") if bad(number) else None)


EVERY_WAY = pytest.mark.parametrize("way", [reader_that, raising], ids=["handed out", "buried by the pump"])
Way = Callable[[Callable[[int], bool]], Run]


def raws(count: int) -> list[Raw]:
    return [raw(number) for number in range(count)]


@EVERY_WAY
async def test_a_run_of_dead_stops_the_stage_and_says_what_to_do(pumping: Pumping, way: Way) -> None:
    with pytest.raises(Stopped) as stopped:
        await pumping.run(way(lambda number: number >= 10), raws(80), size=10, guard=GUARD)
    assert str(stopped.value) == (
        "reader: the last 20 events all died, the last because no text: "
        "mend the cause and start it again, or raise guard_run if they should"
    )
    assert sorted(await pumping.made()) == list(range(10))
    assert {dead.raw for dead in await pumping.dead()} == {str(n) for n in range(10, 30)}
    assert await pumping.behind() == 60  # the batch in which it tripped is not committed


@EVERY_WAY
async def test_one_fewer_in_a_row_do_not_stop_it(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: 10 <= number < 29), raws(60), size=7, guard=GUARD)
    assert len(await pumping.dead()) == 19
    assert await pumping.behind() == 0


@EVERY_WAY
async def test_a_share_of_dead_stops_the_stage(pumping: Pumping, way: Way) -> None:
    with pytest.raises(
        Stopped, match=r"reader: 51 of the last 100 events died, the last because no text: mend .*share"
    ):
        await pumping.run(way(lambda number: number >= 200 and number % 3 > 0), raws(400), size=10, guard=GUARD)
    assert await pumping.behind() > 0


@EVERY_WAY
async def test_half_of_them_dead_is_not_more_than_half(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: number % 2 == 0), raws(400), guard=GUARD)
    assert len(await pumping.dead()) == 200


async def test_a_share_is_none_before_enough_were_seen(pumping: Pumping) -> None:
    await pumping.run(reader_that(lambda number: number % 10 > 0), raws(99), guard=GUARD)
    assert await pumping.behind() == 0


@EVERY_WAY
async def test_one_in_a_hundred_malformed_never_stops_it(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: number % 100 == 37), raws(5000))
    assert len(await pumping.dead()) == 50
    assert await pumping.behind() == 0


@EVERY_WAY
async def test_poison_in_the_middle_of_a_batch_blocks_nobody_behind_it(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: 100 <= number < 119), raws(300), guard=GUARD)
    assert await pumping.made() == [n for n in range(300) if not 100 <= n < 119]


@EVERY_WAY
async def test_ten_thousand_wrong_rows_of_a_file_do_not_stop_it(pumping: Pumping, way: Way) -> None:
    rows = [replace(r, channel="file") for r in raws(10_000)]
    await pumping.run(way(lambda _: True), rows, guard=GUARD)
    assert len(await pumping.dead()) == 10_000


async def test_wrong_rows_of_a_file_hide_no_run_of_others(pumping: Pumping) -> None:
    mixed = [replace(r, channel="file") if int(r.id) % 2 else r for r in raws(60)]
    with pytest.raises(Stopped, match="the last 20 events all died"):
        await pumping.run(reader_that(lambda _: True), mixed, guard=GUARD)


async def test_a_raw_of_which_something_could_be_read_is_not_dead(pumping: Pumping) -> None:
    async def run(events: Sequence[Event]) -> Sequence[Event]:
        return [made for e in events if isinstance(e, Raw) for made in (_dead(e), read_one(e))]

    await pumping.run(run, raws(100), guard=GUARD)
    assert await pumping.behind() == 0


@EVERY_WAY
async def test_a_restart_begins_anew_and_buries_the_same_letters(pumping: Pumping, way: Way) -> None:
    run = way(lambda number: 10 <= number < 35)
    with pytest.raises(Stopped):
        await pumping.run(run, raws(60), size=25, guard=GUARD)
    first = {dead.id for dead in await pumping.dead()}
    assert await pumping.behind() == 35
    await pumping.go(Stage("reader", "raw", run, size=25, guard=Guard(run=30)), 35)
    dead = await pumping.dead()
    assert first <= {letter.id for letter in dead}
    assert len(first) == (20 if way is raising else 25)
    assert len({letter.id for letter in dead}) == 25  # an item has one letter, however often it was buried
    assert await pumping.behind() == 0
