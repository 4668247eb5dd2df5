"""A message with what is known of it, and what a rule decides: between `match.py` and the table in `match_rules.py`."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from normalizer._port import Decision, Known, Referred, Thread
from normalizer.content import ComparedItem
from normalizer.incidents import Scored, scored
from schemas import Match, Message, Outcome

THREAD = timedelta(days=7)
"""How long after its last message a conversation is about a report."""


class MessageContext:
    """A message, and what is known."""

    __slots__ = ("_alike", "_threads", "conversations", "known", "message", "profile", "report_keys")

    def __init__(self, compared: ComparedItem, message: Message, known: Known) -> None:
        self.message, self.known = message, known
        self.conversations, self.report_keys, self.profile = (
            compared.conversations, compared.report_keys, compared.profile,
        )  # fmt: skip
        self._threads = [thread for key in self.conversations if (thread := known.threads.get(key))]
        self._alike: list[Scored] | None = None

    @property
    def alike(self) -> list[Scored]:
        """Reports that share something with it."""
        if self._alike is None:
            self._alike = scored(self.profile, self.known) if self.profile else []
        return self._alike

    @property
    def latest(self) -> Thread | None:
        """The thread that was last written to, open or not."""
        return max(self._threads, key=lambda t: t.last_at, default=None)

    @property
    def thread(self) -> Thread | None:
        """The open thread that was last written to."""
        if not self._threads:
            return None
        fresh = [t for t in self._threads if not t.closed and self.message.received_at - t.last_at < THREAD]
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
