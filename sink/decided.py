"""Complaints on which an officer or an office has acted: what models are learned from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select

from sink.action_rules import OPEN_ASSIGNMENTS
from sink.additions import Said, said_so_far
from sink.tables import assignments, complaints, messages

MOST = 20_000
"""The newest are enough: what offices do changes."""
_WRONG = ("rejected", "unverified")
_KEPT = (*sorted(OPEN_ASSIGNMENTS), "done")
"""States of offices that did not pass it on or return it."""


class DecidedComplaint(NamedTuple):
    """A complaint as officers left it: its words, and what stands for good."""

    title: str
    text: str
    report_class: str
    category_id: str | None
    category_name: str | None
    place_code: str | None
    place_words: str | None
    office_id: str | None
    office_name: str | None


def decided_complaints(connection: Connection) -> list[DecidedComplaint]:
    """The newest, oldest first. Secret reports teach nothing."""
    c, m, a = complaints.c, messages.c, assignments.c
    query = (
        select(
            c.title, m.text, m.cleaned, c.report_class, c.category_id, c.category_name, c.place_code, c.place_words,
            a.office_id, a.office_name, c.id, c.missing, c.completed,
        )
        .join(messages, and_(m.raw == c.raw, m.item_index == c.item_index))
        .outerjoin(assignments, and_(a.complaint == c.id, a.state.in_(_KEPT)))
        .where(c.touched_at.is_not(None), c.status.not_in(_WRONG), c.secret.is_(False))
        .order_by(c.received_at.desc(), c.id, a.since.desc(), a.seq.desc())
        .limit(MOST)
    )  # fmt: skip
    rows = connection.execute(query).all()
    said = said_so_far(connection, {row.id for row in rows if row.missing or row.completed})
    return list(_each_once(rows, said))[::-1]


def _each_once(rows: Iterable[Any], said: Mapping[str, Said]) -> Iterator[DecidedComplaint]:
    """With the newest office that kept it; None where none did. One that lacked something with all its words: the
    first ones do not hold what was added, such as the place."""
    seen: set[str] = set()
    for title, text, cleaned, *rest, complaint, _, _ in rows:
        if complaint not in seen:
            seen.add(complaint)
            opening = text if cleaned is None else cleaned
            words = said[complaint].cleaned if complaint in said else opening
            yield DecidedComplaint(title or "", words, *rest)
