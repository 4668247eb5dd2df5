"""Which complaint an action is about: by our number, else by a foreign id."""

from __future__ import annotations

from datetime import datetime

from normalizer._port import Decision, Known, Referred
from schemas import Action, Match, Outcome


def decide_action(action: Action, known: Known, matcher: str, content: str) -> Decision:
    """The decision on an action that was not decided before."""
    outcome: Outcome = "added"
    reason = "an action on this report"
    matches: tuple[Match, ...] = ()
    joins: Referred | Decision | None = known.seen.get(action.id)
    if isinstance(joins, Decision):
        outcome, reason = "redelivered", "the same action id"
        matches = (Match(kind="redelivery", of=joins.message, score=1.0, evidence=reason),)
    elif action.refusal:
        outcome, reason, joins = "refused", action.refusal, None
    elif (joins := _complaint(action, known)) is None:
        outcome, reason = "refused", _unknown(action)
    return Decision(
        raw=action.raw,
        item_index=action.item_index,
        message=action.id,
        content=content,
        outcome=outcome,
        complaint=joins.complaint if joins else None,
        number=joins.number if joins else None,
        reason=reason,
        matches=matches,
        reader=action.reader,
        matcher=matcher,
        received_at=action.received_at,
    )


def is_early(action: Action, known: Known, since: datetime) -> bool:
    """Is its complaint perhaps on its way still? A portal names both in one row, and they come by two topics."""
    if action.refusal or not action.of or action.received_at <= since:
        return False
    waits_for_row = action.beside_report and (action.raw, 0) not in known.decided
    return waits_for_row or _complaint(action, known) is None


def _complaint(action: Action, known: Known) -> Referred | Decision | None:
    if action.number and (found := known.by_number.get(action.number)):
        return found
    beside = known.decided.get((action.raw, 0)) if action.beside_report else None
    if beside is not None and beside.complaint:  # an id that began anew leads to an earlier report
        return beside
    return next((known.by_external_id[of] for of in action.of.items() if of in known.by_external_id), None)


def _unknown(action: Action) -> str:
    if action.number:
        return "no report has this number"
    return "no report has this foreign id" if action.of else "it names no report"
