"""The rate limit of an account: how many replies it may send now."""

from __future__ import annotations


class TokenBucket:
    """A bucket of tokens: `per_second` of them a second, one second's worth at most (one at least). `now` is
    monotonic, in seconds."""

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second)
        self._tokens = self._most
        self._at = now

    def available(self, now: float) -> int:
        """Whole tokens."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        return int(self._tokens + 1e-9)

    def take(self, tokens: int) -> None:
        """Use them."""
        self._tokens -= tokens
