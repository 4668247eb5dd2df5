"""What a citizen is told of a report: the status to whoever has its number, the words only to whoever proves to be its
reporter, by the token given at filing or by the last four digits of the phone.

How often a proof may be tried is the web door's to limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from schemas import Party
from sink.record import Record
from sink.tables import complaints, messages, outbox, parties
from sink.complaint_queries import of_messages, steps_of

_party = msgspec.json.Decoder(Party).decode
_TOLD = ("sent", "delivered", "read")


class Said(msgspec.Struct, frozen=True):
    """Words of the citizen, or an answer."""

    at: datetime
    text: str


class Step(msgspec.Struct, frozen=True):
    """A line of the timeline."""

    at: datetime
    what: str
    who: str
    why: str | None


class Tracked(msgspec.Struct, frozen=True, kw_only=True):
    """A report as far as the asker may see it; from `title` on only what was proven."""

    number: str
    status: str
    received_at: datetime
    updated_at: datetime
    office: str | None
    proven: bool
    title: str | None = None
    words: tuple[Said, ...] = ()
    answers: tuple[Said, ...] = ()
    timeline: tuple[Step, ...] = ()


def track(
    record: Record,
    number: str | None = None,
    raw: str | None = None,
    token: str | None = None,
    last4: str | None = None,
) -> Tracked | None:
    """The complaint of that number, or that the Raw opened or joined; None where there is none. Raises Retry."""
    with record.read() as connection:
        row = _found(connection, number, raw)
        if row is None:
            return None
        proven = _has_token(record, connection, row, token) or _has_phone(record, connection, row, last4)
        more = _words(connection, row) if proven else {}
    return Tracked(
        number=row.number, status=row.status, received_at=row.received_at, updated_at=row.updated_at,
        office=row.office_name or row.office_id, proven=proven, **more,
    )  # fmt: skip


def _found(connection: Connection, number: str | None, raw: str | None) -> Row[Any] | None:
    query = select(complaints)
    if number is not None:
        query = query.where(complaints.c.number == number)
    else:
        joined = select(messages.c.complaint).where(messages.c.raw == raw, messages.c.stranger.is_(False))
        query = query.where(complaints.c.id == joined.order_by(messages.c.idx).limit(1).scalar_subquery())
    return connection.execute(query).one_or_none()


def _has_token(record: Record, connection: Connection, row: Row[Any], token: str | None) -> bool:
    """The token of the message that opened the report, or of one of the same conversation. Whoever only told the same
    story under the same phone has shown nothing: a form believes any phone."""
    if token is None:
        return False
    said = connection.execute(of_messages(messages, [row.id])).all()
    talk = {bytes(m.conversation) for m in said if (m.raw, m.idx) == (row.raw, row.idx)}
    own = [m for m in said if bytes(m.conversation) in talk]
    return _any(compare_digest(record.vault.token(m.raw).encode(), token.encode()) for m in own)


def _has_phone(record: Record, connection: Connection, row: Row[Any], last4: str | None) -> bool:
    """The reporter's phone, known when the report was opened or since: in parties that share a hash with the opener."""
    if last4 is None or len(last4) != 4:
        return False
    rows = connection.execute(of_messages(parties, [row.id])).all()
    opened = [r for r in rows if (r.raw, r.idx) == (row.raw, row.idx)]
    hashes = {h for r in opened for h in _hashes(r)}
    phones = [_party(record.vault.open(r.sealed)).phone for r in rows if r in opened or hashes & set(_hashes(r))]
    return _any(compare_digest(phone[-4:].encode(), last4.encode()) for phone in phones if phone)


def _hashes(row: Row[Any]) -> Sequence[bytes]:
    return [bytes(h) for h in (row.phone, row.email, row.nik, row.user_id) if h is not None]


def _any(answers: Iterable[bool]) -> bool:
    """Without stopping at the first: time tells nothing."""
    return bool(sum(answers))


def _words(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    in_order = (messages.c.received_at, messages.c.raw, messages.c.idx)
    said = connection.execute(of_messages(messages, [row.id]).order_by(*in_order)).all()
    told = connection.execute(of_messages(outbox, [row.id]).where(outbox.c.state.in_(_TOLD))).all()
    answers = [Said(r.sent_at, r.text) for r in told] + [Said(m.received_at, m.text) for m in said if _is_out(m)]
    return {
        "title": row.title or None,
        "words": tuple(Said(m.received_at, m.text) for m in said if not _is_out(m)),
        "answers": tuple(sorted(answers, key=lambda a: a.at)),
        "timeline": tuple(Step(s.at, s.what, s.who, s.why) for s in connection.execute(steps_of([row.id]))),
    }


def _is_out(message: Row[Any]) -> bool:
    return bool(message.direction == "out")
