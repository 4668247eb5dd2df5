"""A report as a citizen may see it: the status to everybody who has its number, the words only to a person who proves
to be its reporter, by the token given at filing or by the last four digits of the phone.

Both proofs count for the conversation in which the report was filed alone: a form believes any phone, and somebody who
sends the same words with another's address has shown nothing. How often a proof may be tried: `proof_attempts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, or_, select

from sink.bulk import query_in
from sink.case_histories import is_asked
from sink.complaint_queries import TimelineLine, current_offices, replies_of, timelines_of
from sink.contacts import unseal_contact
from sink.outbox_moves import MOVED, UNREACHED
from sink.outbox_queries import DISMISSED
from sink.record import Record
from sink.tables import actions, attachments, complaints, due_dates, messages, timeline
from sink.vault import Vault

MOST_SHOWN = 300
"""Words, answers, files and steps of a report that are given, each: somebody may add to it without end."""
_REACHED = ("sent", "delivered", "read")
_INTERNAL = frozenset({
    "note", "due_moved", "due_warning", "due_overdue", "file_withheld", MOVED, UNREACHED, DISMISSED,
})  # fmt: skip
"""Steps of the timeline that citizens do not see."""
_HUBS_REASONS = frozenset({"recorded", "added", "status_asked", "disagreed", "edit", "deletion", "reaction"})
"""Steps whose reason is the matcher's, in English and for those who run the hub."""


class TrackedText(msgspec.Struct, frozen=True):
    """Words of the citizen, or an answer."""

    at: datetime
    text: str
    question: bool = False
    """An office asks the citizen."""


class TrackedFile(msgspec.Struct, frozen=True):
    """A file that the citizen sent."""

    name: str | None
    media_type: str | None
    size: int | None
    """Bytes."""
    shown: str | None = None
    """SHA-256 of the bytes that may be shown. None: not here, not checked yet, or not fit to be shown."""
    shown_type: str | None = None
    preview: str | None = None
    """SHA-256 of a small JPEG of a picture."""


class TrackedStep(msgspec.Struct, frozen=True):
    """A line of the timeline."""

    at: datetime
    what: str
    who: str
    why: str | None


class TrackedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report as far as the asker may see it; from `title` on, only after a proof."""

    number: str
    status: str
    received_at: datetime
    updated_at: datetime
    office: str | None
    proven: bool
    joined: bool
    """It was asked for by a Raw that joined an earlier report."""
    checking: str | None = None
    """How the clock for its first check stands: running, late, or met once it was checked, in time or not. None: it was
    not computed yet."""
    account: str | None = None
    """Of the report's first message."""
    conversation: str | None = None
    """Of that message. Never leaves the hub."""
    title: str | None = None
    incident_date: str | None = None
    place_name: str | None = None
    asked: bool = False
    """An office waits for what the citizen answers; until then the clocks rest."""
    shortened: bool = False
    """There are more words than are given: MOST_SHOWN, the first and the newest."""
    words: tuple[TrackedText, ...] = ()
    answers: tuple[TrackedText, ...] = ()
    attachments: tuple[TrackedFile, ...] = ()
    timeline: tuple[TrackedStep, ...] = ()


def track_report(
    record: Record,
    number: str | None = None,
    *,
    raw: str | None = None,
    token: str | None = None,
    last4: str | None = None,
    key: str | None = None,
) -> TrackedReport | None:
    """The complaint of that number, or that the Raw opened or joined; None where there is none. `key`: of a
    conversation whose other side has shown who it is. Raises Retry."""
    with record.read() as connection:
        row = _find(connection, number, raw)
        if row is None:
            return None
        asked = any(proof is not None for proof in (token, last4, key))
        own = _own_conversation(connection, row) if asked else []
        proven = _has_token(record.vault, own, token) or _has_phone(record.vault, connection, own, last4)
        proven = proven or _is_of(record.vault, own, key)
        details = _details(connection, record.vault, row, own) if proven else {}
        office, checking = current_offices(connection, [row.id]).get(row.id), _checking(connection, row.id)
    return TrackedReport(
        number=row.number, status=row.status, received_at=row.received_at, updated_at=row.updated_at,
        office=None if office is None else office.office_name or office.office_id, proven=proven,
        joined=raw is not None and raw != row.raw, checking=checking, **details,
    )  # fmt: skip


