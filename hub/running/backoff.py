"""When an account that failed may be tried again."""

from __future__ import annotations

from collections.abc import Callable

Random = Callable[[], float]
"""From 0 to 1."""
TOLERATED = 2
"""Failures in a row that cause no pause of what many are at: one recipient or complaint may be at fault, not the
account."""
FIRST, LONGEST = 1.0, 300.0
"""Seconds of the first pause and of the longest; each is twice the one before, and up to a fifth shorter."""
LONGEST_ASKED = 3600.0
"""Seconds; a provider that asks for more is tried again after this."""


class Backoff:
    """Counts the failures in a row of one account and one ability. `now` is monotonic, in seconds."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = self._pauses = 0
        self._until = float("-inf")

    def worked(self) -> None:
        """The account is well."""
        self._failures = self._pauses = 0
        self._until = float("-inf")

    def failed(self, now: float, *, after: float | None = None, at_once: bool = False) -> float:
        """One failure more; returns the seconds of the pause, 0 for none. `after` is the pause that the provider asks
        for: less than the first of ours is none, also a time that its clock has before ours. `at_once`: the first
        failure pauses already."""
        self._failures += 1
        if now < self._until:  # it began before the pause did
            return self._until - now
        if after is not None and after >= FIRST:
            pause = min(after, LONGEST_ASKED)
        elif at_once or self._failures > TOLERATED:
            pause = min(FIRST * 2.0 ** min(self._pauses, 20), LONGEST) * (1 - self._random() / 5)
            self._pauses += 1
        else:
            return 0.0
        self._until = now + pause
        return pause

    def left(self, now: float) -> float:
        """Seconds of the pause that are left; 0: try."""
        return max(0.0, self._until - now)

    @property
    def probing(self) -> bool:
        """After a pause, one try at a time until one works."""
        return self._pauses > 0
