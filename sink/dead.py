"""The dead letters: stored whole and sealed, until what they hold has another outcome or somebody dismisses them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, or_, select

from schemas import Dead, encode
from sink.bulk import InstantEncoder, Row, execute_each, insert, instant_encoder, lock_rows, query_in
from sink.record import Record
from sink.tables import dead as letters
from sink.tables import outcomes

_decode = msgspec.json.Decoder(Dead).decode
_SHOWN = (
    letters.c.id, letters.c.at, letters.c.account, letters.c.channel, letters.c.stage, letters.c.of_topic,
    letters.c.code, letters.c.detail, letters.c.attempts, letters.c.raw, letters.c.item_index, letters.c.message,
    letters.c.dismissed_at, letters.c.dismissed_by,
)  # fmt: skip


def store_dead_letters(record: Record, dead: Sequence[Dead]) -> None:
    """Store the letters; an item has one, its newest. An item of a Raw gets the outcome `dead` where it has none yet.
    Raises Retry."""
    if not dead:
        return
    at = instant_encoder(record.engine)
    items = {(d.raw, d.item_index): d for d in dead if d.raw is not None}
    rows = [_row(record, d, at) for d in dead if d.raw is None or items[d.raw, d.item_index] is d]
    ends = [_outcome(record, d, at) for d in items.values()]
    with record.write() as connection:
        insert(connection, outcomes, ends, "ON CONFLICT DO NOTHING")
        # another process with the same items waits here, and then sees our letters
        lock_rows(connection, outcomes, "raw", {raw for raw, _ in items})
        sql = "DELETE FROM dead WHERE raw = :raw AND item_index = :item_index"
        execute_each(connection, letters, sql, [{"raw": raw, "item_index": index} for raw, index in items])
        insert(connection, letters, rows, "ON CONFLICT DO NOTHING")


def list_dead_letters(
    record: Record, limit: int = 1000, *, code: str | None = None, account: str | None = None
) -> list[dict[str, Any]]:
    """The newest letters that wait to be seen to, without a citizen's words; of one code, of one account. Raises
    Retry."""
    query = _waiting(*_SHOWN).order_by(letters.c.at.desc(), letters.c.id).limit(limit)
    if code is not None:
        query = query.where(letters.c.code == code)
    if account is not None:
        query = query.where(letters.c.account == account)
    with record.read() as connection:
        return [_shown(row) for row in connection.execute(query)]


def count_dead_letters(record: Record) -> dict[tuple[str, str], int]:
    """How many letters wait, by account ("" where none is known) and code. Raises Retry."""
    account = func.coalesce(letters.c.account, "")
    query = _waiting(account, letters.c.code, func.count()).group_by(account, letters.c.code)
    with record.read() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def show_dead_letter(record: Record, id: str) -> dict[str, Any] | None:
    """One letter, without a citizen's words. None: there is none of that id."""
    with record.read() as connection:
        row = connection.execute(select(*_SHOWN).where(letters.c.id == id)).one_or_none()
    return None if row is None else _shown(row)


def load_dead_event(record: Record, id: str) -> Dead | None:
    """The letter whole, to publish its event again. None: there is none of that id."""
    with record.read() as connection:
        sealed = connection.execute(select(letters.c.sealed).where(letters.c.id == id)).scalar()
    return None if sealed is None else _decode(record.vault.open(sealed, "dead.sealed"))


def dismiss_dead_letters(record: Record, ids: Collection[str], *, by: str, now: datetime) -> int:
    """Close letters that nobody will mend: their items are refused, by that person. Returns how many were closed; one
    that was dismissed or has another outcome is left alone. Raises Retry."""
    with record.write() as connection:
        waiting = _waiting_of(connection, ids)
        at = instant_encoder(connection)(now)
        sql = "UPDATE dead SET dismissed_at = :dismissed_at, dismissed_by = :dismissed_by WHERE id = :id"
        execute_each(connection, letters, sql, [{"id": r.id, "dismissed_at": at, "dismissed_by": by} for r in waiting])
        refuse = (
            "UPDATE outcomes SET outcome = 'refused', reason = :reason "
            "WHERE raw = :raw AND item_index = :item_index AND outcome = 'dead'"
        )
        items = [{"raw": r.raw, "item_index": r.item_index, "reason": "dismissed"} for r in waiting if r.raw]
        execute_each(connection, outcomes, refuse, items)
        return len(waiting)


def _waiting_of(connection: Connection, ids: Collection[str]) -> list[Any]:
    lock_rows(connection, letters, "id", ids)
    sql = (
        "SELECT d.id, d.raw, d.item_index FROM dead d LEFT JOIN outcomes o "
        "ON o.raw = d.raw AND o.item_index = d.item_index WHERE d.id IN (*) AND d.dismissed_at IS NULL "
        "AND (o.outcome IS NULL OR o.outcome = 'dead')"
    )
    return list(query_in(connection, sql, set(ids)))


def _waiting(*columns: Any) -> Select[Any]:
    item = and_(outcomes.c.raw == letters.c.raw, outcomes.c.item_index == letters.c.item_index)
    unsettled = or_(outcomes.c.outcome.is_(None), outcomes.c.outcome == "dead")
    joined = select(*columns).select_from(letters.outerjoin(outcomes, item))
    return joined.where(unsettled, letters.c.dismissed_at.is_(None))


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "at": _text(row.at), "account": row.account, "channel": row.channel, "stage": row.stage,
        "topic": row.of_topic, "code": row.code, "detail": row.detail, "attempts": row.attempts, "raw": row.raw,
        "item_index": row.item_index, "message": row.message,
        "dismissed_at": _text(row.dismissed_at), "dismissed_by": row.dismissed_by,
    }  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _outcome(record: Record, dead: Dead, at: InstantEncoder) -> Row:
    account = dead.account or ""
    return {
        "raw": dead.raw, "item_index": dead.item_index, "item_count": dead.item_count,
        "owner": record.owner(account), "account": account, "outcome": "dead", "complaint": None,
        "message": _public(record, dead), "reason": dead.code, "at": at(dead.received_at or dead.at),
    }  # fmt: skip


def _row(record: Record, dead: Dead, at: InstantEncoder) -> Row:
    return {
        "id": dead.id, "owner": record.owner(dead.account or ""), "account": dead.account, "channel": dead.channel,
        "stage": dead.stage, "of_topic": dead.of_topic, "code": dead.code, "detail": dead.detail or None,
        "at": at(dead.at), "attempts": dead.attempts, "raw": dead.raw, "item_index": dead.item_index,
        "message": _public(record, dead), "sealed": record.vault.seal(encode(dead).decode(), "dead.sealed"),
    }  # fmt: skip


def _public(record: Record, dead: Dead) -> str | None:
    return None if dead.message is None else record.ids.public_message_id(dead.message)
