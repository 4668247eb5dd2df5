"""Which faults a seed has: each kind is off in half of the seeds, else it has a rate of its own.

So some seeds are all about one fault and others mix many. `--without "KIND;KIND"` turns kinds off, to see whether they
matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from random import Random

RATES: dict[str, float] = {
    # the machine: a share of the task steps
    "step delayed": 0.05,
    "process crashes": 0.002,
    "process stands still": 0.001,
    "process stands still in a call": 0.01,
    # the bus
    "publish refused": 0.05,
    "publish in part, then refused": 0.05,
    "publish stored, answer lost": 0.05,
    "bus slow": 0.1,
    "commit refused": 0.05,
    "commit done, answer lost": 0.05,
    "member expelled": 0.03,
    # the record
    "record refused": 0.04,
    "record written, answer lost": 0.04,
    "record slow": 0.05,
    # providers, asked to send
    "no connection": 0.1,
    "busy (429)": 0.1,
    "500, not taken": 0.1,
    "500, taken": 0.1,
    "connection lost, not taken": 0.1,
    "connection lost, taken": 0.1,
    "provider hangs": 0.05,
    "provider slow": 0.2,
    "account at fault": 0.05,
    "address refused": 0.05,
    "code says not taken": 0.1,
    "step refused": 0.05,
    # providers, asked for what is new
    "poll refused": 0.1,
    "poll repeats": 0.2,
    "session ends": 0.1,
    # what comes in
    "request repeated": 0.2,
    "request given up": 0.1,
    "receipt early": 0.3,
    "receipt repeated": 0.2,
    "receipt late": 0.2,
    "rubbish": 0.3,
    # people at the console
    "edition published": 0.5,
    "reader mended": 0.3,
    "dead letters replayed": 0.5,
    "accounts released": 0.5,
    "forwards decided": 0.5,
}
"""The highest rate of each kind, a call."""
CLOCKS_DIFFER = 2.0
"""Seconds that a process's clock is off at most."""


class Faults:
    """`faults("commit refused")`: does it happen now?"""

    def __init__(self, random: Random, without: Collection[str] = ()) -> None:
        if unknown := set(without) - set(RATES):
            raise ValueError(f"no fault of the name {', '.join(sorted(unknown))}")
        self._random = random
        self.over = False
        """Nothing goes wrong any more."""
        self.happened: Counter[str] = Counter()
        self.notice: Callable[[str], None] = lambda kind: None
        drawn = {kind: random.random() * most if random.random() < 0.5 else 0.0 for kind, most in RATES.items()}
        self.rates = {kind: 0.0 if kind in without else rate for kind, rate in drawn.items()}

    def __call__(self, kind: str) -> bool:
        rate = self.rates[kind]
        if self.over or not rate or self._random.random() >= rate:
            return False
        self.happened[kind] += 1
        self.notice(kind)
        return True

    def between(self, low: float, high: float) -> float:
        """A number for how bad it is: mostly near the lower end."""
        return low + (high - low) * self._random.random() ** 3
