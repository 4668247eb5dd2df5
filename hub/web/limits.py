"""Rate limits: a bucket of tokens for each name, refilled with time. In memory, and bounded.

A bucket that has tokens missing is never forgotten before it is full again: noise from many addresses washes out no
limit. When there is no room for another bucket, new names share one bucket of their own, which is the larger the more
names it stands for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hub.limits import WebLimits
from hub.web.client_address import wider_networks

MOST_BUCKETS = 100_000
"""Some 20 MB."""
SHARED = "*"
"""The bucket of all names that have no room for one of their own."""
SHARED_FACTOR = 20
WIDER = (4, 16)
"""How many times as much a /56 and a /48 may do as a /64."""
_MIB = 2**20


class TokenBuckets:
    """Each name has `capacity` tokens, and gets `capacity` more in every `period` seconds."""

    def __init__(
        self,
        capacity: float,
        period: float,
        *,
        most: int = MOST_BUCKETS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = capacity
        self._rate = capacity / period
        self._most = most
        self._monotonic = monotonic
        self._left: dict[str, tuple[float, float, float]] = {}
        """By name: the tokens left, when they were counted, and the factor."""
        self._sweep_at = 0.0

    def wait(self, name: str, cost: float = 1.0, factor: float = 1.0) -> float:
        """Seconds until `cost` tokens are there; 0 now. A cost over the capacity waits for a full bucket."""
        name, factor = self._own_or_shared(name, factor)
        needed = min(cost, self.capacity * factor)
        return max(0.0, (needed - self._now(name, factor)) / (self._rate * factor))

    def take(self, name: str, cost: float = 1.0, factor: float = 1.0) -> None:
        """Take the tokens, even where there are too few: then the next one waits the longer."""
        name, factor = self._own_or_shared(name, factor)
        self._left[name] = (self._now(name, factor) - cost, self._monotonic(), factor)

    def give_back(self, name: str, cost: float = 1.0, factor: float = 1.0) -> None:
        """Undo a `take`."""
        name, factor = self._own_or_shared(name, factor)
        if name in self._left:
            self._left[name] = (self._now(name, factor) + cost, self._monotonic(), factor)

    def __len__(self) -> int:
        return len(self._left)

    def _own_or_shared(self, name: str, factor: float) -> tuple[str, float]:
        if name in self._left or len(self._left) < self._most:
            return name, factor
        self._sweep()
        return (name, factor) if len(self._left) < self._most else (SHARED, SHARED_FACTOR)

    def _sweep(self) -> None:
        """Forget the buckets that are full again; at most once a second, because it looks at all of them."""
        now = self._monotonic()
        if now < self._sweep_at:
            return
        self._sweep_at = now + 1.0
        for name in [n for n, (_, _, factor) in self._left.items() if self._now(n, factor) >= self.capacity * factor]:
            del self._left[name]

    def _now(self, name: str, factor: float) -> float:
        most = self.capacity * factor
        left, at, _ = self._left.get(name, (most, 0.0, factor))
        return min(most, left + (self._monotonic() - at) * self._rate * factor)


class TokenCost(NamedTuple):
    """Tokens to take from one bucket."""

    buckets: TokenBuckets
    name: str
    cost: float = 1.0
    factor: float = 1.0


def take_or_wait(turns: Sequence[TokenCost]) -> float:
    """Seconds until all of them may be taken; 0: now, and they are taken."""
    waiting = max((t.buckets.wait(t.name, t.cost, t.factor) for t in turns), default=0.0)
    if not waiting:
        for turn in turns:
            turn.buckets.take(turn.name, turn.cost, turn.factor)
    return waiting


def return_tokens(turns: Iterable[TokenCost]) -> None:
    """Undo what `take_or_wait` took."""
    for turn in turns:
        turn.buckets.give_back(turn.name, turn.cost, turn.factor)


def address_costs(buckets: TokenBuckets, address: str, cost: float = 1.0) -> list[TokenCost]:
    """A turn of the address, and of the wider IPv6 networks around it."""
    wider = zip(wider_networks(address), WIDER, strict=False)
    return [
        TokenCost(buckets, address, cost),
        *(TokenCost(buckets, network, cost, factor) for network, factor in wider),
    ]


class RateLimiter:
    """How often and how much a caller without an API key may file."""

    def __init__(self, limits: WebLimits, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._reports: dict[str, TokenBuckets] = {}
        self._bytes = TokenBuckets(limits.upload * _MIB, 3600, monotonic=monotonic)
        self._all_bytes = TokenBuckets(limits.upload_all * _MIB, 3600, monotonic=monotonic)
        self._wrong_keys = TokenBuckets(limits.proofs, 3600, monotonic=monotonic)

    def report(self, account: str, rate: float, address: str) -> float:
        """Seconds until this address may file another report at an account that takes `rate` a minute from each;
        0: now, and the turn is taken."""
        buckets = self._reports.get(account)
        if buckets is None or buckets.capacity != rate:
            buckets = self._reports[account] = TokenBuckets(rate, 60, monotonic=self._monotonic)
        return take_or_wait(address_costs(buckets, address))

    def give_back_report(self, account: str, address: str) -> None:
        """The turn taken last filed nothing."""
        if account in self._reports:
            return_tokens(address_costs(self._reports[account], address))

    def wrong_key(self, address: str) -> float:
        """Seconds until this address may show another wrong API key; 0: now, and the turn is taken."""
        return take_or_wait(address_costs(self._wrong_keys, address))

    def upload(self, address: str, size: int) -> float:
        """Seconds until this address may send so many bytes; 0: now, and they are counted."""
        return take_or_wait([*address_costs(self._bytes, address, size), TokenCost(self._all_bytes, "", size)])
