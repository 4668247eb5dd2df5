"""Recorded complaints as the router sees them, and what officers made of its choice: to try rules on.

Pages are transactions of their own: a long trial holds no log back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from schemas import Category, Message, Office
from sink.additions import Said, said_so_far
from sink.readings import place_of
from sink.record import Record
from sink.tables import assignments, complaints, messages

PAGE = 500
_HAS = frozenset({"assigned", "in_progress", "done"})
_BEGUN = frozenset({"in_progress", "done"})
_OPENED = and_(messages.c.raw == complaints.c.raw, messages.c.item_index == complaints.c.item_index)
_WITH_OPENING = select(complaints, messages.c.text, messages.c.cleaned).join(messages, _OPENED)


class RecordedReport(NamedTuple):
    """A complaint's opening message with what the record holds of its reading."""

    number: str
    message: Message
    settled: frozenset[str]
    """Ids of the offices that have it by an officer's word, or that took up what the router gave them. Empty: nobody
    judged yet."""


def recorded_reports(record: Record, since: datetime) -> Iterator[list[RecordedReport]]:
    """Complaints received at or after `since`, the oldest first, page by page. Raises Retry."""
    last: tuple[datetime, str] | None = None
    while True:
        with record.read() as connection:
            page = _page(connection, since, last)
            settled = _settled(connection, [row.id for row in page])
            said = said_so_far(connection, [row.id for row in page if row.missing or row.completed])
        if page:
            both = ((row, with_words(_message(row), said.get(row.id))) for row in page)
            yield [RecordedReport(row.number, message, settled.get(row.id, frozenset())) for row, message in both]
        if len(page) < PAGE:
            return
        last = page[-1].received_at, page[-1].id


def opening_messages(connection: Connection, which: ColumnElement[bool]) -> list[tuple[Row[Any], Message]]:
    """Complaints, each with its opening message as the router sees it."""
    return [(row, _message(row)) for row in connection.execute(_WITH_OPENING.where(which))]


def with_words(report: Message, said: Said | None) -> Message:
    """With all that its reporter has said so far, as its offices were chosen by."""
    return report if said is None else replace(report, text=said.text, cleaned=said.cleaned)


def _page(connection: Connection, since: datetime, last: tuple[datetime, str] | None) -> Sequence[Row[Any]]:
    at, id = complaints.c.received_at, complaints.c.id
    query = _WITH_OPENING.order_by(at, id).limit(PAGE)
    if last is None:
        return connection.execute(query.where(at >= since)).all()
    return connection.execute(query.where(or_(at > last[0], and_(at == last[0], id > last[1])))).all()


def _settled(connection: Connection, ids: Sequence[str]) -> dict[str, frozenset[str]]:
    columns = (assignments.c.complaint, assignments.c.office_id, assignments.c.state, assignments.c.by_kind)
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(*columns).where(assignments.c.complaint.in_(ids))):
        if row.state in (_BEGUN if row.by_kind == "router" else _HAS):
            found.setdefault(row.complaint, set()).add(row.office_id)
    return {complaint: frozenset(offices) for complaint, offices in found.items()}


def _message(row: Row[Any]) -> Message:
    """As the reader gave it, without its sender: nobody routes by that."""
    return Message(
        id=f"{row.channel}/{row.account}/~", raw=row.raw, item_index=row.item_index, account=row.account,
        channel=row.channel, owner=row.owner, conversation="", received_at=row.received_at,
        text=row.text, cleaned=row.cleaned, title=row.title or "", report_class=row.report_class,
        place=place_of(row), category=_named(Category, row.category_id, row.category_name),
        office=_named(Office, row.named_office_id, row.named_office_name),
    )  # fmt: skip


def _named(kind: Any, id: str | None, name: str | None) -> Any:
    return None if id is None else kind(id=id, name=name)