def _find(connection: Connection, number: str | None, raw: str | None) -> Row[Any] | None:
    query = select(complaints)
    if number is not None:
        query = query.where(complaints.c.number == number)
    else:
        joined = select(messages.c.complaint).where(messages.c.raw == raw, messages.c.stranger.is_(False))
        query = query.where(complaints.c.id == joined.order_by(messages.c.item_index).limit(1).scalar_subquery())
    return connection.execute(query).one_or_none()


def _checking(connection: Connection, complaint: str) -> str | None:
    mine = due_dates.c.complaint == complaint, due_dates.c.clock == "verification"
    clock = connection.execute(select(due_dates.c.state, due_dates.c.ended_at).where(*mine)).one_or_none()
    return None if clock is None else clock.state if clock.ended_at is None else "met"


def _own_conversation(connection: Connection, row: Row[Any]) -> list[Row[Any]]:
    """The messages of the conversation in which the report was filed, without their words: there may be thousands."""
    m = messages.c
    query: Select[Any] = select(m.raw, m.item_index, m.conversation, m.account)
    query = query.where(m.complaint == row.id, m.stranger.is_(False)).order_by(m.received_at, m.raw, m.item_index)
    received = connection.execute(query).all()
    filed_in = {one.conversation for one in received if (one.raw, one.item_index) == (row.raw, row.item_index)}
    return [one for one in received if one.conversation in filed_in]


def _has_token(vault: Vault, own: Sequence[Row[Any]], token: str | None) -> bool:
    if token is None:
        return False
    return _any(compare_digest(vault.token(m.raw).encode(), token.encode()) for m in own)


def _is_of(vault: Vault, own: Sequence[Row[Any]], key: str | None) -> bool:
    return key is not None and _any(bytes(m.conversation) == vault.digest("conversation", key) for m in own)


def _has_phone(vault: Vault, connection: Connection, own: Sequence[Row[Any]], last4: str | None) -> bool:
    """A phone of the reporter, known when the report was filed or since."""
    if last4 is None or len(last4) != 4:
        return False
    phones = [unseal_contact(vault, one).party.phone for one in _sealed_contacts(connection, own)]
    return _any(compare_digest(phone[-4:].encode(), last4.encode()) for phone in phones if phone)


def _sealed_contacts(connection: Connection, own: Sequence[Row[Any]]) -> list[bytes]:
    """By the raw alone: SQLite reads the whole table where it is asked for several pairs."""
    items = {(m.raw, m.item_index) for m in own}
    rows = query_in(
        connection, "SELECT raw, item_index, sealed FROM parties WHERE raw IN (*)", {raw for raw, _ in items}
    )
    return [bytes(row.sealed) for row in rows if (row.raw, row.item_index) in items]


def _any(answers: Iterable[bool]) -> bool:
    """Without stopping at the first, so that the time taken reveals nothing."""
    return bool(sum(answers))


def _details(connection: Connection, vault: Vault, row: Row[Any], own: Sequence[Row[Any]]) -> dict[str, Any]:
    words = _words(connection, row)
    steps = timelines_of(connection, [row.id]).get(row.id, [])
    return {
        "account": own[0].account if own else None,
        "conversation": _conversation(connection, vault, own),
        "title": row.title,
        "incident_date": row.incident_date,
        "place_name": row.place_words or row.place_name,
        "asked": is_asked(steps),
        "shortened": len(words) > MOST_SHOWN,
        "words": (words[0], *words[1:][1 - MOST_SHOWN :]) if words else (),
        "answers": _answers(connection, row.id)[-MOST_SHOWN:],
        "attachments": _files(connection, vault, row.id, own),
        "timeline": tuple(_shown(s) for s in _steps_for_citizens(steps))[-MOST_SHOWN:],
    }


