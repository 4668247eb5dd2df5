"""Token buckets: as much as is allowed, refilled with time, bounded, and not washed out by noise."""

from __future__ import annotations

import pytest

from hub.limits import WebLimits
from hub.web.limits import (
    SHARED_FACTOR,
    RateLimiter,
    TokenBuckets,
    TokenCost,
    address_costs,
    return_tokens,
    take_or_wait,
)


class Time:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def taken(buckets: TokenBuckets, name: str, most: int = 1000) -> int:
    """How often in a row a name may."""
    turns = 0
    while turns < most and not take_or_wait([TokenCost(buckets, name)]):
        turns += 1
    return turns


def test_a_name_may_so_often_and_again_with_time(time: Time) -> None:
    buckets = TokenBuckets(10, 100, monotonic=time)
    assert taken(buckets, "a") == 10
    assert buckets.wait("a") == pytest.approx(10.0)
    time.now += 35
    assert taken(buckets, "a") == 3
    assert taken(buckets, "b") == 10


def test_a_turn_given_back_may_be_taken_again(time: Time) -> None:
    buckets = TokenBuckets(1, 100, monotonic=time)
    turn = [TokenCost(buckets, "a")]
    for _ in range(5):
        assert take_or_wait(turn) == 0
        return_tokens(turn)
    assert taken(buckets, "a") == 1


def test_of_several_buckets_none_is_taken_from_unless_all_allow(time: Time) -> None:
    wide, narrow = TokenBuckets(10, 100, monotonic=time), TokenBuckets(1, 100, monotonic=time)
    turns = [TokenCost(wide, "a"), TokenCost(narrow, "a")]
    assert [bool(take_or_wait(turns)) for _ in range(3)] == [False, True, True]
    assert taken(wide, "a") == 9


def test_noise_from_many_names_washes_no_limit_out(time: Time) -> None:
    buckets = TokenBuckets(10, 100, most=50, monotonic=time)
    taken(buckets, "victim")
    for n in range(10_000):
        take_or_wait([TokenCost(buckets, f"noise {n}")])
    assert buckets.wait("victim") > 0
    assert len(buckets) <= 51


def test_when_there_is_no_room_new_names_share_a_bucket(time: Time) -> None:
    buckets = TokenBuckets(10, 100, most=5, monotonic=time)
    for n in range(5):
        take_or_wait([TokenCost(buckets, f"first {n}")])
    allowed = sum(taken(buckets, f"late {n}") for n in range(100))
    assert allowed == 10 * SHARED_FACTOR
    time.now += 200
    assert taken(buckets, "later") == 10


def test_a_full_bucket_is_forgotten_when_room_is_needed(time: Time) -> None:
    buckets = TokenBuckets(10, 100, most=5, monotonic=time)
    for n in range(5):
        take_or_wait([TokenCost(buckets, f"old {n}")])
    time.now += 11
    assert taken(buckets, "new") == 10
    assert len(buckets) == 1


def test_a_flood_of_names_looks_at_all_buckets_once_a_second(time: Time) -> None:
    buckets = TokenBuckets(10, 100, most=5, monotonic=time)
    for n in range(5):
        take_or_wait([TokenCost(buckets, f"old {n}")])
    assert buckets.wait("flood") == 0
    time.now += 0.999
    for n in range(5):
        return_tokens([TokenCost(buckets, f"old {n}")])  # full again, and not seen before the second is over
    take_or_wait([TokenCost(buckets, "flood")])
    assert len(buckets) == 6
    time.now += 0.001
    take_or_wait([TokenCost(buckets, "another")])
    assert len(buckets) == 2, "its own, and what the flood shared"


def test_the_networks_around_an_ipv6_address_have_limits_too(time: Time) -> None:
    buckets = TokenBuckets(10, 3600, monotonic=time)

    def allowed(networks: list[str]) -> int:
        return sum(1 for name in networks for _ in range(20) if not take_or_wait(address_costs(buckets, name)))

    assert allowed([f"2001:db8:0:{n:x}::/64" for n in range(256)]) == 40
    assert allowed([f"2001:db8:0:{n:x}00::/64" for n in range(1, 256)]) == 120
    assert allowed(["2001:db8:1::/64"]) == 10


def test_bytes_are_limited_by_address_and_in_all(time: Time) -> None:
    limiter = RateLimiter(WebLimits(upload=10, upload_all=25), time)
    mib = 2**20
    assert [bool(limiter.upload("a", 4 * mib)) for _ in range(4)] == [False, False, True, True]
    assert not limiter.upload("b", 10 * mib)
    assert limiter.upload("c", 10 * mib) > 0
    time.now += 3600
    assert not limiter.upload("c", 10 * mib)


def test_another_rate_of_the_account_counts_at_once(time: Time) -> None:
    limiter = RateLimiter(WebLimits(), time)
    assert [bool(limiter.report("web", 2, "a")) for _ in range(3)] == [False, False, True]
    assert not limiter.report("web", 5, "a")
