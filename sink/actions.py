"""Actions applied to the record: the states of the complaints are loaded, changed by `action_rules`, and written back,
all in the transaction that records the actions. What is not applied is recorded with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec.structs import replace
from sqlalchemy import Connection

from schemas import Action, Actor, Office, Routed
from sink.action_rules import ActionEffect, ComplaintState, OfficeState, TimelineEntry, apply_action
from sink.applied import AppliedAction
from sink.bulk import execute_each, insert, insert_all, lock_rows, query_in
from sink.incidents import keep_incident_ids, share_answers
from sink.rows import Row, RowMaker, attachment_rows
from sink.tables import actions, assignments, attachments, complaints, matches, outcomes, timeline
from sink.text import json_or_none, without_nul

_COLUMNS = ("office_name", "state", "since", "until", "by_kind", "by", "why")
_UPSERT = "ON CONFLICT (complaint, office_id) DO UPDATE SET " + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS)
_UPDATE_COMPLAINT = (
    "UPDATE complaints SET status = :status, status_said = :status_said, status_at = :status_at WHERE id = :id"
)
_TOUCH = (
    "UPDATE complaints SET touched_at = coalesce(touched_at, :touched_at), updated_at = CASE "
    "WHEN updated_at < :updated_at THEN :updated_at ELSE updated_at END WHERE id = :id"
)
_UNLINK = (
    "UPDATE matches SET undone_at = :undone_at, undone_by = :undone_by "
    "WHERE complaint = :complaint AND of = :of AND undone_at IS NULL"
)


class HandedOver(Protocol):
    """The office that gets a complaint, and why."""

    @property
    def office(self) -> Office: ...
    @property
    def why(self) -> str: ...


HandOver = Callable[[Sequence[tuple[str | None, str]], Action, Sequence[str]], HandedOver]
"""The next office, by the earlier handovers, the action that passes the complaint on, and the offices that have it
(`router/handover.py`)."""


def apply_actions(
    connection: Connection, make: RowMaker, routed: Sequence[Routed], hand_over: HandOver | None = None
) -> list[AppliedAction]:
    """Apply and record these actions, which are new to the record, in order."""
    both = [(event, event.matched.action) for event in routed if event.matched.action is not None]
    new = [(event, action) for event, action in both if event.matched.outcome != "redelivered"]
    if not new:
        return []
    cases = load_complaint_states(
        connection, {e.matched.id for e, _ in new if e.matched.id and e.matched.outcome == "added"}
    )
    numbers = _complaints_of(connection, {a.to for _, a in new if a.to})
    _load_links(connection, cases, numbers.values())
    applied = [_apply(make, event, action, (cases, numbers, hand_over)) for event, action in new]
    share_answers(connection, applied)
    _write(connection, make, applied, cases.values())
    return applied


def _apply(
    make: RowMaker,
    routed: Routed,
    action: Action,
    known: tuple[Mapping[str, ComplaintState], Mapping[str, str], HandOver | None],
) -> AppliedAction:
    cases, numbers, hand_over = known
    case = cases.get(routed.matched.id or "")
    if case is None:
        return AppliedAction(routed, action, None, ActionEffect(reason=routed.matched.reason))
    at = action_time(action)  # a source's clock that is ahead would hold up all later statuses
    handed = hand_over(case.passed, action, case.holders) if hand_over and action.what == "disposition" else None
    acting = _for_its_holder(action, case)
    if handed is not None:
        action, acting = replace(action, office=handed.office), replace(acting, office=handed.office)
    effect = apply_action(acting, case, numbers.get(action.to or ""), make.at(at))
    if handed is not None and handed.office.id in case.changed:
        case.offices[handed.office.id].why = handed.why
    if hand_over is not None and action.reopens and effect.status_moved and not case.holders:
        effect.steps += _give_up(case, action, hand_over, make.at(at))
    return AppliedAction(routed, action, case, effect)


def _for_its_holder(action: Action, case: ComplaintState) -> Action:
    """An officer without an office who names none passes it on for the office that has it."""
    if action.what != "disposition" or action.office is not None or action.actor.kind == "office" or not case.holders:
        return action
    return replace(action, actor=Actor(kind="office", id=case.holders[-1]))


def _give_up(case: ComplaintState, action: Action, hand_over: HandOver, at: Any) -> list[TimelineEntry]:
    """A reopened complaint that its offices refused goes to the coordinator above the last one, and to none of them."""
    refused = sorted((had.until, office) for office, had in case.offices.items() if had.state == "returned")
    if not refused:
        return []
    last = refused[-1][1]
    history = [*case.passed, *((last, office) for _, office in refused)]
    handed = hand_over(history, replace(action, office=None, actor=Actor(kind="office", id=last)), ())
    office = handed.office
    case.offices[office.id] = OfficeState(office.name, "assigned", "system", None, at, why=handed.why)
    case.changed.add(office.id)
    return [TimelineEntry(case.complaint, "disposition", office.name or office.id)]


def action_time(action: Any) -> Any:
    """When an action, or its row, was done: by the source's clock, at the latest when it was received."""
    return min(action.observed_at or action.received_at, action.received_at)


