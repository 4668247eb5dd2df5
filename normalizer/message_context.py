"""A message with what is known of it, and what a rule decides: between `match.py` and the table in `match_rules.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from normalizer._port import Decision, Known, Referred, Thread
from normalizer.content import ReportKey
from normalizer.incidents import Scored, scored
from schemas import Match, Message, Outcome
from schemas.memory import Profile

THREAD = timedelta(days=7)
"""How long after its last message a conversation is about a report."""


@dataclass(frozen=True)
class MessageContext:
    """A message, and what is known."""

    message: Message
    known: Known
    conversations: tuple[str, ...]
    report_keys: tuple[ReportKey, ...]
    profile: Profile | None = None

    @cached_property
    def alike(self) -> list[Scored]:
        """Reports that share something with it, the likeliest first."""
        return scored(self.profile, self.known) if self.profile else []

    @property
    def latest(self) -> Thread | None:
        """The thread that was last written to, open or not."""
        threads = (self.known.threads.get(key) for key in self.conversations)
        return max((t for t in threads if t), key=lambda t: t.last_at, default=None)

    @property
    def thread(self) -> Thread | None:
        """The open thread that was last written to."""
        threads = (self.known.threads.get(key) for key in self.conversations)
        fresh = [t for t in threads if t and not t.closed and self.message.received_at - t.last_at < THREAD]
        return max(fresh, key=lambda t: t.last_at, default=None)

    @property
    def named(self) -> Referred | None:
        """The complaint whose number the message names."""
        return self.known.by_number.get(self.message.number or "")

    @property
    def identities(self) -> tuple[str, ...]:
        """What proves who the sender is."""
        return (*self.conversations, *(self.message.sender.identities if self.message.proven else ()))

    def reported(self, complaint: Referred) -> bool:
        """Did the sender report it? A thread never leads to a stranger's report."""
        latest = self.latest
        own = latest is not None and latest.complaint == complaint.complaint
        return own or not complaint.reporter.isdisjoint(self.identities)


class MatchVerdict(NamedTuple):
    """What a rule decides: the outcome, why, and the complaint it joins."""

    outcome: Outcome
    reason: str
    joins: Thread | Decision | None = None
    matches: tuple[Match, ...] = ()
    stranger: bool = False
