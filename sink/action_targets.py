"""A report as those see it who act on it: whose it is, and which offices have it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from sink.complaint_queries import current_offices
from sink.record import Record
from sink.tables import assignments, complaints


class ActionTarget(NamedTuple):
    """A report on which somebody acts."""

    complaint: str
    number: str
    owner: str
    status: str
    office: str | None
    """Id of the office that has it."""
    office_name: str | None
    offices: frozenset[str]
    """Ids of all that have or had it."""


def action_target(record: Record, number: str) -> ActionTarget | None:
    """The report of that number; None: there is none. Raises Retry."""
    query = select(complaints.c.id, complaints.c.number, complaints.c.owner, complaints.c.status)
    with record.read() as connection:
        row = connection.execute(query.where(complaints.c.number == number)).one_or_none()
        if row is None:
            return None
        current = current_offices(connection, [row.id]).get(row.id)
        had = select(assignments.c.office_id).where(assignments.c.complaint == row.id)
        offices = frozenset(connection.execute(had).scalars())
    name = current.office_name if current is not None else None
    return ActionTarget(*row, current.office_id if current is not None else None, name, offices)
