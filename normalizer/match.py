"""The matcher's stage: Message or Action to Matched, by the rules of `match_rules.py`; remembered, then published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from normalizer._port import Decision, Entry, Known, Memory, Thread
from normalizer.actions import decide_action, is_early
from normalizer.content import ComparedItem, comparison_of
from normalizer.learn import add_decision
from normalizer.match_rules import RULES
from normalizer.message_context import MatchVerdict, MessageContext
from normalizer.own_ids import ID_USED_BEFORE, memory_query, with_own_ids
from normalizer.settle import settled_place
from schemas import REFERRING_KINDS, Action, Matched, Message, Place, Retry, complaint_id
from schemas.lacking import lacks_place, lacks_words

MATCHER = "15"
"""Version of the matcher: it changes whenever the same item may be decided otherwise."""

DELETED_BEFORE = "its sender deleted it before it came"
EARLY = 0.5
"""Seconds after which an action that waits is looked at again."""


def match(items: Sequence[Message | Action], memory: Memory, *, early_since: datetime | None = None) -> list[Matched]:
    """Decide on every item, in order, and remember it before it is published. An action that was received after
    `early_since` waits for its complaint. Raises Retry from the memory, and where an action waits."""
    if not items:
        return []
    as_read = [comparison_of(item) for item in items]
    known = memory.recall([memory_query(one) for one in as_read])
    entries: list[Entry] = []
    matched = []
    for given, one in zip(items, with_own_ids(as_read, known, memory), strict=True):
        decision = known.decided.get((given.raw, given.item_index))
        if decision is None:
            if early_since and isinstance(given, Action) and is_early(given, known, early_since):
                break
            decision, joined = _decide(one, known, reused=one.item.id != given.id)
            entries.append(_entry(one, decision, given.id, joined))
        matched.append(_matched(one.item, decision))
    if entries:
        memory.remember(entries)
    if len(matched) < len(items):
        raise Retry("an action waits for its complaint", after=EARLY)
    return matched


def _decide(one: ComparedItem, known: Known, *, reused: bool) -> tuple[Decision, Thread | None]:
    """The decision, and the complaint that a message joins, as it was known."""
    item = one.item
    if isinstance(item, Action):
        decision, joined = decide_action(item, known, MATCHER, one.content), None
    else:
        case = MessageContext(one, item, known)
        verdict = next(v for rule in RULES if (v := rule(case)))
        decision = _decision(case, verdict, one.content)
        joined = verdict.joins if isinstance(verdict.joins, Thread) else None
    if reused:
        decision = replace(decision, reason=f"{decision.reason}; {ID_USED_BEFORE}")
    elif item.id in known.deletions and decision.outcome in {"recorded", "added"}:
        decision = replace(decision, reason=f"{decision.reason}; {DELETED_BEFORE}")
    add_decision(one, decision, known, joined)
    return decision, joined


def _decision(case: MessageContext, verdict: MatchVerdict, content: str) -> Decision:
    message, joins = case.message, verdict.joins
    opens = verdict.outcome == "recorded"
    opened = complaint_id(message.id) if opens else None
    number = joins.number if joins else None
    place = settled_place(message, joins.region if isinstance(joins, Thread) else None)
    return Decision(
        raw=message.raw,
        item_index=message.item_index,
        message=message.id,
        content=content,
        outcome=verdict.outcome,
        complaint=opened or (joins.complaint if joins else None),
        number=case.known.new_numbers[opened] if opened else number,
        opens_complaint=opens,
        reason=verdict.reason,
        matches=verdict.matches,
        missing=_missing(message, place) if opens else (),
        place=place,
        stranger=verdict.stranger,
        switches_thread=_switches_thread(case, verdict),
        reader=message.reader,
        matcher=MATCHER,
        received_at=message.received_at,
    )


def _switches_thread(case: MessageContext, verdict: MatchVerdict) -> bool:
    """Is the conversation about this complaint from here on? Not where it went on already (a replayed message)."""
    if verdict.outcome == "refused":
        return verdict.joins is not None
    if verdict.outcome not in {"recorded", "added"} or verdict.stranger or case.message.kind in REFERRING_KINDS:
        return False
    thread = case.thread
    return thread is None or thread.last_at <= case.message.received_at


def _missing(message: Message, place: Place | None) -> tuple[str, ...]:
    """A voice note holds its words itself."""
    text = message.kind != "audio" and lacks_words(f"{message.title} {message.clean_text}")
    vague = lacks_place(place or message.place, message.owner)
    return (*(["text"] if text else []), *(["place"] if vague else []))


def _entry(one: ComparedItem, decision: Decision, id_as_read: str, joined: Thread | None) -> Entry:
    keys = one.opened_keys if decision.opens_complaint else ()
    as_read = one.item if one.item.id == id_as_read else replace(one.item, id=id_as_read)
    profile = one.profile if decision.opens_complaint else None
    first_words = joined is not None and joined.wordless and decision.outcome == "added" and _says_something(one.item)
    return Entry(item=as_read, decision=decision, report_keys=keys, profile=profile, first_words=first_words)


def _says_something(item: Message | Action) -> bool:
    return isinstance(item, Message) and item.has_words


def _matched(item: Message | Action, decision: Decision) -> Matched:
    message = action = None
    if isinstance(item, Message):
        settled = item if not item.places else replace(item, places=(), place=decision.place or item.place)
        message = settled
    else:
        action = item
    belongs = decision.outcome != "refused"
    return Matched(
        id=decision.complaint if belongs else None,
        number=decision.number if belongs else None,
        outcome=decision.outcome,
        reason=decision.reason,
        matches=decision.matches,
        missing=decision.missing,
        stranger=decision.stranger,
        message=message,
        action=action,
        matcher=decision.matcher,
    )
