"""The invariants that must hold once the pipeline is empty: the load's own list against the record and the ledger. Pure
functions; each gives what is wrong, in words with ids.

    accepted = recorded + added + redelivered + refused + dead, and every message by its id, not only by numbers
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

OUTCOMES = ("recorded", "added", "asked", "redelivered", "refused", "dead")
OWN_OUTCOMES = ("recorded", "added")
"""Of a message that comes for the first time."""


class Times(NamedTuple):
    """How often something was answered 200, and how often it may have been taken besides."""

    accepted: int
    unsure: int = 0

    def allow(self, found: int) -> bool:
        return self.accepted <= found <= self.accepted + self.unsure


class Sent(NamedTuple):
    """The load's own list: messages by id, status webhooks by the reply they are about."""

    messages: Mapping[str, Times]
    malformed: Times
    statuses: Mapping[str, Times]
    replies: Mapping[str, int]
    """By our reference: how often a provider took the reply."""


class Outcome(NamedTuple):
    raw: str
    item_index: int
    outcome: str
    complaint: str | None
    message: str | None
    replies: tuple[str, ...] = ()
    """Ids, one of which the answer to it must have."""
    in_burst: bool = False
    """It came within seconds of the message before it; that one's answer may stand for both."""


class Reply(NamedTuple):
    id: str
    channel: str
    state: str


class DeadLetter(NamedTuple):
    stage: str
    message: str | None
    reason: str


class Recorded(NamedTuple):
    """The contents of the record."""

    outcomes: Sequence[Outcome]
    messages: Sequence[tuple[str, str]]
    """Message id and complaint."""
    complaints: Mapping[str, str]
    """By id, the message that opened it."""
    decisions: Mapping[str, str]
    """By message id, the complaint that the matcher decided on for the first of that id."""
    outbox: Sequence[Reply]
    dead: Sequence[DeadLetter]


Ledger = Mapping[str, Any]
"""`ledger --json`."""


def lost(sent: Sent, recorded: Recorded) -> Iterator[str]:
    """Accepted, and nowhere, or not where its outcome says."""
    stored = set(recorded.messages)
    firsts = {o.message: o for o in recorded.outcomes if o.outcome in OWN_OUTCOMES}
    ended = {o.message for o in recorded.outcomes}
    for id, times in sent.messages.items():
        first = firsts.get(id)
        if first is None:
            if times.accepted:
                yield f"{id}: no outcome" if id not in ended else f"{id}: neither recorded nor added"
        elif (id, first.complaint) not in stored:
            yield f"{id}: {first.outcome}, and not among its complaint's messages"
        elif first.complaint not in recorded.complaints:
            yield f"{id}: its complaint {first.complaint} is not on record"
        elif recorded.decisions.get(id) != first.complaint:
            yield f"{id}: in {first.complaint}, decided was {recorded.decisions.get(id)}"


def recorded_twice(sent: Sent, recorded: Recorded) -> Iterator[str]:
    """Two messages of one id, two complaints of one message, two outcomes that are no redelivery."""
    for id, n in Counter(id for id, _ in recorded.messages).items():
        if n > 1:
            yield f"{id}: stands {n} times"
    for id, n in Counter(recorded.complaints.values()).items():
        if n > 1:
            yield f"{id}: opened {n} complaints"
    for id, n in Counter(o.message for o in recorded.outcomes if o.outcome in OWN_OUTCOMES).items():
        if n > 1:
            yield f"{id}: {n} outcomes that are no redelivery"


def miscounted(sent: Sent, recorded: Recorded) -> Iterator[str]:
    """Each arrival has an outcome of its own: as many as were answered 200, and at most what may have been taken."""
    found = Counter(o.message for o in recorded.outcomes if o.message)
    for id, times in sent.messages.items():
        if not times.allow(found[id]):
            yield f"{id}: {found[id]} outcomes of {times.accepted} accepted and {times.unsure} unsure"
    for id in found.keys() - sent.messages.keys():
        yield f"{id}: nobody sent it"
    for id, outcome in ((o.message, o.outcome) for o in recorded.outcomes):
        if outcome in ("refused", "asked"):
            yield f"{id}: {outcome}"


def dead_letters(sent: Sent, recorded: Recorded) -> Iterator[str]:
    """The malformed bodies, refused by the reader, and nothing else."""
    for one in recorded.dead:
        if one.stage != "reader" or one.message is not None:
            yield f"dead at {one.stage}: {one.message}: {one.reason}"
    if not sent.malformed.allow(len(recorded.dead)):
        reasons = dict(Counter(one.reason for one in recorded.dead))
        yield f"{len(recorded.dead)} dead letters of {sent.malformed}; {reasons}"
    if len(recorded.dead) != (outcomes := sum(o.outcome == "dead" for o in recorded.outcomes)):
        yield f"{len(recorded.dead)} dead letters, {outcomes} outcomes that say so"


