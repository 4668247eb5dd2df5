"""What must hold when the road is empty: the drill's own list against the record, and the books. Pure functions; each
gives what is wrong, in words with ids.

    accepted = recorded + added + redelivered + refused + dead, and every message by its id, not only by numbers
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

ENDS = ("recorded", "added", "redelivered", "refused", "dead")


class Times(NamedTuple):
    """How often something was answered 200, and how often it may have been taken besides."""

    yes: int
    unsure: int = 0

    def allow(self, found: int) -> bool:
        return self.yes <= found <= self.yes + self.unsure


class Told(NamedTuple):
    """What the load knows: each message by its id, each status by the reply it is about."""

    messages: Mapping[str, Times]
    malformed: Times
    statuses: Mapping[str, Times]
    sent: Mapping[str, int]
    """Replies by our reference: how often the world outside was asked to send them."""


class Outcome(NamedTuple):
    raw: str
    idx: int
    outcome: str
    complaint: str | None
    message: str | None


class Owed(NamedTuple):
    id: str
    channel: str
    state: str
    raw: str
    idx: int


class Buried(NamedTuple):
    stage: str
    message: str | None
    reason: str


class Kept(NamedTuple):
    """What the record says."""

    outcomes: Sequence[Outcome]
    messages: Sequence[tuple[str, str]]
    """Message id and complaint."""
    complaints: Mapping[str, str]
    """By id, the message that opened it."""
    decided: Mapping[str, str]
    """By message id, the complaint that the matcher decided on for the first of that id."""
    outbox: Sequence[Owed]
    dead: Sequence[Buried]


Books = Mapping[str, Any]
"""`ledger --json`."""


def lost(told: Told, kept: Kept) -> Iterator[str]:
    """Accepted, and nowhere, or not where its outcome says."""
    standing = set(kept.messages)
    firsts = {o.message: o for o in kept.outcomes if o.outcome in ("recorded", "added")}
    ends = {o.message for o in kept.outcomes}
    for id, times in told.messages.items():
        first = firsts.get(id)
        if first is None:
            if times.yes:
                yield f"{id}: no outcome" if id not in ends else f"{id}: neither recorded nor added"
        elif (id, first.complaint) not in standing:
            yield f"{id}: {first.outcome}, and not among its complaint's messages"
        elif first.complaint not in kept.complaints:
            yield f"{id}: its complaint {first.complaint} is not on record"
        elif kept.decided.get(id) != first.complaint:
            yield f"{id}: in {first.complaint}, decided was {kept.decided.get(id)}"


def twice(told: Told, kept: Kept) -> Iterator[str]:
    """Recorded twice: two messages of one id, two complaints of one message, two outcomes that are no redelivery."""
    for id, n in Counter(id for id, _ in kept.messages).items():
        if n > 1:
            yield f"{id}: stands {n} times"
    for id, n in Counter(kept.complaints.values()).items():
        if n > 1:
            yield f"{id}: opened {n} complaints"
    for id, n in Counter(o.message for o in kept.outcomes if o.outcome in ("recorded", "added")).items():
        if n > 1:
            yield f"{id}: {n} outcomes that are no redelivery"


def miscounted(told: Told, kept: Kept) -> Iterator[str]:
    """Each arrival has an outcome of its own: as many as were answered 200, and at most what may have been taken."""
    found = Counter(o.message for o in kept.outcomes if o.message)
    for id, times in told.messages.items():
        if not times.allow(found[id]):
            yield f"{id}: {found[id]} outcomes of {times.yes} accepted and {times.unsure} unsure"
    for id in found.keys() - told.messages.keys():
        yield f"{id}: nobody sent it"
    for id, outcome in ((o.message, o.outcome) for o in kept.outcomes):
        if outcome == "refused":
            yield f"{id}: refused"


def buried(told: Told, kept: Kept) -> Iterator[str]:
    """Dead letters: the malformed bodies, refused by the reader, and nothing else."""
    for one in kept.dead:
        if one.stage != "reader" or one.message is not None:
            yield f"dead at {one.stage}: {one.message}: {one.reason}"
    if not told.malformed.allow(len(kept.dead)):
        yield f"{len(kept.dead)} dead letters of {told.malformed}; {dict(Counter(one.reason for one in kept.dead))}"
    if len(kept.dead) != (outcomes := sum(o.outcome == "dead" for o in kept.outcomes)):
        yield f"{len(kept.dead)} dead letters, {outcomes} outcomes that say so"


def answered_twice(told: Told, kept: Kept) -> Iterator[str]:
    channel = {owed.id: owed.channel for owed in kept.outbox}
    for reply, times in told.sent.items():
        if times > 1:
            yield f"{channel.get(reply, 'no reply of ours')} {reply}: sent {times} times"


def unanswered(told: Told, kept: Kept) -> Iterator[str]:
    """Owed and not sent, though not in doubt; said to be sent, and never asked for; owed for nothing or twice."""
    for owed in kept.outbox:
        if owed.state not in ("claimed", "unknown") and not told.sent.get(owed.id):
            yield f"{owed.channel} {owed.id}: {owed.state}, and never sent"
        elif owed.state in ("owed", "published", "failed", "withheld"):
            yield f"{owed.channel} {owed.id}: sent, and {owed.state}"
    due = Counter((o.raw, o.idx) for o in kept.outcomes if o.outcome in ("recorded", "added"))
    due.subtract((owed.raw, owed.idx) for owed in kept.outbox)
    for (raw, idx), n in due.items():
        if n:
            yield f"message {raw}.{idx}: {'no reply is owed' if n > 0 else 'more than one reply is owed'}"


def reports_lost(told: Told, kept: Kept) -> Iterator[str]:
    """A provider's report that was answered 200 has moved its reply on."""
    state = {owed.id: owed.state for owed in kept.outbox}
    for reply, times in told.statuses.items():
        if times.yes and state.get(reply) != "delivered":
            yield f"{reply}: reported delivered, stands as {state.get(reply)}"


