"""The second stage of the reading room: Message to Complaint, by the table in `cases.py`; remembered, then told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from msgspec.structs import asdict

from normalizer._port import Decision, Memory, Numbered, Referred, Thread
from normalizer.cases import RULES, Case, Verdict
from schemas import REFERRING, Complaint, Message, complaint_id

MATCHER = "1"
"""Version of the matcher: it changes whenever the same message may be decided otherwise."""

FEW_WORDS = 3
SHORT = 12
"""Bytes of letters and digits; two texts shorter than this are often equal by chance."""

_SILENT = re.compile(r"[\W_]+")
_SILENT_ASCII = bytes(c for c in range(128) if not chr(c).isalnum())


def match(messages: Sequence[Message], memory: Memory) -> list[Complaint]:
    """Decide on every message, in order, and remember it before anybody hears of it. Raises Retry from the memory."""
    if not messages:
        return []
    digests = [digest(m.read) for m in messages]
    known = memory.recall(messages, digests)
    news: list[tuple[Message, str | None, Decision]] = []
    complaints = []
    for message, words in zip(messages, digests, strict=True):
        decision = known.decided.get((message.raw, message.index))
        if decision is None:
            decision = _decide(Case.of(message, words, known))
            news.append((message, words if decision.opens else None, decision))
        complaints.append(_complaint(message, decision))
    if news:
        memory.remember([f[0] for f in news], [f[1] for f in news], [f[2] for f in news])
    return complaints


def digest(text: str) -> str | None:
    """What two equal reports share: SHA-256 of their letters and digits, in one case. None where there are too few."""
    folded = text.casefold()
    if folded.isascii():
        heard = folded.encode().translate(None, _SILENT_ASCII)
    else:
        heard = _SILENT.sub("", folded).encode("utf-8", "replace")
    return sha256(heard).hexdigest() if len(heard) >= SHORT else None


def _decide(case: Case) -> Decision:
    verdict = next(v for rule in RULES if (v := rule(case)))
    decision = _decision(case, verdict)
    _learn(case, decision, closed=isinstance(verdict.joins, Thread | Numbered) and verdict.joins.closed)
    return decision


def _decision(case: Case, verdict: Verdict) -> Decision:
    message, joins = case.message, verdict.joins
    opens = verdict.outcome == "recorded"
    opened = complaint_id(message.id) if opens else None
    number = joins.number if joins else None
    return Decision(
        raw=message.raw,
        index=message.index,
        message=message.id,
        outcome=verdict.outcome,
        complaint=opened or (joins.complaint if joins else None),
        number=case.known.fresh[opened] if opened else number,
        opens=opens,
        reason=verdict.reason,
        matches=verdict.matches,
        missing=_missing(message) if opens else (),
        stranger=verdict.stranger,
        moves=_moves(case, verdict),
        matcher=MATCHER,
        received_at=message.received_at,
    )


def _moves(case: Case, verdict: Verdict) -> bool:
    """Is the conversation about this complaint from here on? Not where it went on already (a replayed message)."""
    if verdict.outcome not in {"recorded", "added"} or verdict.stranger or case.message.kind in REFERRING:
        return False
    thread = case.thread
    return thread is None or thread.last_at <= case.message.received_at


def _missing(message: Message) -> tuple[str, ...]:
    """A voice note holds its words itself; where the door belongs to a region, the place is known well enough."""
    words = f"{message.title} {message.read}".split(None, FEW_WORDS)
    text = len(words) < FEW_WORDS and message.kind != "audio"
    return (*(["text"] if text else []), *(["place"] if message.place is None else []))


def _learn(case: Case, decision: Decision, *, closed: bool) -> None:
    """What the rest of the batch must know of this decision."""
    message, known = case.message, case.known
    known.decided[message.raw, message.index] = decision
    known.seen.setdefault(message.id, decision)
    if message.fingerprint:
        known.fingerprints[message.fingerprint] = decision
    if decision.outcome in {"recorded", "added"} and not decision.stranger:
        assert decision.complaint is not None
        assert decision.number is not None
        thread = Thread(
            complaint=decision.complaint, number=decision.number, last_at=message.received_at, closed=closed
        )
        own = frozenset((*message.sender.identities, *case.conversations))
        known.referred[message.id] = Referred(**asdict(thread), reporter=own)
        if decision.moves:
            known.threads.update(dict.fromkeys(case.conversations, thread))
        if decision.opens:
            _learn_report(case, thread)


def _learn_report(case: Case, thread: Thread) -> None:
    sender, known = case.message.sender, case.known
    reporter = frozenset((*sender.identities, *case.conversations))
    known.numbered[thread.number] = Numbered(complaint=thread.complaint, number=thread.number, reporter=reporter)
    if case.words:
        known.said.update(dict.fromkeys(((i, case.words) for i in sender.identities), thread))


def _complaint(message: Message, decision: Decision) -> Complaint:
    return Complaint(
        id=decision.complaint,
        number=decision.number,
        outcome=decision.outcome,
        reason=decision.reason,
        matches=decision.matches,
        missing=decision.missing,
        stranger=decision.stranger,
        message=message,
        matcher=decision.matcher,
    )
