"""What a citizen adds to a report that lacked its words or its place completes it: what the report does not have yet
(place, category, class, office) is taken from the addition, and the offices are chosen anew with all that is known.
Only until an officer or an office has acted on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from schemas import REFERRING_KINDS, Assignment, Message, Place, Routed
from sink.action_rules import OPEN_ASSIGNMENTS, PASSED_ON
from sink.bulk import execute_each, insert, lock_rows, query_in, update_by_id
from sink.complaint_queries import group_by_complaint
from sink.offices_routed import opening_messages
from sink.rows import Row, RowMaker
from sink.tables import assignments, complaints, messages
from sink.text import json_or_none

ChooseOffices = Callable[[Sequence[Message]], Sequence[Sequence[Assignment]]]
"""The offices of each of these reports (`router/decide.py`)."""

COMPLETED = ("place", "category", "report_class", "office")
"""Fields of a message that an addition may give to the report."""
_LACKING = "SELECT id FROM complaints WHERE id IN (*) AND missing IS NOT NULL AND touched_at IS NULL"
_AGAIN = "ON CONFLICT (complaint, office_id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in ("state", "rule", "why", "since", "until")
)
_LEAVE = "UPDATE assignments SET state = :state, until = :until WHERE complaint = :complaint AND office_id = :office_id"


def complete_reports(
    connection: Connection, make: RowMaker, events: Iterable[Routed], choose: ChooseOffices
) -> dict[str, Message]:
    """Complete the reports that these recorded events add to. Returns those whose offices were chosen anew, by
    complaint: the report as it is now, with the words of the additions."""
    added = _additions(events)
    ids = {row.id for row in query_in(connection, _LACKING, added)}
    if not ids:
        return {}
    lock_rows(connection, complaints, "id", sorted(ids))
    found = opening_messages(connection, complaints.c.id.in_(ids) & complaints.c.touched_at.is_(None))
    completed = {row.id: (row, message, _with_fields(message, added[row.id])) for row, message in found}
    changed = {id: one for id, one in completed.items() if one[2] != one[1]}
    update_by_id(connection, complaints, [_columns(make, *one) for one in changed.values()])
    reports = _with_words(connection, {id: message for id, (_, _, message) in changed.items()})
    moved = _assign(connection, make, reports, choose)
    return {id: reports[id] for id in moved}


def _additions(events: Iterable[Routed]) -> dict[str, list[Message]]:
    """What reporters added in this batch, by complaint, in order."""
    found: dict[str, list[Message]] = defaultdict(list)
    for event in events:
        matched, message = event.matched, event.matched.message
        if message is None or matched.id is None or matched.outcome != "added" or matched.stranger:
            continue
        if message.kind not in REFERRING_KINDS and message.command in {None, "TL"}:
            found[matched.id].append(message)
    return found


def _with_fields(message: Message, added: Iterable[Message]) -> Message:
    """The report with the fields that its reporter added."""
    for one in added:
        message = replace(
            message,
            place=_better_place(message.place, one.place),
            category=message.category or one.category,
            report_class=one.report_class if message.report_class == "unknown" else message.report_class,
            office=message.office or one.office,
        )
    return message


def _with_words(connection: Connection, reports: Mapping[str, Message]) -> dict[str, Message]:
    """The reports with all that their reporters have said so far."""
    m = messages.c
    said = m.complaint.in_(reports), m.stranger.is_(False), m.kind.not_in(REFERRING_KINDS)
    query = select(m.complaint, m.text, m.cleaned).where(*said).order_by(m.received_at, m.raw, m.item_index)
    rows = group_by_complaint(connection.execute(query)) if reports else {}
    return {
        id: replace(
            report,
            text="\n".join(row.text for row in rows[id]).strip(),
            cleaned="\n".join(row.text if row.cleaned is None else row.cleaned for row in rows[id]).strip(),
        )
        for id, report in reports.items()
    }


def _better_place(known: Place | None, added: Place | None) -> Place | None:
    """The first that is more than whose door it was."""
    if known is None or added is None:
        return known or added
    return added if known.source == "owner" != added.source else known


def _columns(make: RowMaker, row: Any, before: Message, after: Message) -> Row:
    known = msgspec.json.decode(row.completed, type=list[str]) if row.completed else []
    new = {name for name in COMPLETED if getattr(before, name) != getattr(after, name)}
    return {"id": row.id, **make.completed_columns(after), "completed": json_or_none(sorted({*known, *new}))}


def _assign(
    connection: Connection, make: RowMaker, reports: Mapping[str, Message], choose: ChooseOffices
) -> Collection[str]:
    """Give the reports to the offices that they belong to now; ids of those for which these are others."""
    chosen = dict(zip(reports, choose(list(reports.values())), strict=True))
    held: dict[str, set[str]] = defaultdict(set)
    columns = (assignments.c.complaint, assignments.c.office_id)
    open_ = assignments.c.complaint.in_(reports), assignments.c.state.in_(OPEN_ASSIGNMENTS)
    for complaint, office in connection.execute(select(*columns).where(*open_)):
        held[complaint].add(office)
    moved = {id: given for id, given in chosen.items() if {a.office.id for a in given} != held[id]}
    left = [
        {"complaint": id, "office_id": office, "state": PASSED_ON, "until": make.now}
        for id, given in moved.items() for office in sorted(held[id] - {a.office.id for a in given})
    ]  # fmt: skip
    execute_each(connection, assignments, _LEAVE, left)
    new = [
        {**make.assignment(one, id, reports[id].owner), "until": None}
        for id, given in moved.items() for one in given if one.office.id not in held[id]
    ]  # fmt: skip
    insert(connection, assignments, sorted(new, key=lambda row: (row["complaint"], row["office_id"])), _AGAIN)
    return moved.keys()
