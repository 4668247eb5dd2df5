"""Finding complaints and messages by anything that somebody has in hand: a number, a phone, a channel's id, words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, or_, select

from schemas import message_id, plain_digits
from sink.bulk import query_in
from sink.record import Record
from sink.tables import complaints, messages, outcomes, parties

AGAIN = ("", *(f"~{n}" for n in range(2, 10)))
"""What stands behind an id that came again with other content: `normalizer.own_ids`."""


class SearchResult(NamedTuple):
    """What was found. Nothing in it is personal."""

    by: str
    """number, phone, id or words."""
    raw: str | None
    item_index: int | None
    account: str
    at: datetime
    """Of receipt."""
    outcome: str | None
    reason: str | None
    number: str | None
    """Of the complaint; None: it belongs to none."""
    status: str | None
    title: str | None


def search_record(
    record: Record,
    text: str,
    *,
    phones: Collection[str] = (),
    accounts: Collection[tuple[str, str]] = (),
    limit: int = 50,
) -> list[SearchResult]:
    """Everything that `text` may stand for, the newest first. `phones` are the numbers (E.164) that it may be written
    for; `accounts` (kind, account) those whose channel's ids are tried. Raises Retry."""
    with record.read() as connection:
        by_number = _items().where(complaints.c.number == plain_digits(text), _opens())
        found = [*_rows(connection, "number", by_number, limit)]
        found += _rows(connection, "phone", _by_phone(record, phones), limit) if phones else []
        found += _by_id(connection, record, text, accounts)
        if not found and len(text.strip()) > 2:
            found = _rows(connection, "words", _by_words(text.strip()), limit)
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def _items() -> Select[Any]:
    """Messages with their outcomes and complaints."""
    item = and_(outcomes.c.raw == messages.c.raw, outcomes.c.item_index == messages.c.item_index)
    columns = (messages.c.raw, messages.c.item_index, messages.c.account, messages.c.received_at, outcomes.c.outcome,
               outcomes.c.reason, complaints.c.number, complaints.c.status, complaints.c.title)  # fmt: skip
    joined = messages.outerjoin(outcomes, item).outerjoin(complaints, complaints.c.id == messages.c.complaint)
    return select(*columns).select_from(joined)


def _opens() -> Any:
    return and_(messages.c.raw == complaints.c.raw, messages.c.item_index == complaints.c.item_index)


def _by_phone(record: Record, phones: Collection[str]) -> Select[Any]:
    hashes = [record.vault.digest("identity", phone) for phone in phones]
    party = and_(parties.c.raw == messages.c.raw, parties.c.item_index == messages.c.item_index)
    return _items().join(parties, party).where(parties.c.phone.in_(hashes))


def _by_words(text: str) -> Select[Any]:
    texts = (column.icontains(text, autoescape=True) for column in (messages.c.text, complaints.c.title))
    return _items().where(or_(*texts), messages.c.stranger.is_(False))


def _rows(connection: Connection, by: str, query: Select[Any], limit: int) -> list[SearchResult]:
    newest = query.order_by(messages.c.received_at.desc(), messages.c.raw).limit(limit)
    return [SearchResult(by, *row) for row in connection.execute(newest)]


def _by_id(
    connection: Connection, record: Record, text: str, accounts: Iterable[tuple[str, str]]
) -> Sequence[SearchResult]:
    """Messages, recorded or not, or one of our replies, by the channel's id; also by a whole message id."""
    named = [text, *(message_id(kind, account, text) for kind, account in accounts)]
    ids = [id + again for id in named for again in AGAIN]
    keys = [record.vault.message_key(id) for id in ids]
    received = [row.raw for row in query_in(connection, "SELECT raw FROM decisions WHERE first IN (*)", keys)]
    sql = "SELECT i.reply, o.complaint FROM reply_ids i JOIN outbox o ON o.id = i.reply WHERE i.key IN (*)"
    answered = [row.complaint for row in query_in(connection, sql, keys) if row.complaint is not None]
    joined = outcomes.outerjoin(complaints, complaints.c.id == outcomes.c.complaint)
    columns = (outcomes.c.raw, outcomes.c.item_index, outcomes.c.account, outcomes.c.at, outcomes.c.outcome,
               outcomes.c.reason, complaints.c.number, complaints.c.status, complaints.c.title)  # fmt: skip
    query = select(*columns).select_from(joined).where(outcomes.c.raw.in_(received))
    found = [SearchResult("id", *row) for row in connection.execute(query)]
    return found + _rows(connection, "id", _items().where(complaints.c.id.in_(answered), _opens()), len(answered))