def _steps_for_citizens(steps: Iterable[TimelineLine]) -> Iterator[TimelineLine]:
    """Of an answer that was sent again, as by a double click, the first: the same words reach a citizen once."""
    answers = set()
    for step in steps:
        if step.what in _INTERNAL or (step.what == "answer" and step.why in answers):
            continue
        if step.what == "answer" and step.why:
            answers.add(step.why)
        yield step


def _words(connection: Connection, row: Row[Any]) -> list[TrackedText]:
    """What citizens wrote, in order: the words that opened the report, and the newest, one more than are shown. A
    rating or a question without words of its own stands in the timeline alone."""
    m = messages.c
    query: Select[Any] = select(m.received_at, m.text, m.raw, m.item_index)
    query = query.where(m.complaint == row.id, m.stranger.is_(False), m.direction == "in")
    newest = connection.execute(
        query.where(or_(m.cleaned.is_(None), m.cleaned != ""))
        .order_by(m.received_at.desc(), m.raw.desc(), m.item_index.desc())
        .limit(MOST_SHOWN + 1)
    ).all()
    opening = connection.execute(query.where(m.raw == row.raw, m.item_index == row.item_index)).all()
    later = [one for one in reversed(newest) if one not in opening]
    return [TrackedText(one.received_at, one.text) for one in (*opening, *later)]


def _conversation(connection: Connection, vault: Vault, own: Sequence[Row[Any]]) -> str | None:
    sealed = _sealed_contacts(connection, own)
    return unseal_contact(vault, sealed[0]).conversation if sealed else None


def _shown(step: TimelineLine) -> TrackedStep:
    who = step.actor_kind if step.actor_kind == "officer" else step.who  # officers are not named to citizens
    return TrackedStep(step.at, step.what, who, None if step.what in _HUBS_REASONS else step.why)


def _answers(connection: Connection, complaint: str) -> tuple[TrackedText, ...]:
    """Automatic replies that were sent, and the words of officers and offices, whether sent or not: answers, questions,
    and what they say with a status, such as the reason of a rejection."""
    replies = replies_of(connection, [complaint])[complaint]
    sent = [TrackedText(r.sent_at, r.text) for r in replies if r.automatic and r.state in _REACHED]
    action = and_(actions.c.raw == timeline.c.raw, actions.c.item_index == timeline.c.item_index)
    spoke = or_(
        timeline.c.what.in_(("answer", "question")),  # of its incident too
        and_(timeline.c.what.startswith("status_", autoescape=True), actions.c.what == "status"),
    )
    query = select(timeline.c.at, timeline.c.what, actions.c.text).join(actions, action)
    query = query.where(timeline.c.complaint == complaint, spoke, actions.c.text.is_not(None))
    first: dict[str, TrackedText] = {}
    for row in connection.execute(query.order_by(timeline.c.at, timeline.c.seq)):
        first.setdefault(row.text, TrackedText(row.at, row.text, row.what == "question"))
    return tuple(sorted([*sent, *first.values()], key=lambda answer: answer.at))


def _files(connection: Connection, vault: Vault, complaint: str, own: Sequence[Row[Any]]) -> tuple[TrackedFile, ...]:
    items = {(m.raw, m.item_index) for m in own}
    query = select(attachments).where(attachments.c.complaint == complaint).order_by(attachments.c.id)
    sent = [file for file in connection.execute(query) if (file.raw, file.item_index) in items]
    return tuple(
        TrackedFile(
            vault.open(f.name, "attachments.name") if f.name else None, f.media_type, f.size, f.shown, f.shown_type,
            f.preview,
        )
        for f in sent[-MOST_SHOWN:]
    )  # fmt: skip
