"""What belongs to a complaint, by its messages; a stranger who only asked for its status adds no words to it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, Table, and_, select

from sink.tables import messages, timeline


def of_messages(table: Table, complaints: Collection[str]) -> Select[Any]:
    """Rows of `table` for the messages of these complaints, which stand in the column `about`."""
    query = select(table, messages.c.complaint.label("about"))
    if table is not messages:
        query = query.join(messages, and_(messages.c.raw == table.c.raw, messages.c.idx == table.c.idx))
    return query.where(messages.c.complaint.in_(complaints), messages.c.stranger.is_(False))


def steps_of(complaints: Collection[str]) -> Select[Any]:
    """The timeline of these complaints in order, with what strangers asked."""
    joined = and_(messages.c.raw == timeline.c.raw, messages.c.idx == timeline.c.idx)
    query = select(timeline, messages.c.complaint.label("about")).join(messages, joined)
    order = (timeline.c.at, timeline.c.raw, timeline.c.idx, timeline.c.step)
    return query.where(messages.c.complaint.in_(complaints)).order_by(*order)
