"""The guard: an account of which nearly everything dies is put aside, and the others go on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from msgspec import defstruct
from msgspec.structs import asdict, replace

from bus import GuardLimits, MemoryBus, Run, Stage, StageStopped
from schemas import Dead, Event, Raw, Reject, encode
from tests.bus.events import AT, raw
from tests.bus.pumping import Pumping, read_one, stage_that

GUARD = GuardLimits(run=20, share=0.5, of=100, spared={"file"})


@pytest.fixture
async def pumping() -> AsyncIterator[Pumping]:
    async with MemoryBus(partitions=1) as bus:
        yield Pumping(bus)


def reader_that(bad: Callable[[int], bool]) -> Run:
    """A stage that, as the reader does, returns a Dead itself for a Raw that it cannot read."""

    async def run(events: Sequence[Event]) -> Sequence[Event]:
        return [_dead(e) if bad(int(e.id)) else read_one(e) for e in events if isinstance(e, Raw)]

    return run


def _dead(of: Raw) -> Dead:
    return Dead(
        id=f"letter-{of.id}", stage="reader", of_topic="raw", event_key=of.key, event=encode(of), code="no_text",
        at=AT, account=of.account, channel=of.channel, raw=of.id,
    )  # fmt: skip


def raising(bad: Callable[[int], bool]) -> Run:
    return stage_that(lambda number, _: Reject("no_text", "nobody wrote") if bad(number) else None)


EVERY_WAY = pytest.mark.parametrize("way", [reader_that, raising], ids=["returned", "raised"])
Way = Callable[[Callable[[int], bool]], Run]


def raws(count: int, account: str = "sms", start: int = 0) -> list[Raw]:
    return [replace(raw(number), account=account) for number in range(start, start + count)]


async def put_aside(pumping: Pumping) -> dict[str, bool]:
    """The accounts of the reader that are held."""
    return {name: row.released_at is None for name, row in (await pumping.asides.accounts("reader")).items()}


@EVERY_WAY
async def test_a_run_of_dead_puts_the_account_aside(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: number >= 10), raws(80), size=10, guard=GUARD)
    assert sorted(await pumping.made()) == list(range(10))
    assert {dead.raw for dead in await pumping.dead()} == {str(n) for n in range(10, 30)}
    assert await pumping.aside() == list(range(30, 80))
    assert await put_aside(pumping) == {"sms": True}
    assert await pumping.behind() == 0


async def test_the_store_is_told_why(pumping: Pumping) -> None:
    told: list[tuple[str, ...]] = []
    put = pumping.asides.put_aside

    async def noting(stage: str, account: str, code: str, detail: str, at: object) -> None:
        told.append((stage, account, code, detail))
        await put(stage, account, code, detail, AT)

    pumping.asides.put_aside = noting  # type: ignore[method-assign]
    await pumping.run(raising(lambda _: True), raws(30), size=10, guard=GUARD)
    cause = "the last 20 events all died, the last because no_text: nobody wrote"
    assert told == [("reader", "sms", "guard_run", cause)]


@EVERY_WAY
async def test_one_fewer_in_a_row_puts_nobody_aside(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: 10 <= number < 29), raws(60), size=7, guard=GUARD)
    assert len(await pumping.dead()) == 19
    assert await put_aside(pumping) == {}


@EVERY_WAY
async def test_a_share_of_dead_puts_the_account_aside(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: number >= 200 and number % 3 > 0), raws(400), size=10, guard=GUARD)
    assert await put_aside(pumping) == {"sms": True}
    assert 60 < len(await pumping.dead()) < 80


@EVERY_WAY
async def test_half_of_them_dead_is_not_more_than_half(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: number % 2 == 0), raws(400), guard=GUARD)
    assert len(await pumping.dead()) == 200


async def test_a_share_is_none_before_enough_were_seen(pumping: Pumping) -> None:
    await pumping.run(reader_that(lambda number: number % 10 > 0), raws(99), guard=GUARD)
    assert await put_aside(pumping) == {}


@EVERY_WAY
async def test_one_in_a_hundred_malformed_puts_nobody_aside(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: number % 100 == 37), raws(5000))
    assert len(await pumping.dead()) == 50
    assert await put_aside(pumping) == {}


@EVERY_WAY
async def test_poison_in_the_middle_of_a_batch_blocks_no_event_behind_it(pumping: Pumping, way: Way) -> None:
    await pumping.run(way(lambda number: 100 <= number < 119), raws(300), guard=GUARD)
    assert await pumping.made() == [n for n in range(300) if not 100 <= n < 119]


@EVERY_WAY
async def test_other_accounts_go_on_and_are_not_counted_with_it(pumping: Pumping, way: Way) -> None:
    mixed = [raws(1, "good" if number % 5 == 0 else "bad", number)[0] for number in range(500)]
    await pumping.run(way(lambda number: number % 5 > 0), mixed, size=10, guard=GUARD)
    assert await pumping.made() == list(range(0, 500, 5))
    assert await put_aside(pumping) == {"bad": True}


@pytest.mark.slow
@EVERY_WAY
async def test_ten_thousand_wrong_rows_of_a_file_put_nobody_aside(pumping: Pumping, way: Way) -> None:
    rows = [replace(r, channel="file") for r in raws(10_000)]
    await pumping.run(way(lambda _: True), rows, guard=GUARD)
    assert len(await pumping.dead()) == 10_000


async def test_a_raw_of_which_something_could_be_read_is_not_dead(pumping: Pumping) -> None:
    async def run(events: Sequence[Event]) -> Sequence[Event]:
        return [made for e in events if isinstance(e, Raw) for made in (_dead(e), read_one(e))]

    await pumping.run(run, raws(100), guard=GUARD)
    assert await put_aside(pumping) == {}


async def test_bytes_that_name_no_account_put_nobody_aside(pumping: Pumping) -> None:
    torn = defstruct("Torn", [("received_at", int), ("account", None)], bases=(Raw,), frozen=True, kw_only=True)
    event = {**asdict(raw(1)), "received_at": 1, "account": None}
    await pumping.run(stage_that(), [torn(**event) for _ in range(50)], guard=GUARD)
    assert len(await pumping.dead()) == 50
    assert await put_aside(pumping) == {}


async def test_bugs_in_a_row_of_one_account_put_it_aside(pumping: Pumping) -> None:
    await pumping.run(stage_that(lambda number, _: KeyError() if number < 100 else None), raws(60), guard=GUARD)
    assert len(await pumping.dead()) == 10
    assert await put_aside(pumping) == {"sms": True}


async def test_bugs_in_a_row_over_several_accounts_stop_the_stage(pumping: Pumping) -> None:
    mixed = [*raws(6, "one"), *raws(6, "two", 6)]
    with pytest.raises(StageStopped, match=r"reader: 10 bugs in a row, of 2 accounts, the last KeyError at tests.bus"):
        await pumping.run(stage_that(lambda *_: KeyError()), mixed, guard=GUARD)
    assert await pumping.behind() == 12  # the batch in hand is not committed


async def test_a_bug_that_goes_on_with_the_next_account_stops_the_stage(pumping: Pumping) -> None:
    with pytest.raises(StageStopped, match="11 bugs in a row, of 2 accounts"):
        await pumping.run(stage_that(lambda *_: KeyError()), [*raws(20, "one"), *raws(1, "two", 20)], guard=GUARD)


async def test_an_event_that_goes_well_ends_a_row_of_bugs(pumping: Pumping) -> None:
    mixed = [raws(1, "good" if number % 5 == 0 else f"bad-{number % 5}", number)[0] for number in range(100)]
    await pumping.run(stage_that(lambda number, _: KeyError() if number % 5 else None), mixed, guard=GuardLimits())
    assert len(await pumping.dead()) == 80


@EVERY_WAY
async def test_a_redelivered_batch_makes_the_same_letters(pumping: Pumping, way: Way) -> None:
    run = way(lambda number: 10 <= number < 28)
    await pumping.run(run, raws(30), size=25, guard=GUARD)
    first = {dead.id for dead in await pumping.dead()}
    pumping.bus._owners.clear()
    await pumping.go(Stage("reader", "raw", run, batch_size=7, guard=GUARD), 30)
    assert {dead.id for dead in await pumping.dead()} == first
