"""When an account that failed is tried again, how many replies its rate allows, and how results are stored."""

from __future__ import annotations

import asyncio

import pytest

from hub.clock import TimeSource
from hub.running.backoff import FIRST, LONGEST, LONGEST_ASKED, TOLERATED, Backoff
from hub.running.rate import TokenBucket
from hub.running.result_writer import ResultWriter
from schemas import Retry


def backoff() -> Backoff:
    return Backoff(lambda: 0.0)


def test_a_failure_or_two_cause_no_pause() -> None:
    account = backoff()
    assert [account.failed(0.0) for _ in range(TOLERATED)] == [0.0] * TOLERATED
    assert account.left(0.0) == 0.0
    assert not account.probing


def test_pauses_double_up_to_the_longest() -> None:
    account, now, pauses = backoff(), 0.0, []
    for _ in range(TOLERATED + 12):
        pauses.append(pause := account.failed(now))
        now += pause
    assert pauses[TOLERATED:] == [min(FIRST * 2**n, LONGEST) for n in range(12)]
    assert account.probing


def test_failures_of_tries_that_began_before_the_pause_do_not_lengthen_it() -> None:
    account = backoff()
    for _ in range(16):
        account.failed(0.0)
    assert account.left(0.0) == FIRST
    assert account.failed(FIRST / 4) == account.left(FIRST / 4) == FIRST * 3 / 4


def test_a_pause_passes_with_time() -> None:
    account = backoff()
    account.failed(100.0, after=8.0)
    assert [account.left(now) for now in (100.0, 105.0, 108.0, 200.0)] == [8.0, 3.0, 0.0, 0.0]


def test_a_success_ends_it() -> None:
    account = backoff()
    account.failed(0.0, at_once=True)
    account.worked()
    assert account.left(0.0) == 0.0
    assert not account.probing


def test_a_provider_that_names_a_pause_gets_it_within_bounds() -> None:
    account = backoff()
    assert account.failed(0.0, after=7.0) == 7.0
    assert backoff().failed(0.0, after=10**9) == LONGEST_ASKED
    assert backoff().failed(0.0, after=-3.0) == 0.0


def test_a_provider_that_asks_for_no_pause_is_not_asked_without_end() -> None:
    account = backoff()
    assert [account.failed(now, after=0.0, at_once=True) for now in (0.0, 10.0, 20.0)] == [FIRST, FIRST * 2, FIRST * 4]


def test_chance_shortens_a_pause_by_a_fifth_at_most() -> None:
    assert Backoff(lambda: 1.0).failed(0.0, at_once=True) == pytest.approx(FIRST * 0.8)


def test_a_rate_gives_a_seconds_worth_at_most_and_refills_with_time() -> None:
    rate = TokenBucket(5.0, 0.0)
    assert rate.available(100.0) == 5
    rate.take(5)
    assert rate.available(100.0) == 0
    assert rate.available(100.5) == 2


def test_a_rate_below_one_a_second_still_gives_whole_ones() -> None:
    rate = TokenBucket(0.2, 0.0)
    rate.take(1)
    assert rate.available(4.0) == 0
    assert rate.available(5.0) == 1


async def test_results_are_stored_together_and_are_in_flight_until_then() -> None:
    batches: list[list[str]] = []

    async def store(batch: list[str]) -> None:
        assert writer.in_flight >= set(batch)
        batches.append(list(batch))

    writer = ResultWriter(store, str, TimeSource(sleep=_at_once))
    _put(writer, "a", "b", "c")
    await writer.finish()
    assert batches == [["a", "b", "c"]]
    assert writer.in_flight == set()


async def test_results_wait_for_a_record_that_is_unavailable_and_stay_in_order() -> None:
    batches: list[list[str]] = []
    faults = [Retry("unavailable"), Retry("unavailable")]

    async def store(batch: list[str]) -> None:
        if faults:
            raise faults.pop()
        batches.append(list(batch))

    writer = ResultWriter(store, str, TimeSource(sleep=_at_once))
    _put(writer, "a")
    flushing = asyncio.create_task(writer.finish())
    _put(writer, "b")
    await flushing
    assert [result for batch in batches for result in batch] == ["a", "b"]


async def test_a_result_that_cannot_be_stored_keeps_back_no_other_and_is_not_done_again() -> None:
    stored: list[str] = []

    async def store(batch: list[str]) -> None:
        if "bad" in batch:
            raise RuntimeError("a bug")
        stored.extend(batch)

    writer = ResultWriter(store, str, TimeSource(sleep=_at_once))
    _put(writer, "a", "bad", "b")
    await writer.finish()
    assert stored == ["a", "b"]
    assert writer.in_flight == {"bad"}


def _put(writer: ResultWriter[str], *results: str) -> None:
    writer.in_flight.update(results)
    for result in results:
        writer.put(result)


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)
