"""Which complaint a message belongs to: one table of cases, tried from above; the first that decides wins.

| # | case | outcome |
|---|---|---|
| 1 | the same raw once more (a batch run twice) | the stored decision, again |
| 2 | its message id came before, with the same content | redelivered |
| 3 | no ids, but the same fingerprint within 10 minutes | redelivered |
| 4 | the channel says it is no report; BANTUAN; STOP | refused; of a changed number, the new one has the thread too |
| 5 | CEK with a known number, or alone where the conversation has a report | asked: nothing changes |
| 5a | NILAI by the reporter, with a number or about the latest report of the conversation | added: a rating |
| 6 | TL, CEK, BELUM or NILAI with a number that is not known here, or with none | refused |
| 7 | TL by the reporter | added to that complaint, and the conversation is about it from now on |
| 7a | BELUM by the reporter | added: a closed report is reopened; too late for that: recorded, with a match |
| 8 | TL or BELUM by anybody else | never into that complaint: with words or files like 12 and 15 there, else refused |
| 9 | reaction, edit, deletion | added to the sender's own report it refers to, else to the open thread, else refused |
| 10 | a quote of a message of the sender's own report, unless it opens a report | added to that report |
| 11 | a sticker, a notice, thanks or a greeting, without an open thread | refused |
| 11a | another system's number, which a report of this sender has | added: same_external_id |
| 11b | the same, of another sender, where an office's own system says so | added, without its words |
| 12 | words that opened an open complaint of the same conversation, or of the same proven person | added: same report |
| 12a | nearly those words, nothing says that it is elsewhere | added: same report |
| 13 | the citizen states that it opens a report | recorded |
| 13a | another place and another matter than the open thread's, in a sentence of its own | recorded |
| 13b | another matter, announced or begun with its thing, where the open thread's report names no place | recorded |
| 14 | an open thread: not closed, its last message younger than 7 days | added |
| 15 | anything else | recorded |

What is recorded gets a match where others reported the incident, or sent the text, before (`incidents.py`).

Case 1 is met before these rules (`match.py`), and so are ids that came before with other content (`own_ids.py`). A
message that was dead and comes again is matched as of its receipt: a thread that went on later still is its thread.

A sender is the reporter by the conversation that the report was opened in, or by an identity that the channel itself
vouches for (`Message.proven`). A claimed identity is none: it never joins, sees or changes another conversation's
report. Where words and a claimed identity are those of another report, the new one is recorded with a match for an
officer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from normalizer._port import Decision, Referred, Thread
from normalizer.incidents import match_of_others, own_report
from normalizer.keywords import begins_with_lapor, is_our_number
from normalizer.message_context import MatchVerdict, MessageContext
from normalizer.new_matter import opens_new_matter
from schemas import COURTESIES, REFERRING_KINDS, Match, message_id

REDELIVERY = timedelta(minutes=10)
WORDS_FOLLOW = timedelta(hours=1)
"""Within it LAPOR is an answer to "Apa yang terjadi?"."""
SILENT_KINDS = frozenset({"sticker", "system"})
NUMBERED_COMMANDS = frozenset({"TL", "CEK", "BELUM", "NILAI"})
REOPENED_LATE = "BELUM after the time for reopening"
"""Reason and evidence of a report that its reporter would have reopened."""
REFUSED_COMMANDS = {"BANTUAN": "a request for help", "STOP": "a wish for no more messages"}


def redelivered(case: MessageContext) -> MatchVerdict | None:
    first = case.known.seen.get(case.message.id)
    return _again(first, "the same message id and words") if first else None


def redelivered_without_id(case: MessageContext) -> MatchVerdict | None:
    first = case.known.fingerprints.get(case.message.fingerprint or "")
    if first is None or abs(case.message.received_at - first.received_at) > REDELIVERY:
        return None
    return _again(first, "the same sender, text and gateway time within 10 minutes")


def _again(first: Decision, why: str) -> MatchVerdict:
    match = Match(kind="redelivery", of=first.message or first.complaint or first.raw, score=1.0, evidence=why)
    return MatchVerdict("redelivered", why, first, (match,), first.stranger)


def changed_number(case: MessageContext) -> MatchVerdict | None:
    """The channel says that a citizen has another number or id: the thread is that of the new one too."""
    message = case.message
    if message.kind != "system" or not (message.refusal and message.proven and message.aliases):
        return None
    return MatchVerdict("refused", message.refusal, case.thread)


def no_report(case: MessageContext) -> MatchVerdict | None:
    refusal = case.message.refusal or REFUSED_COMMANDS.get(case.message.command or "")
    return MatchVerdict("refused", refusal) if refusal else None


def status_asked(case: MessageContext) -> MatchVerdict | None:
    if case.message.command != "CEK":
        return None
    if case.message.number is None:
        latest = case.latest
        return MatchVerdict("asked", "CEK alone: the latest report of this conversation", latest) if latest else None
    if not (asked := case.named):
        return None
    if case.reported(asked):
        return MatchVerdict("asked", "CEK by its reporter", asked)
    return MatchVerdict("asked", "CEK by somebody else: only the status is shown", asked, stranger=True)


def unknown_number(case: MessageContext) -> MatchVerdict | None:
    message = case.message
    if message.command not in NUMBERED_COMMANDS or case.named:
        return None
    if message.number is None:
        return MatchVerdict("refused", f"{message.command} without a number")
    wrong = "no report has this number" if is_our_number(message.number) else "not one of our numbers"
    return MatchVerdict("refused", f"{message.command}: {wrong}")


def rated(case: MessageContext) -> MatchVerdict | None:
    if case.message.command != "NILAI":
        return None
    if case.message.number is None:
        latest = case.latest
        return MatchVerdict("added", "NILAI alone: the latest report of this conversation", latest) if latest else None
    if not (named := case.named):
        return None
    if not case.reported(named):
        return MatchVerdict("refused", "NILAI by somebody else")
    return MatchVerdict("added", "NILAI by its reporter", named)


def followed_up(case: MessageContext) -> MatchVerdict | None:
    command = case.message.command
    if command not in {"TL", "BELUM"} or not (named := case.named):
        return None
    if case.reported(named):
        return _too_late(case, named) or MatchVerdict("added", f"{command} by its reporter", named)
    if not (case.message.clean_text or case.message.attachments):
        return MatchVerdict("refused", f"{command} by somebody else, without words")
    return duplicate_report(case) or _recorded(case, f"{command} by somebody else: a report of its own")


def _too_late(case: MessageContext, named: Referred) -> MatchVerdict | None:
    """A report that can no longer be reopened: what its reporter still misses is a report of its own, linked."""
    until = named.reopen_until
    if case.message.command != "BELUM" or not named.closed or until is None or case.message.received_at < until:
        return None
    match = Match(kind="same_report", of=named.complaint, score=1.0, evidence=REOPENED_LATE)
    return MatchVerdict("recorded", REOPENED_LATE, None, (match,))


def refers(case: MessageContext) -> MatchVerdict | None:
    message = case.message
    if message.kind not in REFERRING_KINDS:
        return None
    if joined := _referred(case):
        return MatchVerdict("added", f"{message.kind} of a message of this report", joined)
    if thread := case.thread:
        return MatchVerdict("added", f"{message.kind} in the open conversation", thread)
    return MatchVerdict("refused", f"{message.kind} of a message that belongs to no report")


def quotes(case: MessageContext) -> MatchVerdict | None:
    if case.message.opens_report or not (joined := _referred(case)):
        return None
    return MatchVerdict("added", "quotes a message of this report", joined)


def _referred(case: MessageContext) -> Referred | None:
    message = case.message
    if not message.refers_to:
        return None
    joined = case.known.by_message.get(message_id(message.channel, message.account, message.refers_to))
    return joined if joined and case.reported(joined) else None


def reports_nothing(case: MessageContext) -> MatchVerdict | None:
    message = case.message
    courtesy = message.sort in COURTESIES and not message.attachments and not message.opens_report
    if not (courtesy or message.kind in SILENT_KINDS) or case.thread:
        return None
    what = message.sort if courtesy else message.kind
    return MatchVerdict("refused", f"{what} alone, without a report it belongs to")


def duplicate_report(case: MessageContext) -> MatchVerdict | None:
    for key, joins, evidence, _ in case.report_keys:
        joined = case.known.same_words.get(key)
        if joins and joined and not joined.closed:
            match = _same_words(joined, 1.0, evidence)
            return MatchVerdict("added", "the same report by the same person", joined, (match,))
    return None


def near_duplicate_report(case: MessageContext) -> MatchVerdict | None:
    if not (own := own_report(case.alike, case.identities)):
        return None
    match = Match(
        kind="same_report", of=own.candidate.complaint, score=round(own.score, 3),
        evidence=f"the same citizen; {own.evidence}",
    )  # fmt: skip
    return MatchVerdict("added", "nearly the same report by the same person", own.candidate, (match,))


def known_elsewhere(case: MessageContext) -> MatchVerdict | None:
    """Another system's number that a report of this sender has, or any report where an office's own system names it.
    From anybody else it is evidence: such numbers are public, and a claimed identity proves nothing."""
    message = case.message
    for (system, _), known in _by_external_id(case):
        is_own = system == message.account
        if case.reported(known):
            match = _same_number(known, system, "the same sender")
            return MatchVerdict("added", f"has the number of {system}", known, (match,))
        if message.ids_proven and not (is_own and message.ids_restart):
            match = _same_number(known, system, "as an office's own system says")
            changed = is_own and _may_be_reporter(case, known)
            return MatchVerdict("added", f"has the number of {system}", known, (match,), stranger=not changed)
    return None


def _may_be_reporter(case: MessageContext, known: Referred) -> bool:
    """A row that a system changed is its reporter's, unless it names somebody else."""
    named = case.message.sender.identities
    return not named or not known.reporter.isdisjoint(named)


