"""The complaints as they leave the program: the interface's form, the reporter masked, page by page.

Each page is a transaction of its own, so that a long export holds no log back; a complaint and what belongs to it are
of one moment. Of an anonymous reporter nothing leaves, and of no reporter an id in which a phone may be encoded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, or_, select

from schemas import Party, message_id
from sink.additions import said_so_far
from sink.complaint_queries import (
    TimelineLine,
    current_offices,
    group_by_complaint,
    messages_of,
    replies_of,
    timelines_of,
)
from sink.contacts import unseal_contact
from sink.masks import mask_reporter
from sink.record import Record
from sink.tables import complaints, matches, parties
from sink.vault import Vault

PAGE = 200


def export(record: Record, since: datetime | None, *, with_fields: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Complaints received at or after `since`, the oldest first. `with_fields`: the accounts whose messages keep a
    caller's unknown fields in `extra`; other channels keep there what must not leave. Raises Retry."""
    last: tuple[datetime, str] | None = None
    while True:
        with record.read() as connection:
            page = _page(connection, since, last)
            lines = _lines(connection, record.vault, page)
        for line, row in zip(lines, page, strict=True):
            yield line | {"extra": _extra(record.vault, row) if row.account in with_fields else {}}
        if len(page) < PAGE:
            return
        last = page[-1].received_at, page[-1].id


def _page(connection: Connection, since: datetime | None, last: tuple[datetime, str] | None) -> Sequence[Row[Any]]:
    at, id = complaints.c.received_at, complaints.c.id
    query = select(complaints).order_by(at, id).limit(PAGE)
    if last is not None:
        query = query.where(or_(at > last[0], and_(at == last[0], id > last[1])))
    elif since is not None:
        query = query.where(at >= since)
    return connection.execute(query).all()


def _lines(connection: Connection, vault: Vault, page: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    ids = [row.id for row in page]
    received, sent = messages_of(connection, ids), replies_of(connection, ids)
    steps, offices = timelines_of(connection, ids), current_offices(connection, ids)
    undone = select(matches).where(matches.c.complaint.in_(ids), matches.c.undone_at.is_(None))
    matched = group_by_complaint(connection.execute(undone.order_by(matches.c.seq)))
    sealed = _sealed_openers(connection, ids)
    said = said_so_far(connection, [row.id for row in page if not _opening_text(row, received[row.id])])
    return [
        _complaint(row) | {
            "text": _opening_text(row, received[row.id]) or said[row.id].first,
            "office": _office(offices.get(row.id)),
            "reporter": _reporter(vault, row, sealed.get(row.id)),
            "anonymous": row.anonymous, "secret": row.secret,
            "external_ids": msgspec.json.decode(row.external_ids) if row.external_ids else {},
            "matches": [_match(m) for m in matched[row.id]],
            "messages": [*(_message(m) for m in received[row.id]), *(_reply(r) for r in sent[row.id])],
            "timeline": [_step(s) for s in steps.get(row.id, ())],
        }
        for row in page
    ]  # fmt: skip


def _complaint(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number, "id": row.id, "owner": row.owner, "channel": row.channel, "account": row.account,
        "received_at": _text(row.received_at), "class": row.report_class,
        "category": _named(row.category_id, row.category_name), "title": row.title or "", "text": "",
        "place": _place(row), "office": None, "status": row.status,
    }  # fmt: skip


def _opening_text(row: Row[Any], received: Sequence[Row[Any]]) -> str:
    return next((m.text for m in received if (m.raw, m.item_index) == (row.raw, row.item_index)), "")


def _place(row: Row[Any]) -> dict[str, Any] | None:
    if row.place_source is None and row.photo_lat is None:
        return None
    lat, lon = (row.photo_lat, row.photo_lon) if row.lat is None else (row.lat, row.lon)
    return {"code": row.place_code, "level": row.place_level, "name": row.place_name, "lat": lat, "lon": lon,
            "words": row.place_words}  # fmt: skip


def _named(id: str | None, name: str | None) -> dict[str, Any] | None:
    return None if id is None else {"id": id, "name": name}


def _office(row: Row[Any] | None) -> dict[str, Any] | None:
    return None if row is None else {"id": row.office_id, "name": row.office_name}


def _match(row: Row[Any]) -> dict[str, Any]:
    return {"kind": row.kind, "of": row.of, "score": row.score, "evidence": row.evidence}


def _message(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": message_id(row.channel, row.account, row.public_id), "native_id": row.public_id, "channel": row.channel,
        "sent_at": _text(row.sent_at), "kind": row.kind, "text": row.text, "direction": row.direction,
    }  # fmt: skip


def _reply(row: Row[Any]) -> dict[str, Any]:
    ids = msgspec.json.decode(row.public_ids, type=list[str]) if row.public_ids else []
    return {
        "id": row.id, "native_id": ids[0] if ids else None, "channel": row.channel, "sent_at": _text(row.sent_at),
        "kind": "text", "text": row.text, "direction": "out",
    }  # fmt: skip


def _step(step: TimelineLine) -> dict[str, Any]:
    shown = {"at": _text(step.at), "what": step.what, "who": step.who, "why": step.why}
    return shown if step.by is None else {**shown, "by": step.by}


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _sealed_openers(connection: Connection, ids: Sequence[str]) -> dict[str, bytes]:
    opened = and_(parties.c.raw == complaints.c.raw, parties.c.item_index == complaints.c.item_index)
    query = select(complaints.c.id, parties.c.sealed).join(parties, opened).where(complaints.c.id.in_(ids))
    rows: Iterable[Any] = connection.execute(query).all()
    return dict(rows)


def _extra(vault: Vault, row: Row[Any]) -> dict[str, str]:
    """The unknown fields; none of an anonymous reporter, whom they may name."""
    if row.extra is None or row.anonymous:
        return {}
    return msgspec.json.decode(vault.open(bytes(row.extra), "complaints.extra"), type=dict[str, str])


def _reporter(vault: Vault, row: Row[Any], sealed: bytes | None) -> dict[str, str | None]:
    return mask_reporter(Party() if sealed is None or row.anonymous else unseal_contact(vault, sealed).party)
