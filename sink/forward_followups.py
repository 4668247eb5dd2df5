"""What is said about a complaint later, queued for the systems in which it stands or will stand: the citizen's
additions, and what offices and officers say. It goes to every system but the one that it came from, whatever the
account wants today: regions, age and offices decide where a complaint goes, and one that stands there is followed to
its end. The words with which an office ends its part go as an answer to systems that cannot be told a status.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, get_args

from sqlalchemy import Connection

from schemas import REFERRING_KINDS, ForwardKind, Message, Office, Routed, Status
from sink.action_rules import OTHERS_GO_ON
from sink.actions import action_time
from sink.applied import AppliedAction
from sink.bulk import insert, query_in
from sink.completing import CompletedReport
from sink.forward_queue import (
    FOLLOWUP,
    Destination,
    Leaving,
    QueuedForwards,
    attachment_ids,
    came_from,
    job_id,
    later_forward,
)
from sink.instant import parse_instant
from sink.jobs import NewJob
from sink.rows import RowMaker, is_courtesy
from sink.tables import disclosures

OF_OFFICES: frozenset[ForwardKind] = frozenset({"answer", "question", "disposition", "status"})


class Later(NamedTuple):
    """Something that was said about a complaint."""

    complaint: str
    item: str
    """`RAW.INDEX` of what said it."""
    account: str
    channel: str
    what: ForwardKind
    at: datetime
    text: str = ""
    office: Office | None = None
    status: Status | None = None
    attachments: tuple[str, ...] = ()
    job_suffix: str = ""
    """Tells the job from that of the item's own words."""


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """What a batch changed in the record."""

    events: Sequence[Routed]
    applied: Sequence[AppliedAction]
    opened: Collection[str]
    """Complaints."""
    located: Mapping[str, set[str]]
    """By complaint: accounts in whose systems it was found to stand, which were not told of it before."""
    completed: Mapping[str, CompletedReport]
    """By complaint."""


def queue_followups(
    connection: Connection, make: RowMaker, batch: RecordedBatch, destinations: Sequence[Destination]
) -> list[NewJob]:
    """Queue what a batch says later about complaints that stand elsewhere, those that it opened included, and log what
    leaves; returns the jobs."""
    if not destinations:
        return []
    earlier = _earlier_than(connection, batch.opened)
    both = (*_later_of(batch.events, batch.applied), *earlier)  # of one batch, they are the same
    later: dict[tuple[str, str], Later] = {}
    for one in both:
        later.setdefault((one.complaint, one.item), one)
    missed = [one for one in _earlier_than(connection, batch.located) if (one.complaint, one.item) not in later]
    moved = [_of_completed(id, one) for id, one in batch.completed.items()]
    complaints = {one.complaint for one in (*later.values(), *missed, *moved)}
    about = {row.id: row for row in _about(connection, complaints)}
    known = accounts_by_complaint(connection, complaints, [to.account for to in destinations])
    queued = QueuedForwards()
    reached = [(one, known[one.complaint]) for one in (*later.values(), *moved)]
    for one, accounts in [*reached, *((one, batch.located[one.complaint]) for one in missed)]:
        for to in destinations if one.complaint in about else ():
            brought = _with_known_kind(to, one)
            if _goes(to, brought) and to.account in accounts:
                leaving = _leaving(to, brought, about[one.complaint])
                if to.steps(leaving.forward, {}):  # none: that system cannot be told this
                    queued.add(make, leaving)
    insert(connection, disclosures, queued.disclosures)
    return queued.jobs


def _goes(to: Destination, one: Later) -> bool:
    return one.what in to.takes and not came_from(to, one.account, one.channel)


def _with_known_kind(to: Destination, one: Later) -> Later:
    as_answer = one.what == "status" and "status" not in to.takes and one.text
    return one._replace(what="answer", status=None) if as_answer else one


def _later_of(batch: Iterable[Routed], applied: Iterable[AppliedAction]) -> list[Later]:
    """What a batch says about complaints that are recorded."""
    messages = ((event.matched.id, event.matched.message, event) for event in batch)
    found = [_of_message(id, message) for id, message, event in messages if id and message and _adds(event, message)]
    for one in applied:
        if one.effect.applied and one.case is not None and one.case.recorded:
            for complaint in (one.case.complaint, *one.effect.shared):  # an answer to one is an answer to its incident
                found += _of_action(complaint, one)
    return found


def _earlier_than(connection: Connection, opened: Collection[str]) -> list[Later]:
    """What was recorded about these complaints before they were themselves: events of one come in any order."""
    if not opened:
        return []
    return [*_earlier_messages(connection, opened), *_earlier_actions(connection, opened)]


def _adds(event: Routed, message: Message) -> bool:
    """Does the citizen add something that the office should see?"""
    matched = event.matched
    if matched.outcome != "added" or matched.stranger or message.kind in REFERRING_KINDS:
        return False
    again = any(match.kind == "same_report" for match in matched.matches)
    if is_courtesy(message) or (again and not message.attachments):
        return False
    return bool(message.clean_text or message.attachments)