def _by_external_id(case: MessageContext) -> list[tuple[tuple[str, str], Referred]]:
    if not case.message.external_ids:
        return []
    found = ((pair, case.known.by_external_id.get(pair)) for pair in sorted(case.message.external_ids.items()))
    return [(pair, known) for pair, known in found if known is not None]


def _same_number(known: Referred, system: str, whose: str) -> Match:
    return Match(
        kind="same_external_id", of=known.complaint, score=1.0, evidence=f"the same number of {system}, {whose}"
    )


def new_matter(case: MessageContext) -> MatchVerdict | None:
    thread = case.thread
    if thread is None or not opens_new_matter(case.message, case.profile, thread):
        return None
    return _recorded(case, "another place and matter than in the open conversation")


def gives_words(case: MessageContext) -> MatchVerdict | None:
    """LAPOR soon after a photo, a place or LAPOR alone: the words of that report, for which its sender was asked."""
    message, thread = case.message, case.thread
    if thread is None or not (thread.wordless and begins_with_lapor(message.text)):
        return None
    if abs(message.received_at - thread.last_at) >= WORDS_FOLLOW:
        return None
    return MatchVerdict("added", "the words of a report that had none", thread)


def opens_report(case: MessageContext) -> MatchVerdict | None:
    return _recorded(case, "stated to open a report") if case.message.opens_report else None


