"""What an action does to a complaint. Pure: it changes the `ComplaintState` in hand and returns what has to be written.

The monotone rule: a status moves forward only (unverified, verified, in progress, closed; what is done may still be
archived), by the source's own time; back, or from one end to another, only where the action states that it reopens the
complaint. An action that comes late, twice or in the wrong order leaves the complaint as it is; its reason says why.

Where several offices have a complaint, it is closed when the last of them is: as done, where one of them was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas import CLOSED_STATUSES, Action

RANK: Mapping[str, int] = {
    "unverified": 0, "verified": 1, "in_progress": 2, "done": 3, "archived": 3, "rejected": 3,
}  # fmt: skip
_AFTER: Mapping[str, frozenset[str]] = {
    "done": frozenset({"archived"}), "archived": frozenset(), "rejected": frozenset(),
}  # fmt: skip
"""What a closed complaint may still become without being reopened."""
_OFFICE_STATE: Mapping[str, str] = {
    "verified": "assigned", "in_progress": "in_progress", "done": "done", "archived": "archived",
    "rejected": "returned",
}  # fmt: skip
PASSED_ON = "passed_on"
OPEN_ASSIGNMENTS = frozenset({"assigned", "in_progress"})
OTHERS_GO_ON = "another_office_works_on_it"
_ENDED = frozenset({"done", "archived"})


@dataclass(slots=True)
class OfficeState:
    """An office's assignment, as far as actions change it. Instants are as the driver takes them."""

    name: str | None
    state: str
    by_kind: str
    by: str | None
    since: Any
    until: Any = None
    why: str | None = None
    """The explanation for people."""


@dataclass(slots=True)
class ComplaintState:
    """A complaint, as far as actions change it."""

    complaint: str
    recorded: bool = True
    """False: its opening message is not in the record yet."""
    status: str = "unverified"
    status_said: str | None = None
    status_at: Any = None
    offices: dict[str, OfficeState] = field(default_factory=dict)
    passed: list[tuple[str | None, str]] = field(default_factory=list)
    """Earlier handovers: the office that passed it on, if it was one, and the one that got it."""
    links: dict[str, set[str]] = field(default_factory=dict)
    """The complaints with which it is linked, and the kinds of links of which nobody doubts."""
    changed: set[str] = field(default_factory=set)
    """Ids of the offices whose assignment changed; "status" where the status did."""

    @property
    def holders(self) -> list[str]:
        """The offices that have it, the one that got it last at the end."""
        open_ = [(had.since, office) for office, had in self.offices.items() if had.state in OPEN_ASSIGNMENTS]
        return [office for _, office in sorted(open_)]


class TimelineEntry(NamedTuple):
    """A line of a complaint's timeline."""

    complaint: str
    what: str
    why: str | None = None


@dataclass(slots=True)
class ActionEffect:
    """What one action did."""

    steps: list[TimelineEntry] = field(default_factory=list)
    reason: str | None = None
    """Why it, or its status, was not applied."""
    applied: bool = False
    status_moved: bool = False
    part: bool = False
    """One of several offices has ended its part: its words are an answer, and the complaint goes on."""
    link: tuple[str, str] | None = None
    """Match kind and the other complaint."""
    unlink: str | None = None
    """The other complaint, whose matches with this one are undone."""
    shared: tuple[str, ...] = ()
    """Complaints about the same incident, whose reporters get the answer too."""


def apply_action(action: Action, case: ComplaintState, other: str | None, at: Any) -> ActionEffect:
    """Apply the action at its own time `at`; `other` is the complaint that `action.to` names, where it is known."""
    effect = ActionEffect()
    rule = _RULES.get(action.what)
    if rule is None:
        effect.reason = "unknown_action"
        return effect
    rule(action, case, other, at, effect)
    if action.status is not None:
        _apply_status(action, case, at, effect)
    effect.applied = bool(effect.steps)
    if not effect.applied and effect.reason is None:
        effect.reason = "nothing_to_apply"
    return effect


def _put_words(action: Action, case: ComplaintState, other: str | None, at: Any, effect: ActionEffect) -> None:
    if action.text or action.attachments:
        effect.steps.append(TimelineEntry(case.complaint, action.what))


def _leave_to_status(action: Action, case: ComplaintState, other: str | None, at: Any, effect: ActionEffect) -> None:
    """`status` holds nothing else; words that come with it are the source's explanation."""
    if action.status is None:
        effect.reason = "no_status"


def _pass_on(action: Action, case: ComplaintState, other: str | None, at: Any, effect: ActionEffect) -> None:
    """The office gets the complaint. It leaves the office that passed it on, and those that rules chose and that have
    not begun: a person's choice comes before a rule's."""
    if action.office is None:
        effect.reason = "no_office"
        return
    to = action.office.id
    if case.status in CLOSED_STATUSES:
        _tell_of_pass(action, case, at, effect)
        return
    acting = action.actor.id if action.actor.kind == "office" else None
    moves = False
    for office, had in case.offices.items():
        begun = had.by_kind != "router" or had.state != "assigned"
        if office != to and had.state in OPEN_ASSIGNMENTS and (office == acting or not begun):
            had.state, had.until, moves = PASSED_ON, at, True
            case.changed.add(office)
    known = case.offices.get(to)
    if known is None or known.state not in OPEN_ASSIGNMENTS:
        moves = True
        case.offices[to] = OfficeState(action.office.name, "assigned", action.actor.kind, action.actor.id, at)
        case.changed.add(to)
    if not moves:
        effect.reason = "office_has_it"
        return
    case.passed.append((acting, to))
    effect.steps.append(TimelineEntry(case.complaint, "disposition", action.office.name or to))


