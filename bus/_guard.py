"""The guard of a stage: it stops loudly where nearly everything dies, instead of burying everything.

What is counted are the events of the stage, each by its end: dead where nothing but a `Dead` came of it, whether the
stage returned that itself or the pump buried it. It begins anew whenever the stage is started.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import repeat

from schemas import Dead, Event

BUGS_IN_A_ROW = 10


class Stopped(Exception):  # noqa: N818 - it says what happened
    """The stage fails whatever it is given: somebody has to look. The batch is not committed."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How much may die before somebody has to look."""

    run: int = 200
    """Dead in a row that stop the stage."""
    share: float = 0.5
    """More than this share of the last `of` events dead stops the stage, once it has seen so many."""
    of: int = 1000
    spared: Collection[str] = ()
    """Kinds of account whose dead are not counted: whoever brings them sees them named."""


class Watch:
    """A stage's guard at work. What trips it raises Stopped."""

    def __init__(self, stage: str, guard: Guard) -> None:
        self._stage, self._guard = stage, guard
        self._last: deque[bool] = deque(maxlen=guard.of)
        self._run = self._bugs = 0

    def done(self, events: Sequence[Event], made: Sequence[Event]) -> None:
        """The stage has made this of those."""
        self._bugs = 0
        dead = {e.raw: e for e in made if isinstance(e, Dead)}
        if not dead:
            self._alive(len(events))
            return
        for lives in {getattr(e, "raw", None) for e in made if not isinstance(e, Dead)}:
            dead.pop(lives, None)
        for event in events:
            letter = dead.get(getattr(event, "raw", None) or getattr(event, "id", None))
            self.buried(letter) if letter else self._alive(1)

    def buried(self, letter: Dead) -> None:
        """Nothing but this came of an event."""
        if letter.channel in self._guard.spared:
            return
        self._run += 1
        self._last.append(True)
        if self._run >= self._guard.run:
            raise self._stopped(f"the last {self._run} events all died", letter, "guard_run")
        if len(self._last) == self._guard.of and (died := sum(self._last)) > self._guard.share * self._guard.of:
            raise self._stopped(f"{died} of the last {self._guard.of} events died", letter, "guard_share")

    def refused(self) -> None:
        """The stage has seen what is wrong: that is no bug."""
        self._bugs = 0

    def bug(self, place: str) -> None:
        """The stage failed for no reason that it knows."""
        self._bugs += 1
        if self._bugs >= BUGS_IN_A_ROW:
            raise Stopped(f"{self._stage}: {self._bugs} faults in a row, the last {place}")

    def _alive(self, events: int) -> None:
        self._run = 0
        self._last.extend(repeat(False, events))

    def _stopped(self, figures: str, letter: Dead, setting: str) -> Stopped:
        what = "mend the cause and start it again, or raise"
        return Stopped(f"{self._stage}: {figures}, the last because {letter.reason}: {what} {setting} if they should")
