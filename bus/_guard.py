"""The guard of a stage: it puts an account aside of which nearly everything dies, and stops the stage on its own bugs.

It counts the events of each account by their end: dead where nothing but a `Dead` came of it, whether the stage
returned that itself or the pump made it. Bugs are counted in a row: of one account they put it aside, of several they
stop the stage, for then the stage is at fault. Counting begins anew whenever the stage is started, and for an account
when it is put aside. An event that names no account is nobody's.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from bus._facts import event_facts
from schemas import Dead, Event

BUGS_IN_A_ROW = 10


class StageStopped(Exception):  # noqa: N818 - it names what happened
    """The stage fails for every account: somebody has to look. The batch is not committed."""


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """How much of an account may die before it is put aside."""

    run: int = 200
    """Dead in a row that put the account aside."""
    share: float = 0.5
    """More than this share of its last `of` events dead puts it aside, once it has brought so many since the first."""
    of: int = 1000
    spared: Container[object] = ()
    """Kinds of account whose dead are not counted: people who bring them see them named."""


class AsideReason(NamedTuple):
    """Why an account is to be put aside."""

    code: str
    detail: str


@dataclass(slots=True)
class _Tally:
    """Of one account, since its first dead event."""

    ends: deque[bool]
    """True: dead."""
    in_a_row: int = 0


@dataclass(slots=True)
class _Bugs:
    """In a row, over all accounts."""

    count: int = 0
    accounts: set[str] = field(default_factory=set)


class StageGuard:
    """A stage's guard at work. Accounts to be put aside stand in `verdicts` until they are taken."""

    def __init__(self, stage: str, limits: GuardLimits) -> None:
        self.verdicts: dict[str, AsideReason] = {}
        self._stage, self._limits = stage, limits
        self._tallies: dict[str, _Tally] = {}
        self._bugs = _Bugs()

    def done(self, events: Sequence[Event], made: Sequence[Event]) -> None:
        """The stage has made these of those."""
        self._bugs = _Bugs()
        dead = {event.raw: event for event in made if isinstance(event, Dead)}
        if not dead:
            self._alive(events)
            return
        for raw in {event.trace for event in made if not isinstance(event, Dead)}:
            dead.pop(raw, None)
        for event in events:
            letter = dead.get(event.trace)
            self.dead_lettered(letter) if letter else self._alive([event])

    def dead_lettered(self, letter: Dead) -> None:
        """Nothing but this came of an event."""
        account = letter.account
        if account is None or letter.channel in self._limits.spared:
            return
        tally = self._tallies.setdefault(account, _Tally(deque(maxlen=self._limits.of)))
        tally.in_a_row += 1
        tally.ends.append(True)
        if tally.in_a_row >= self._limits.run:
            self._condemn(account, "guard_run", f"the last {tally.in_a_row} events all died", letter)
        elif len(tally.ends) == self._limits.of and (dead := sum(tally.ends)) > self._limits.share * self._limits.of:
            self._condemn(account, "guard_share", f"{dead} of the last {self._limits.of} events died", letter)

    def refused(self) -> None:
        """The stage has seen what is wrong with an event: that is no bug."""
        self._bugs = _Bugs()

    def bug(self, account: str, location: str) -> None:
        """The stage failed on an event of that account for no reason that it knows. Raises StageStopped."""
        self._bugs.count += 1
        self._bugs.accounts.add(account)
        if self._bugs.count < BUGS_IN_A_ROW:
            return
        if len(self._bugs.accounts) > 1:
            raise StageStopped(
                f"{self._stage}: {self._bugs.count} bugs in a row, of {len(self._bugs.accounts)} accounts, "
                f"the last {location}"
            )
        self._tallies.pop(account, None)
        if account:
            self.verdicts[account] = AsideReason("bugs", f"{self._bugs.count} bugs in a row, the last {location}")

    def _alive(self, events: Sequence[Event]) -> None:
        if not self._tallies:
            return
        for account, count in Counter(event_facts(event).account for event in events).items():
            if tally := self._tallies.get(account):
                tally.in_a_row = 0
                tally.ends.extend(repeat(False, count))
                if len(tally.ends) == self._limits.of and not any(tally.ends):
                    del self._tallies[account]

    def _condemn(self, account: str, code: str, figures: str, letter: Dead) -> None:
        del self._tallies[account]
        cause = f"{letter.code}: {letter.detail}" if letter.detail else letter.code
        self.verdicts[account] = AsideReason(code, f"{figures}, the last because {cause}")