def _of_message(complaint: str, message: Message) -> Later:
    files = attachment_ids(message.raw, message.item_index, len(message.attachments))
    return Later(
        complaint, message.event_id, message.account, message.channel, "supplement", message.received_at,
        message.clean_text, attachments=files,
    )  # fmt: skip


def _of_completed(complaint: str, completed: CompletedReport) -> Later:
    """It is with another office now, as after a disposition. The system that the report came from was never told of the
    office that rules chose."""
    report, by = completed.report, completed.by
    return Later(
        complaint, by.item, report.account, report.channel, "disposition", by.at, office=completed.office,
        job_suffix=".office",
    )  # fmt: skip


def _of_action(complaint: str, applied: AppliedAction) -> Iterator[Later]:
    action = applied.action
    what = _forward_kind(action.what, action.text, None if applied.effect.status_moved else applied.effect.reason)
    if what is None:
        return
    files = attachment_ids(action.raw, action.item_index, len(action.attachments))
    yield Later(
        complaint, action.event_id, action.account, action.channel, what, action_time(action),
        action.text, action.office, action.status if what == action.what else None, files,
    )  # fmt: skip


def _forward_kind(what: Any, text: str | None, reason: str | None) -> ForwardKind | None:
    """As what an applied action is told; `reason`: why the complaint did not get its status."""
    if what == "status" and reason is not None:
        return "answer" if reason == OTHERS_GO_ON and text else None
    return what if what in OF_OFFICES else None


def _leaving(to: Destination, one: Later, row: Any) -> Leaving:
    raw, _, index = one.item.rpartition(".")
    job = f"{FOLLOWUP}/{to.account}/{one.complaint}/{raw}.{int(index):04d}{one.job_suffix}"  # in order as text, too
    forward = later_forward(
        one.what, row.number, job, one.at, owner=row.owner, channel=one.channel, text=one.text, status=one.status,
        offices=[one.office] if one.office else [], anonymous=bool(row.anonymous), secret=bool(row.secret),
        attachments=one.attachments,
    )  # fmt: skip
    return Leaving(to, forward, one.complaint, row.owner, job, FOLLOWUP)


def _about(connection: Connection, complaints: Collection[str]) -> Iterator[Any]:
    sql = "SELECT id, number, owner, anonymous, secret FROM complaints WHERE id IN (*)"
    return query_in(connection, sql, complaints)


def accounts_by_complaint(
    connection: Connection, complaints: Collection[str], accounts: Sequence[str]
) -> Mapping[str, set[str]]:
    """By complaint, the accounts in whose systems it stands or will stand."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in query_in(connection, "SELECT complaint, account FROM forwarded WHERE complaint IN (*)", complaints):
        found[row.complaint].add(row.account)
    jobs = [job_id(account, complaint) for complaint in complaints for account in accounts]
    for row in query_in(connection, "SELECT complaint, account FROM jobs WHERE id IN (*)", jobs):
        found[row.complaint].add(row.account)
    return found


def _earlier_messages(connection: Connection, opened: Collection[str]) -> Iterator[Later]:
    sql = (
        "SELECT m.complaint, m.raw, m.item_index, m.account, m.channel, m.kind, m.text, m.cleaned, m.received_at, "
        "(SELECT count(a.id) FROM attachments a WHERE a.complaint = m.complaint AND a.raw = m.raw "
        "AND a.item_index = m.item_index) AS files "
        "FROM messages m JOIN outcomes o ON o.raw = m.raw AND o.item_index = m.item_index "
        "WHERE m.complaint IN (*) AND o.outcome = 'added' AND NOT m.stranger AND NOT m.courtesy"
    )
    for row in query_in(connection, sql, opened):
        text = (row.text if row.cleaned is None else row.cleaned).strip()
        if row.kind not in REFERRING_KINDS and (text or row.files):
            files = attachment_ids(row.raw, row.item_index, row.files)
            yield Later(
                row.complaint, f"{row.raw}.{row.item_index}", row.account, row.channel, "supplement",
                parse_instant(row.received_at), text, attachments=files,
            )  # fmt: skip


def _earlier_actions(connection: Connection, opened: Collection[str]) -> Iterator[Later]:
    sql = (
        "SELECT complaint, raw, item_index, account, channel, what, text, status, office_id, received_at, reason "
        "FROM actions WHERE complaint IN (*) AND applied"
    )
    for row in query_in(connection, sql, opened):
        if (what := _forward_kind(row.what, row.text, row.reason)) is not None:
            yield Later(
                row.complaint, f"{row.raw}.{row.item_index}", row.account, row.channel, what,
                parse_instant(row.received_at), row.text or "", Office(id=row.office_id) if row.office_id else None,
                row.status if what == row.what and row.status in get_args(Status) else None,
            )  # fmt: skip
