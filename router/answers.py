"""The planner of answers: which answer is owed for a matched event, by template and parameters. The words are made when
it is sent (`templates.py`).

| event | answer |
|---|---|
| a report was opened | number_given, with the questions for what is missing; emergency where somebody is in danger |
| words joined a report | added; the same report again: joined; TL without words: awaiting_words |
| BELUM by the reporter; too late for that | disagreed; reopened_late: it is a report of its own |
| NILAI by the reporter | rated |
| photos, stickers or places without words, thanks and greetings that joined a report | none |
| reactions, edits, deletions, notices, STOP, redeliveries, what the channel lets us not answer | none |
| CEK | status |
| TL, CEK, BELUM, NILAI with an unknown number or another's; without one | unknown_number; number_needed |
| BANTUAN; a greeting without a report | help |
| an office's or officer's answer, question, status | officer_answer, question, status_changed: to the reporter |
| the status done | finished: to the reporter |
"""

from __future__ import annotations

from schemas import COURTESIES, REFERRING_KINDS, Action, Matched, Message, Owed

_ON_COMMAND = {"BELUM": "disagreed", "NILAI": "rated"}
_NUMBERED = frozenset({"TL", "CEK", "BELUM", "NILAI"})
Params = dict[str, str | tuple[str, ...]]


def plan_answer(matched: Matched) -> Owed | None:
    """What is owed to the sender of a message, or for an action to the reporter. None: nothing."""
    if matched.action is not None:
        return _to_reporter(matched.action) if matched.outcome == "added" else None
    message = matched.message
    if message is None or _is_silent(message):
        return None
    if matched.outcome == "added":
        return _on_addition(matched, message)
    if matched.outcome == "refused":
        return _on_refusal(message)
    if matched.outcome == "recorded":
        return _on_opening(matched, message)
    return Owed(template="status") if matched.outcome == "asked" else None


def _on_opening(matched: Matched, message: Message) -> Owed:
    opened = "emergency" if message.emergency else "number_given"
    if matched.missing:
        return Owed(template=opened, params={"missing": matched.missing})
    late = message.command == "BELUM" and any(m.kind == "same_report" for m in matched.matches)
    return Owed(template="reopened_late" if late else opened)


def _is_silent(message: Message) -> bool:
    refused = message.refusal is not None or not message.answerable
    return refused or message.kind == "system" or message.kind in REFERRING_KINDS


def _on_addition(matched: Matched, message: Message) -> Owed | None:
    if any(m.kind == "same_report" for m in matched.matches):
        return Owed(template="joined")
    if message.command in _ON_COMMAND:
        return Owed(template=_ON_COMMAND[message.command])
    if message.emergency:
        return Owed(template="emergency")
    if message.clean_text:
        return None if message.sort in COURTESIES else Owed(template="added")
    return Owed(template="awaiting_words") if message.command == "TL" and not message.attachments else None


def _on_refusal(message: Message) -> Owed | None:
    if message.command in _NUMBERED:
        return Owed(template="unknown_number" if message.number else "number_needed")
    if message.command == "BANTUAN" or message.sort == "greeting":
        return Owed(template="help")
    return None


def _to_reporter(action: Action) -> Owed | None:
    if action.what in {"answer", "question"} and action.text:
        template = "officer_answer" if action.what == "answer" else "question"
        return Owed(template=template, params=_by_office(action, {"text": action.text}))
    if action.what == "status" and action.status is not None and action.status != "unknown":
        words: Params = {"text": action.text} if action.text else {}
        if action.status == "done":
            return Owed(template="finished", params=_by_office(action, words))
        return Owed(template="status_changed", params={"status": action.status, **words})
    return None


def _by_office(action: Action, params: Params) -> Params:
    """With the office's name; an officer's own name is not shown."""
    name = action.office.name if action.office else action.actor.name if action.actor.kind == "office" else None
    return params | {"office": name} if name else params
