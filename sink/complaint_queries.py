"""What hangs on complaints: their messages, replies, timeline, and the office that has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, select

from sink.action_rules import OPEN_ASSIGNMENTS
from sink.tables import actions, assignments, messages, outbox, timeline

WORDS = ("answer", "question", "note")
"""Steps of the timeline whose words stand in `actions`."""
Rows = dict[str, list[Row[Any]]]


class TimelineLine(NamedTuple):
    """A line of a complaint's timeline."""

    at: datetime
    what: str
    who: str
    """The actor's name, else the kind of actor."""
    why: str | None
    """The reason, or the words of an answer, a question or a note."""
    actor_kind: str
    by: str | None = None
    """The person who acted for an office: for its staff and for auditors, never for citizens or other systems."""


def group_by_complaint(rows: Iterable[Row[Any]]) -> Rows:
    """The rows, which have a column `complaint`, grouped by it."""
    found: Rows = defaultdict(list)
    for row in rows:
        found[row.complaint].append(row)
    return found


def messages_of(connection: Connection, complaints: Collection[str]) -> Rows:
    """Messages in the order of their receipt; a stranger's adds no words to a complaint, and is left out."""
    query = select(messages).where(messages.c.complaint.in_(complaints), messages.c.stranger.is_(False))
    order = (messages.c.received_at, messages.c.raw, messages.c.item_index)
    return group_by_complaint(connection.execute(query.order_by(*order)))


def replies_of(connection: Connection, complaints: Collection[str]) -> Rows:
    """Replies whose text is known: they were sent, or may have been."""
    query = select(outbox).where(outbox.c.complaint.in_(complaints), outbox.c.text.is_not(None))
    return group_by_complaint(connection.execute(query.order_by(outbox.c.created_at, outbox.c.id)))


def timelines_of(connection: Connection, complaints: Collection[str]) -> dict[str, list[TimelineLine]]:
    """The timelines in order: what happened, and to which offices rules passed the complaints."""
    steps: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in connection.execute(_steps(complaints)):
        why = row.text if row.what in WORDS else row.why
        step = TimelineLine(row.at, row.what, row.actor or row.actor_kind, why, row.actor_kind, row.by)
        steps[row.complaint].append((row.at, 1, row.seq, step))
    for row in connection.execute(_routed(complaints)):
        step = TimelineLine(row.since, "routed", row.by_kind, row.why or row.rule, row.by_kind)
        steps[row.complaint].append((row.since, 0, row.seq, step))
    ordered = {complaint: sorted(lines, key=itemgetter(0, 1, 2)) for complaint, lines in steps.items()}
    return {complaint: [line[-1] for line in lines] for complaint, lines in ordered.items()}


def _steps(complaints: Collection[str]) -> Select[Any]:
    action = and_(actions.c.raw == timeline.c.raw, actions.c.item_index == timeline.c.item_index)
    query = select(timeline, actions.c.text).outerjoin(actions, action)
    return query.where(timeline.c.complaint.in_(complaints))


def _routed(complaints: Collection[str]) -> Select[Any]:
    return select(assignments).where(assignments.c.complaint.in_(complaints), assignments.c.by_kind == "router")


def current_offices(connection: Connection, complaints: Collection[str]) -> dict[str, Row[Any]]:
    """The assignment that is shown as a complaint's office: the latest open one, else the latest of all."""
    query = select(assignments).where(assignments.c.complaint.in_(complaints))
    found = group_by_complaint(connection.execute(query))
    return {c: max(rows, key=lambda r: (r.state in OPEN_ASSIGNMENTS, r.since, r.seq)) for c, rows in found.items()}
