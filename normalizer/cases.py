"""Which complaint a message belongs to: one table of cases, tried from above; the first that decides wins.

| # | case | outcome |
|---|---|---|
| 1 | the same raw once more (a batch run twice) | the stored decision, again |
| 2 | its message id was seen | redelivered |
| 3 | no ids, but the same fingerprint within 10 minutes | redelivered |
| 4 | the channel says it is no report | refused |
| 5 | TL or CEK without a number that is known here | refused |
| 6 | CEK with a known number | added; by a stranger: the status is told, the words join nothing |
| 7 | TL by who reported it | added to that complaint, and the conversation is about it from now on |
| 8 | TL by a stranger | never into another citizen's case: with words or files like 11 and 14 there, else refused |
| 9 | reaction, edit, deletion | added to the sender's own report it refers to, else to the open thread, else refused |
| 10 | a sticker or a notice, without an open thread | refused |
| 11 | words that opened a complaint of the same person, still open, by whatever door | added: same report |
| 12 | the citizen said that a report begins | recorded |
| 13 | an open thread: not closed, its last message younger than 7 days | added |
| 14 | anything else | recorded |

Case 1 is met before these rules (`match.py`). A message that was dead and comes again is matched as of its receipt: a
thread that went on later still is its thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from stdnum import luhn

from normalizer._port import Decision, Known, Numbered, Referred, Thread
from schemas import REFERRING, Match, Message, Outcome, message_id

REDELIVERY = timedelta(minutes=10)
THREAD = timedelta(days=7)
SILENT = frozenset({"sticker", "system"})


@dataclass(frozen=True, slots=True)
class Case:
    """A message, the digest of its words, and what is known."""

    message: Message
    words: str | None
    known: Known
    conversations: tuple[str, ...]
    """The keys of its thread: its own, and those of the same person's other ids on the account."""

    @classmethod
    def of(cls, message: Message, words: str | None, known: Known) -> Case:
        return cls(message, words, known, (message.key, *(f"{message.account}/{a}" for a in message.aliases)))

    @property
    def thread(self) -> Thread | None:
        """The open thread that was last written to."""
        threads = (self.known.threads.get(key) for key in self.conversations)
        fresh = [t for t in threads if t and not t.closed and self.message.received_at - t.last_at < THREAD]
        return max(fresh, key=lambda t: t.last_at, default=None)

    @property
    def numbered(self) -> Numbered | None:
        return self.known.numbered.get(self.message.number or "")

    def reported(self, complaint: Numbered | Referred) -> bool:
        """Did the sender report it? By an identity, or by the very conversation it was reported in."""
        return not complaint.reporter.isdisjoint((*self.message.sender.identities, *self.conversations))


class Verdict(NamedTuple):
    """What a rule says: the outcome, the complaint it joins, and why."""

    outcome: Outcome
    reason: str
    joins: Thread | Numbered | Decision | None = None
    matches: tuple[Match, ...] = ()
    stranger: bool = False


def redelivered(case: Case) -> Verdict | None:
    first = case.known.seen.get(case.message.id)
    return _again(first, "the same message id") if first else None


def redelivered_without_id(case: Case) -> Verdict | None:
    first = case.known.fingerprints.get(case.message.fingerprint or "")
    if first is None or abs(case.message.received_at - first.received_at) > REDELIVERY:
        return None
    return _again(first, "the same sender, text and gateway time within 10 minutes")


def no_report(case: Case) -> Verdict | None:
    return Verdict("refused", case.message.refusal) if case.message.refusal else None


def unknown_number(case: Case) -> Verdict | None:
    message = case.message
    if message.command is None or case.numbered:
        return None
    if message.number is None:
        return Verdict("refused", f"{message.command} without a number")
    ours = len(message.number) == 10 and luhn.is_valid(message.number)
    wrong = "no report has this number" if ours else "not one of our numbers"
    return Verdict("refused", f"{message.command}: {wrong}")


def _again(first: Decision, why: str) -> Verdict:
    match = Match(kind="redelivery", of=first.message, score=1.0, evidence=why)
    return Verdict("redelivered", why, first, (match,), first.stranger)


def status_asked(case: Case) -> Verdict | None:
    if case.message.command != "CEK" or not (asked := case.numbered):
        return None
    if case.reported(asked):
        return Verdict("added", "CEK by its reporter", asked)
    return Verdict("added", "CEK by somebody else: only the status is told", asked, stranger=True)


def followed_up(case: Case) -> Verdict | None:
    if case.message.command != "TL" or not (named := case.numbered):
        return None
    if case.reported(named):
        return Verdict("added", "TL by its reporter", named)
    if not (case.message.read or case.message.attachments):
        return Verdict("refused", "TL by somebody else, without words")
    return same_report(case) or Verdict("recorded", "TL by somebody else: a report of its own")


def refers(case: Case) -> Verdict | None:
    message = case.message
    if message.kind not in REFERRING:
        return None
    if message.refers_to:
        about = message_id(message.channel, message.account, message.refers_to)
        joined = case.known.referred.get(about)
        if joined and case.reported(joined):
            return Verdict("added", f"{message.kind} of a message of this report", joined)
    if thread := case.thread:
        return Verdict("added", f"{message.kind} in the open conversation", thread)
    return Verdict("refused", f"{message.kind} of a message that belongs to no report")


def says_nothing(case: Case) -> Verdict | None:
    if case.message.kind not in SILENT or case.thread:
        return None
    return Verdict("refused", f"{case.message.kind} alone, without a report it belongs to")


def same_report(case: Case) -> Verdict | None:
    if case.words is None:
        return None
    sender = case.message.sender
    named = {"NIK": sender.nik, "phone": sender.phone, "e-mail": sender.email, "user": sender.user}
    for kind, identity in named.items():
        joined = case.known.said.get((identity, case.words)) if identity else None
        if joined and not joined.closed:
            same = f"same letters and digits, same {kind}"
            match = Match(kind="same_report", of=joined.complaint, score=1.0, evidence=same)
            return Verdict("added", "the same report by the same person", joined, (match,))
    return None


def begins(case: Case) -> Verdict | None:
    return Verdict("recorded", "said to begin a report") if case.message.begins else None


def goes_on(case: Case) -> Verdict | None:
    return Verdict("added", "the open conversation", thread) if (thread := case.thread) else None


def opens(_: Case) -> Verdict:
    return Verdict("recorded", "no open conversation")


RULES: tuple[Callable[[Case], Verdict | None], ...] = (
    redelivered, redelivered_without_id, no_report, unknown_number, status_asked, followed_up,
    refers, says_nothing, same_report, begins, goes_on, opens,
)  # fmt: skip