def _tell_of_pass(action: Action, case: ComplaintState, at: Any, effect: ActionEffect) -> None:
    """A closed complaint is with nobody: what was passed on before its end and comes late is history, and no more."""
    if action.office is None or case.status_at is None or at >= case.status_at:
        effect.reason = "closed"
        return
    effect.steps.append(TimelineEntry(case.complaint, "disposition", action.office.name or action.office.id))


def _link(action: Action, case: ComplaintState, other: str | None, at: Any, effect: ActionEffect) -> None:
    if other is None or other == case.complaint:
        effect.reason = "no_other_complaint"
        return
    kind = "same_report" if action.what == "join" else "same_incident"
    if kind in case.links.get(other, ()):
        effect.reason = "linked_already"
        return
    case.links.setdefault(other, set()).add(kind)
    effect.link = (kind, other)
    effect.steps += [TimelineEntry(case.complaint, action.what), TimelineEntry(other, action.what)]


def _undo(action: Action, case: ComplaintState, other: str | None, at: Any, effect: ActionEffect) -> None:
    if other is None or other == case.complaint:
        effect.reason = "no_other_complaint"
        return
    if case.recorded and other not in case.links:
        effect.reason = "not_linked"
        return
    case.links.pop(other, None)
    effect.unlink = other
    effect.steps += [TimelineEntry(case.complaint, "undo"), TimelineEntry(other, "undo")]


_Rule = Callable[[Action, ComplaintState, str | None, Any, ActionEffect], None]
_RULES: Mapping[str, _Rule] = {
    "answer": _put_words, "question": _put_words, "note": _put_words, "status": _leave_to_status,
    "disposition": _pass_on, "join": _link, "link": _link, "undo": _undo,
}  # fmt: skip


def _apply_status(action: Action, case: ComplaintState, at: Any, effect: ActionEffect) -> None:
    status = _end_of_all(action, case, str(action.status))
    effect.reason = _why_not(action, case, status, at)
    own = not _goes_back(action, case, status) and _move_office(action, case, str(action.status), at)
    if effect.reason is None:
        case.status, case.status_said, case.status_at = status, action.status_said, at
        case.changed.add("status")
        effect.status_moved = True
        if action.reopens and status not in CLOSED_STATUSES:
            _give_back(case)
    effect.part = own and effect.reason == OTHERS_GO_ON
    if own or effect.status_moved:
        words = action.text if action.what == "status" else ""
        moved = status if effect.status_moved else action.status
        effect.steps.append(TimelineEntry(case.complaint, f"status_{moved}", action.status_said or words or None))


def _end_of_all(action: Action, case: ComplaintState, status: str) -> str:
    """The status that the complaint gets: an office that refuses its part does not undo what another has done."""
    others = {had.state for office, had in case.offices.items() if not _acts(action, office)}
    is_last = status == "rejected" and not _others_work_on(action, case) and case.status not in CLOSED_STATUSES
    return "done" if is_last and "done" in others and _acts(action, *case.offices) else status


def _acts(action: Action, *offices: str) -> bool:
    return action.office is not None and action.office.id in offices


def _move_office(action: Action, case: ComplaintState, status: str, at: Any) -> bool:
    """The acting office's own state; whether it changed."""
    office = action.office.id if action.office is not None else None
    own = case.offices.get(office or "")
    state = _OFFICE_STATE.get(status)
    if office is None or own is None or state is None or own.state in {state, PASSED_ON} or at < own.since:
        return False
    own.state, own.until = state, None if state in OPEN_ASSIGNMENTS else at
    case.changed.add(office)
    return True


def _why_not(action: Action, case: ComplaintState, status: str, at: Any) -> str | None:
    """Why the complaint's status does not move. None: it does."""
    faults = (
        (status not in RANK, "status_unknown"),
        (not action.reopens and _has_passed_on(action, case), PASSED_ON),
        (action.actor.kind == "citizen" and case.status not in CLOSED_STATUSES, "not_closed"),
        (case.status_at is not None and at < case.status_at, "older_than_the_current_status"),
        (status == case.status, "status_is_current"),
        (_goes_back(action, case, status), "status_would_move_back"),
        (status in CLOSED_STATUSES and _others_work_on(action, case), OTHERS_GO_ON),
    )
    return next((reason for wrong, reason in faults if wrong), None)


def _has_passed_on(action: Action, case: ComplaintState) -> bool:
    """Whether the acting office passed it on and another has it: it is no longer its to begin or to end."""
    own = case.offices.get(action.office.id) if action.office is not None else None
    return own is not None and own.state == PASSED_ON and bool(case.holders)


def _goes_back(action: Action, case: ComplaintState, status: str) -> bool:
    """Whether the complaint is further than that, or has ended otherwise, and the action does not state that it reopens
    it."""
    if action.reopens or status == case.status:
        return False
    if status in CLOSED_STATUSES and case.status in CLOSED_STATUSES:
        return status not in _AFTER[case.status]
    return RANK.get(status, 0) < RANK.get(case.status, 0)


def _give_back(case: ComplaintState) -> None:
    """A reopened complaint is again with the office that was done with it last, unless one has it still."""
    if any(had.state in OPEN_ASSIGNMENTS for had in case.offices.values()):
        return
    done = [(had.until, office) for office, had in case.offices.items() if had.state in _ENDED]
    if done:
        office = max(done)[1]
        case.offices[office].state, case.offices[office].until = "in_progress", None
        case.changed.add(office)


def _others_work_on(action: Action, case: ComplaintState) -> bool:
    """Whether one of several assigned offices is done while others are not."""
    if not _acts(action, *case.offices):
        return False
    return any(had.state in OPEN_ASSIGNMENTS for office, had in case.offices.items() if not _acts(action, office))
