"""Reports as everybody may list them, and what was said of them: by the list `open311` of `disclosure.toml`.

Secret reports are never among them. Of an anonymous one neither the point on the map nor the reporter is shown, of none
the reporter; phone numbers, identity numbers and the like are masked in all words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, text

from schemas import CLOSED_STATUSES, Category, Forward, Place
from schemas.personal import mask_personal
from sink.complaint_queries import current_offices, messages_of
from sink.disclosure import project, projection_of
from sink.record import Record
from sink.tables import actions, complaints, due_dates, numbers, timeline

PROJECTION = "open311"
_OUR_MARK = re.compile(r"(\[SP \d{10}(?:-[0-9a-f]{8})?\])")
_OF_OPEN311 = "complaints.channel = 'open311'"
"""As the partial index has it."""
_SPOKEN = ("answer", "question")
_STATUS = "status_"


class PublicScope(NamedTuple):
    """Whose reports may be listed."""

    account: str | None = None
    """Those that came by this account of kind open311; None: by any."""
    owner: str | None = None
    """Those of this region and within it."""


class PublicQuery(NamedTuple):
    """Which of them are asked for."""

    start: datetime
    end: datetime
    numbers: Collection[str] = ()
    """Not empty: these."""
    categories: Collection[str] = ()
    closed: bool | None = None
    limit: int = 1000
    offset: int = 0


class PublicReport(NamedTuple):
    """One report."""

    number: str
    status: str
    status_note: str | None
    received_at: datetime
    updated_at: datetime
    """Of a closed one, when it was closed."""
    expected_at: datetime | None
    """When the clock of the office that has it ends."""
    category_id: str | None
    category_name: str | None
    title: str
    text: str
    place: Place | None
    office: str | None


class PublicUpdate(NamedTuple):
    """What somebody responsible said of a report, or its new status."""

    id: str
    number: str
    status: str
    reopened: bool
    at: datetime
    text: str


def public_reports(record: Record, scope: PublicScope, query: PublicQuery) -> list[PublicReport]:
    """The newest first. Raises Retry."""
    where = [_visible(scope), complaints.c.received_at.between(query.start, query.end)]
    if query.numbers:
        where.append(complaints.c.number.in_(query.numbers))
    if query.categories:
        where.append(complaints.c.category_id.in_(query.categories))
    if query.closed is not None:
        closed = complaints.c.status.in_(CLOSED_STATUSES)
        where.append(closed if query.closed else ~closed)
    wanted = select(complaints).where(*where).order_by(complaints.c.received_at.desc(), complaints.c.id)
    with record.read() as connection:
        rows = connection.execute(wanted.limit(query.limit).offset(query.offset)).all()
        return _reports(connection, rows)


def public_updates(
    record: Record, scope: PublicScope, start: datetime, end: datetime, limit: int = 1000
) -> list[PublicUpdate]:
    """What came in from then to then, the oldest first. Raises Retry."""
    query = _spoken(actions.c.received_at.between(start, end), _visible(scope))
    with record.read() as connection:
        rows = connection.execute(query.order_by(actions.c.received_at, timeline.c.seq).limit(limit)).all()
        states = _states(connection, {row.complaint for row in rows})
    last = {(row.complaint, row.raw, row.item_index): row for row in rows}  # an answer may move the status too
    return [_update(row, states.get(row.complaint, ())) for row in last.values()]


def is_public(record: Record, scope: PublicScope, number: str) -> bool:
    """Is there such a report, and may it be listed? Raises Retry."""
    query = select(complaints.c.id).where(complaints.c.number == number, _visible(scope))
    with record.read() as connection:
        return connection.execute(query).first() is not None


def is_number_taken(record: Record, number: str) -> bool:
    """Has a report this number already? Raises Retry."""
    with record.read() as connection:
        return connection.execute(select(numbers.c.number).where(numbers.c.number == number)).first() is not None


def mask_words(words: str) -> str:
    """The words with what is personal masked; our own marks stay."""
    parts = _OUR_MARK.split(words)
    return "".join(part if n % 2 else mask_personal(part) for n, part in enumerate(parts))


def _visible(scope: PublicScope) -> ColumnElement[bool]:
    found: ColumnElement[bool] = complaints.c.secret.is_(False)
    if scope.account is not None:
        found = and_(found, text(_OF_OPEN311), complaints.c.account == scope.account)
    if scope.owner is not None:
        within = complaints.c.owner.startswith(f"{scope.owner}.", autoescape=True)
        found = and_(found, or_(complaints.c.owner == scope.owner, within))
    return found


def _reports(connection: Connection, rows: Sequence[Row[Any]]) -> list[PublicReport]:
    ids = [row.id for row in rows]
    words, offices = messages_of(connection, ids), current_offices(connection, ids)
    clock = select(due_dates.c.complaint, func.min(due_dates.c.due_at)).where(
        due_dates.c.complaint.in_(ids), due_dates.c.state == "running"
    )
    due: dict[str, datetime] = dict(tuple(row) for row in connection.execute(clock.group_by(due_dates.c.complaint)))
    notes = _notes(connection, ids)
    return [_report(row, words[row.id], offices.get(row.id), due.get(row.id), notes.get(row.id)) for row in rows]


def _report(
    row: Row[Any], received: Sequence[Row[Any]], office: Row[Any] | None, due: datetime | None, note: str | None
) -> PublicReport:
    own = next((m for m in received if (m.raw, m.item_index) == (row.raw, row.item_index)), None)
    place = None
    if row.place_source is not None:
        place = Place(code=row.place_code, level=row.place_level, name=row.place_name, lat=row.lat, lon=row.lon,
                      words=row.place_words)  # fmt: skip
    whole = Forward(
        what="complaint", number=row.number, reference=row.number, at=row.received_at, title=row.title or "",
        text="" if own is None else own.cleaned or own.text, place=place, anonymous=row.anonymous, secret=row.secret,
        category=Category(id=row.category_id, name=row.category_name) if row.category_id else None,
    )  # fmt: skip
    shown = project(whole, projection_of(PROJECTION, whole)).forward
    closed = row.status in CLOSED_STATUSES and row.status_at is not None
    return PublicReport(
        row.number, row.status, note, row.received_at, row.status_at if closed else row.updated_at,
        None if closed else due, row.category_id, row.category_name, mask_words(shown.title), mask_words(shown.text),
        _masked_place(shown.place), None if office is None else office.office_name or office.office_id,
    )  # fmt: skip


def _masked_place(place: Place | None) -> Place | None:
    if place is None:
        return None
    words = mask_words(place.words) if place.words else None
    return Place(code=place.code, level=place.level, name=place.name, lat=place.lat, lon=place.lon, words=words)


def _spoken(*where: ColumnElement[bool]) -> Select[Any]:
    """What was said to the public: a line of the timeline with the action behind it."""
    action = and_(actions.c.raw == timeline.c.raw, actions.c.item_index == timeline.c.item_index)
    columns = (
        timeline.c.seq, timeline.c.complaint, timeline.c.at, timeline.c.what, actions.c.received_at, actions.c.text,
        complaints.c.number, actions.c.raw, actions.c.item_index,
    )  # fmt: skip
    said = or_(timeline.c.what.in_(_SPOKEN), timeline.c.what.startswith(_STATUS, autoescape=True))
    joined = actions.join(timeline, action).join(complaints, complaints.c.id == timeline.c.complaint)
    return select(*columns).select_from(joined).where(said, *where)


def _states(connection: Connection, ids: Collection[str]) -> dict[str, list[tuple[int, str]]]:
    """The statuses of each report in order, with the number of the line that brought it."""
    states: dict[str, list[tuple[int, str]]] = {}
    query = select(timeline.c.complaint, timeline.c.seq, timeline.c.what).where(
        timeline.c.complaint.in_(ids), timeline.c.what.startswith(_STATUS, autoescape=True)
    )
    for row in connection.execute(query.order_by(timeline.c.seq)):
        states.setdefault(row.complaint, []).append((row.seq, row.what.removeprefix(_STATUS)))
    return states


def _update(row: Row[Any], states: Sequence[tuple[int, str]]) -> PublicUpdate:
    before = [status for seq, status in states if seq < row.seq]
    last = before[-1] if before else "unverified"
    status = row.what.removeprefix(_STATUS) if row.what.startswith(_STATUS) else last
    reopened = status not in CLOSED_STATUSES and last in CLOSED_STATUSES
    return PublicUpdate(str(row.seq), row.number, status, reopened, row.received_at, mask_words(row.text or ""))


def _notes(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """The last words to each report; questions are the reporter's alone."""
    query = _spoken(timeline.c.complaint.in_(ids), timeline.c.what != "question", actions.c.text.is_not(None))
    rows = connection.execute(query.order_by(timeline.c.seq))
    last = {row.complaint: row.text for row in rows}
    return {complaint: mask_words(said) for complaint, said in last.items()}
