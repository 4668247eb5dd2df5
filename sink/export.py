"""The complaints as they leave the program: the interface's form, the reporter masked, page by page.

Each page is a transaction of its own, so that a long export holds no log back; a complaint and what belongs to it
are of one moment. Of an anonymous reporter nothing leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Row, Select, Table, and_, or_, select

from schemas import Party
from sink.record import Record
from sink.tables import complaints, matches, messages, outbox, parties
from sink.complaint_queries import of_messages, steps_of
from sink.vault import Vault

PAGE = 200
_party = msgspec.json.Decoder(Party).decode
_Belonging = dict[str, list[Row[Any]]]


def export(record: Record, since: datetime | None) -> Iterator[dict[str, Any]]:
    """Complaints received at or after `since`, the oldest first. Raises Retry."""
    last: tuple[datetime, str] | None = None
    while True:
        with record.read() as connection:
            page = _page(connection, since, last)
            told = _told(connection, record.vault, page)
        yield from told
        if len(page) < PAGE:
            return
        last = page[-1].received_at, page[-1].id


def _page(connection: Connection, since: datetime | None, last: tuple[datetime, str] | None) -> Sequence[Row[Any]]:
    at, name = complaints.c.received_at, complaints.c.id
    query = select(complaints).order_by(at, name).limit(PAGE)
    if last is not None:
        query = query.where(or_(at > last[0], and_(at == last[0], name > last[1])))
    elif since is not None:
        query = query.where(at >= since)
    return connection.execute(query).all()


def _told(connection: Connection, vault: Vault, page: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    ids = [row.id for row in page]
    said = _by_complaint(connection, of_messages(messages, ids).order_by(*_order(messages, "received_at")))
    replies = _by_complaint(connection, of_messages(outbox, ids).order_by(*_order(outbox, "created_at")))
    steps = _by_complaint(connection, steps_of(ids))
    linked = select(matches, matches.c.complaint.label("about")).where(matches.c.complaint.in_(ids))
    found = _by_complaint(connection, linked.order_by(matches.c.raw, matches.c.idx, matches.c.n))
    who = _reporters(connection, ids)
    return [
        _complaint(row) | {
            "reporter": _reporter(vault, row, who.get(row.id)),
            "matches": [_match(m) for m in found[row.id] if m.undone_at is None],
            "messages": [*(_message(m) for m in said[row.id]), *(_reply(r) for r in replies[row.id])],
            "timeline": [{"at": _at(s.at), "what": s.what, "who": s.who, "why": s.why} for s in steps[row.id]],
        }
        for row in page
    ]  # fmt: skip


def _by_complaint(connection: Connection, query: Select[Any]) -> _Belonging:
    found: _Belonging = defaultdict(list)
    for row in connection.execute(query):
        found[row.about].append(row)
    return found


def _order(table: Table, at: str) -> tuple[Column[Any], ...]:
    return table.c[at], table.c.raw, table.c.idx


def _complaint(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number, "id": row.id, "owner": row.owner, "channel": row.channel, "account": row.account,
        "received_at": _at(row.received_at), "class": row.report_class,
        "category": _named(row.category_id, row.category_name), "title": row.title, "text": row.text,
        "place": _place(row), "office": _named(row.office_id, row.office_name), "status": row.status,
        "anonymous": row.anonymous, "secret": row.secret,
        "external_ids": msgspec.json.decode(row.external_ids) if row.external_ids else {},
    }  # fmt: skip


def _place(row: Row[Any]) -> dict[str, Any] | None:
    if row.place_source is None:
        return None
    return {"code": row.place_code, "level": row.place_level, "name": row.place_name, "lat": row.lat, "lon": row.lon,
            "words": row.place_words}  # fmt: skip


def _named(id: str | None, name: str | None) -> dict[str, Any] | None:
    return None if id is None else {"id": id, "name": name}


def _match(row: Row[Any]) -> dict[str, Any]:
    return {"kind": row.kind, "of": row.of, "score": row.score, "evidence": row.evidence}


def _message(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id, "native_id": row.native_id, "channel": row.channel, "sent_at": _at(row.sent_at),
        "kind": row.kind, "text": row.text, "direction": row.direction,
    }  # fmt: skip


def _reply(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id, "native_id": row.native_id, "channel": row.channel, "sent_at": _at(row.sent_at),
        "kind": "text", "text": row.text, "direction": "out",
    }  # fmt: skip


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _reporters(connection: Connection, ids: Sequence[str]) -> dict[str, bytes]:
    opened = and_(parties.c.raw == complaints.c.raw, parties.c.idx == complaints.c.idx)
    query = select(complaints.c.id, parties.c.sealed).join(parties, opened).where(complaints.c.id.in_(ids))
    rows: Iterable[Any] = connection.execute(query).all()
    return dict(rows)


def _reporter(vault: Vault, row: Row[Any], sealed: bytes | None) -> dict[str, str | None]:
    return masked(Party() if sealed is None or row.anonymous else _party(vault.open(sealed)))


def masked(party: Party) -> dict[str, str | None]:
    """Enough to tell two reporters apart, too little to reach one: "B*** S***", "+62812****789", "b***@contoh.id"."""
    return {
        "name": _initials(party.name),
        "phone": _ends(party.phone, 6, 3),
        "email": _mail(party.email),
        "nik": _ends(party.nik, 2, 2),
    }


def _initials(name: str | None) -> str | None:
    return " ".join(f"{word[0]}***" for word in (name or "").split()) or None


def _ends(value: str | None, first: int, last: int) -> str | None:
    """What is short shows less: at least four signs stay hidden."""
    if not value:
        return None
    if len(value) < first + last + 4:
        first, last = 0, min(last, max(len(value) - 4, 0))
    return value[:first] + "****" + (value[-last:] if last else "")


def _mail(value: str | None) -> str | None:
    if not value:
        return None
    name, at, domain = value.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else "***"