def answered_twice(sent: Sent, recorded: Recorded) -> Iterator[str]:
    channel = {reply.id: reply.channel for reply in recorded.outbox}
    for reply, times in sent.replies.items():
        if times > 1:
            yield f"{channel.get(reply, 'no reply of ours')} {reply}: sent {times} times"


def unanswered(sent: Sent, recorded: Recorded) -> Iterator[str]:
    """Owed and not sent, though not in doubt; stored as sent, and never taken; owed for nothing or twice."""
    for reply in recorded.outbox:
        if reply.state in ("owed", "claimed", "failed", "suppressed"):
            yield f"{reply.channel} {reply.id}: {reply.state}"
        elif reply.state != "unknown" and not sent.replies.get(reply.id):
            yield f"{reply.channel} {reply.id}: {reply.state}, and no provider took it"
    left = {reply.id for reply in recorded.outbox}
    for outcome in recorded.outcomes:
        if outcome.outcome in OWN_OUTCOMES:
            found = left.intersection(outcome.replies)
            left -= found
            if len(found) != 1 and not (outcome.in_burst and not found):
                yield f"message {outcome.raw}.{outcome.item_index}: {len(found)} replies are owed"
    for id in left:
        yield f"reply {id}: owed for no message"


def reports_lost(sent: Sent, recorded: Recorded) -> Iterator[str]:
    """A provider's report that was answered 200 has moved its reply on."""
    state = {reply.id: reply.state for reply in recorded.outbox}
    for reply, times in sent.statuses.items():
        if times.accepted and state.get(reply) != "delivered":
            yield f"{reply}: reported delivered, stands as {state.get(reply)}"


def in_doubt(recorded: Recorded) -> dict[str, str]:
    """Replies of which nobody here knows whether they were sent: id to channel."""
    return {reply.id: reply.channel for reply in recorded.outbox if reply.state == "unknown"}


def unbalanced(sent: Sent, recorded: Recorded, ledger: Ledger) -> Iterator[str]:
    """The ledger adds up, agrees with the rows, and with the load's list."""
    every = ledger["all"]
    if every["received"] != sum(every[outcome] for outcome in OUTCOMES):
        yield f"received is not the sum of the outcomes: {every}"
    if every["lost"] or every["in_flight"]:
        yield f"lost {every['lost']}, in flight {every['in_flight']}"
    rows = Counter(o.outcome for o in recorded.outcomes)
    for outcome in OUTCOMES:
        if every[outcome] != rows[outcome]:
            yield f"{outcome}: {every[outcome]} in the ledger, {rows[outcome]} on record"
    received = _sum([*sent.messages.values(), sent.malformed])
    if not received.allow(every["received"]):
        yield f"received {every['received']}, answered {received}"
    receipts = _sum(sent.statuses.values())
    if not Times(receipts.accepted * 2, receipts.unsure * 2).allow(every["receipts"]):
        yield f"receipts {every['receipts']}, two each in {receipts}"


def _sum(times: Iterable[Times]) -> Times:
    every = list(times)
    return Times(sum(t.accepted for t in every), sum(t.unsure for t in every))


def disordered(exported: Iterable[Sequence[str]]) -> Iterator[str]:
    """Of each complaint as `export` shows it, the native ids of the citizen's messages (`drill.TALK.SEQ`): they stand
    in the order of the ingress, and a talk stands in one complaint."""
    homes: dict[str, set[int]] = defaultdict(set)
    for n, natives in enumerate(exported):
        talks: dict[str, list[int]] = defaultdict(list)
        for native in natives:
            talk, _, seq = native.rpartition(".")
            talks[talk].append(int(seq))
            homes[talk].add(n)
        for talk, seqs in talks.items():
            if any(a >= b for a, b in pairwise(seqs)):
                yield f"{talk}: stands as {seqs}"
    for talk, complaints in homes.items():
        if len(complaints) > 1:
            yield f"{talk}: stands in {len(complaints)} complaints"


CHECKS: Mapping[str, Callable[[Sent, Recorded], Iterator[str]]] = {
    "lost": lost, "recorded twice": recorded_twice, "miscounted": miscounted, "dead letters": dead_letters,
    "answered twice": answered_twice, "unanswered": unanswered, "reports lost": reports_lost,
}  # fmt: skip
"""Each must find nothing; `unbalanced` and `disordered` besides."""