def goes_on(case: MessageContext) -> MatchVerdict | None:
    return MatchVerdict("added", "the open conversation", thread) if (thread := case.thread) else None


def nothing_open(case: MessageContext) -> MatchVerdict:
    return _recorded(case, "no open conversation")


def _recorded(case: MessageContext, reason: str) -> MatchVerdict:
    """A report of its own; with a match where the same words stand under an identity that was not proven, or where the
    sender's report before it is still without words."""
    found = ((case.known.same_words.get(k.key), k.evidence) for k in case.report_keys if not k.joins)
    matches = [_same_words(joined, 0.5, evidence) for joined, evidence in found if joined and not joined.closed]
    matches += [_same_number(known, system, "another sender") for (system, _), known in _by_external_id(case)]
    if not matches and case.thread and case.thread.wordless and begins_with_lapor(case.message.text):
        evidence = "the report before it in this conversation has no words"
        matches.append(Match(kind="same_report", of=case.thread.complaint, score=0.5, evidence=evidence))
    if not matches and (others := match_of_others(case.alike, case.message.told_apart_by)):
        matches.append(others)
    return MatchVerdict("recorded", reason, None, tuple(matches[:1]))


def _same_words(joined: Thread, score: float, evidence: str) -> Match:
    return Match(
        kind="same_report", of=joined.complaint, score=score, evidence=f"the same letters and digits, {evidence}"
    )


RULES: tuple[Callable[[MessageContext], MatchVerdict | None], ...] = (
    redelivered, redelivered_without_id, changed_number, no_report, status_asked, rated, unknown_number,
    followed_up, refers, quotes, reports_nothing, known_elsewhere, duplicate_report, near_duplicate_report, gives_words,
    opens_report, new_matter, goes_on, nothing_open,
)  # fmt: skip