def in_doubt(kept: Kept) -> dict[str, str]:
    """Replies of which nobody knows whether they were sent: id to channel."""
    return {owed.id: owed.channel for owed in kept.outbox if owed.state in ("claimed", "unknown")}


def unbalanced(told: Told, kept: Kept, books: Books) -> Iterator[str]:
    """The books add up, agree with the rows, and with what the load was told."""
    every = books["all"]
    if every["received"] != sum(every[end] for end in ENDS):
        yield f"received is not the sum of the outcomes: {every}"
    if every["lost"] or every["on_the_road"]:
        yield f"lost {every['lost']}, on the road {every['on_the_road']}"
    rows = Counter(o.outcome for o in kept.outcomes)
    for end in ENDS:
        if every[end] != rows[end]:
            yield f"{end}: {every[end]} in the books, {rows[end]} on record"
    received = _sum([*told.messages.values(), told.malformed])
    if not received.allow(every["received"]):
        yield f"received {every['received']}, answered {received}"
    receipts = _sum(told.statuses.values())
    if not Times(receipts.yes * 2, receipts.unsure * 2).allow(every["receipts"]):
        yield f"receipts {every['receipts']}, two each in {receipts}"


def _sum(times: Iterable[Times]) -> Times:
    all = list(times)
    return Times(sum(t.yes for t in all), sum(t.unsure for t in all))


def disordered(exported: Iterable[Sequence[str]]) -> Iterator[str]:
    """Of each complaint as `export` shows it, the native ids of the citizen's messages (`drill.TALK.SEQ`): they stand
    in the order of the door, and a talk stands in one complaint."""
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


CHECKS: Mapping[str, Callable[[Told, Kept], Iterator[str]]] = {
    "lost": lost, "recorded twice": twice, "miscounted": miscounted, "buried": buried,
    "answered twice": answered_twice, "unanswered": unanswered, "reports lost": reports_lost,
}  # fmt: skip
"""Each must find nothing; `unbalanced` and `disordered` besides."""