def load_complaint_states(connection: Connection, ids: Iterable[str]) -> dict[str, ComplaintState]:
    """The complaints' states, locked; for one that is not recorded yet, what earlier actions made of it."""
    wanted = sorted(set(ids))
    lock_rows(connection, complaints, "id", wanted)
    sql = "SELECT id, status, status_said, status_at FROM complaints WHERE id IN (*)"
    cases = {row[0]: ComplaintState(row[0], True, *row[1:]) for row in query_in(connection, sql, wanted)}
    missing = [id for id in wanted if id not in cases]
    cases |= {id: ComplaintState(id, recorded=False) for id in missing}
    for row in earlier_actions(connection, missing):
        if row.status is not None and row.reason is None:
            case, at = cases[row.complaint], action_time(row)
            case.status, case.status_said, case.status_at = row.status, row.status_said, at
    _load_offices(connection, cases)
    return cases


def earlier_actions(connection: Connection, ids: Iterable[str]) -> list[Any]:
    """Applied actions of these complaints in the order in which they were applied."""
    sql = (
        "SELECT complaint, status, status_said, reason, observed_at, received_at, owed, owner, raw, item_index "
        "FROM actions WHERE complaint IN (*) AND applied"
    )
    return sorted(query_in(connection, sql, ids), key=lambda row: (row.received_at, row.raw, row.item_index))


def _load_offices(connection: Connection, cases: Mapping[str, ComplaintState]) -> None:
    sql = (
        "SELECT complaint, office_id, office_name, state, by_kind, by, since, until, why FROM assignments "
        "WHERE complaint IN (*)"
    )
    for complaint, office, *state in query_in(connection, sql, cases):
        cases[complaint].offices[office] = OfficeState(*state)
    sql = (
        "SELECT complaint, actor_kind, actor_id, office_id, received_at, raw, item_index FROM actions "
        "WHERE complaint IN (*) AND what = 'disposition' AND applied"
    )
    for row in sorted(query_in(connection, sql, cases), key=lambda row: tuple(row)[4:]):
        by = row.actor_id if row.actor_kind == "office" else None
        cases[row.complaint].passed.append((by, row.office_id))


def _load_links(connection: Connection, cases: Mapping[str, ComplaintState], others: Collection[str]) -> None:
    """Those with the complaints that the actions name; a link may stand with one of the two alone."""
    sql = "SELECT complaint, of, kind, score FROM matches WHERE complaint IN (*) AND undone_at IS NULL"
    for complaint, of, kind, score in query_in(connection, sql, {*cases, *others} if others else ()):
        for case, other in ((cases.get(complaint), of), (cases.get(of), complaint)):
            if case is not None:
                case.links.setdefault(other, set()).update({kind} if score >= 1 else ())


def _complaints_of(connection: Connection, numbers: Iterable[str]) -> dict[str, str]:
    sql = "SELECT number, complaint FROM numbers WHERE number IN (*)"
    return dict(tuple(row) for row in query_in(connection, sql, numbers))


def _write(
    connection: Connection, make: RowMaker, applied: Sequence[AppliedAction], cases: Iterable[ComplaintState]
) -> None:
    owners = _owners(connection, applied)
    insert_all(
        connection,
        (actions, [_action_row(make, one) for one in applied], ""),
        (timeline, [row for one in applied for row in _steps(make, one, owners)], ""),
        (matches, [row for one in applied for row in _link_rows(one)], ""),
        (attachments, [row for one in applied for row in _files(make, one)], "ON CONFLICT DO NOTHING"),
    )
    changed = [case for case in cases if case.changed]
    offices = [row for case in changed for row in _office_rows(case, owners)]
    insert(connection, assignments, sorted(offices, key=lambda row: (row["complaint"], row["office_id"])), _UPSERT)
    statuses = [
        {"id": c.complaint, "status": c.status, "status_said": c.status_said, "status_at": c.status_at}
        for c in changed if c.recorded and "status" in c.changed
    ]  # fmt: skip
    execute_each(connection, complaints, _UPDATE_COMPLAINT, statuses)
    execute_each(connection, complaints, _TOUCH, _touched(make, applied))
    _unlink(connection, make, applied)
    keep_incident_ids(connection, applied)
    _refuse(connection, applied)


def _owners(connection: Connection, applied: Sequence[AppliedAction]) -> dict[str, str]:
    """Of each complaint that the actions change; of one that is not recorded yet, the action's own."""
    given = {step.complaint: one.action.owner for one in applied for step in one.effect.steps}
    given |= {one.case.complaint: one.action.owner for one in applied if one.case is not None}
    sql = "SELECT id, owner FROM complaints WHERE id IN (*)"
    return given | dict(tuple(row) for row in query_in(connection, sql, given))


def _action_row(make: RowMaker, one: AppliedAction) -> Row:
    action, case, effect = one.action, one.case, one.effect
    waits = case is not None and not case.recorded
    return {
        "raw": action.raw, "item_index": action.item_index, "key": make.vault.message_key(action.id),
        "complaint": one.routed.matched.id, "owner": action.owner, "channel": action.channel,
        "account": action.account, "what": action.what, "what_word": action.what_word,
        "actor_kind": action.actor.kind, "actor_id": action.actor.id, "actor_name": action.actor.name,
        "text": without_nul(action.text) or None, "status": action.status, "status_said": action.status_said,
        "office_id": action.office and action.office.id,
        "to_complaint": (effect.link and effect.link[1]) or effect.unlink,
        "observed_at": None if action.observed_at is None else make.at(action.observed_at),
        "received_at": make.at(action.received_at), "applied": effect.applied, "reason": effect.reason,
        "owed": json_or_none(one.owed) if waits else None,
    }  # fmt: skip


def _steps(make: RowMaker, one: AppliedAction, owners: Mapping[str, str]) -> list[Row]:
    action = one.action
    return [{
        "complaint": step.complaint, "owner": owners[step.complaint], "at": make.at(action_time(action)),
        "what": step.what,
        "actor_kind": action.actor.kind, "actor": action.actor.name or action.actor.id,
        "by": without_nul(action.actor.person) if action.actor.person else None, "why": step.why,
        "raw": action.raw, "item_index": action.item_index,
    } for step in one.effect.steps]  # fmt: skip


def _link_rows(one: AppliedAction) -> list[Row]:
    """A link stands with both complaints."""
    if one.effect.link is None:
        return []
    kind, other = one.effect.link
    this = one.routed.matched.id
    return [{
        "complaint": complaint, "owner": one.action.owner, "raw": one.action.raw,
        "item_index": one.action.item_index, "kind": kind, "of": of, "score": 1.0,
        "evidence": f"{one.action.what} by {_actor(one.action)}", "matcher": "",
    } for complaint, of in ((this, other), (other, this))]  # fmt: skip


def _files(make: RowMaker, one: AppliedAction) -> list[Row]:
    return attachment_rows(make, one.routed.matched.id, one.action) if one.case is not None else []


def _office_rows(case: ComplaintState, owners: Mapping[str, str]) -> list[Row]:
    return [{
        "complaint": case.complaint, "owner": owners[case.complaint], "office_id": office,
        "office_name": had.name, "state": had.state, "rule": None, "why": had.why, "since": had.since,
        "until": had.until, "by_kind": had.by_kind, "by": had.by,
    } for office, had in case.offices.items() if office in case.changed]  # fmt: skip


def _touched(make: RowMaker, applied: Sequence[AppliedAction]) -> list[Row]:
    times: dict[str, list[Any]] = defaultdict(list)
    for one in applied:
        if one.effect.applied and one.case is not None and one.case.recorded:
            times[one.case.complaint].append(make.at(one.action.received_at))
    return [{"id": id, "touched_at": min(at), "updated_at": max(at)} for id, at in times.items()]


def _unlink(connection: Connection, make: RowMaker, applied: Sequence[AppliedAction]) -> None:
    pairs = {
        (one.routed.matched.id, one.effect.unlink): {"undone_at": make.at(action_time(one.action)),
                                                     "undone_by": _actor(one.action)}
        for one in applied if one.effect.unlink is not None
    }  # fmt: skip
    both = {pair: row for (a, b), row in pairs.items() for pair in ((a, b), (b, a))}
    rows = [{"complaint": a, "of": b, **row} for (a, b), row in both.items()]
    execute_each(connection, matches, _UNLINK, rows)


def _refuse(connection: Connection, applied: Sequence[AppliedAction]) -> None:
    """An action that changed nothing is refused, though the matcher found its complaint."""
    sql = "UPDATE outcomes SET outcome = :outcome, reason = :reason WHERE raw = :raw AND item_index = :item_index"
    rows = [
        {"raw": one.action.raw, "item_index": one.action.item_index, "outcome": "refused",
         "reason": one.effect.reason}
        for one in applied
        if one.case is not None and not one.effect.applied and one.routed.matched.message is None
    ]  # fmt: skip
    execute_each(connection, outcomes, sql, rows)


def _actor(action: Action) -> str:
    return action.actor.name or action.actor.id or action.actor.kind
