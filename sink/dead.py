"""The dead letters: kept whole and sealed, until what they hold has another outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec
from sqlalchemy import Select, and_, or_, select

from schemas import Dead, encode
from sink.bulk import lock, put, run, stamper
from sink.record import Record
from sink.tables import dead as letters
from sink.tables import outcomes

_dead = msgspec.json.Decoder(Dead).decode
_TOLD = (
    letters.c.id, letters.c.at, letters.c.account, letters.c.channel, letters.c.stage, letters.c.of_topic,
    letters.c.reason, letters.c.attempts, letters.c.raw, letters.c.idx, letters.c.message,
)  # fmt: skip


def bury(record: Record, dead: Sequence[Dead]) -> None:
    """Keep the letters; an item has one, its newest. What came in a Raw gets the outcome `dead` where it has none yet.
    Raises Retry."""
    if not dead:
        return
    with record.write() as connection:
        at = stamper(connection)
        items = {(d.raw, d.index): d for d in dead if d.raw is not None}
        put(connection, outcomes, [_outcome(record, d, at) for d in items.values()], "ON CONFLICT DO NOTHING")
        lock(connection, outcomes, "raw", {raw for raw, _ in items})  # who buries the same waits, and sees our letters
        sql = "DELETE FROM dead WHERE raw = :raw AND idx = :idx"
        run(connection, letters, sql, [{"raw": raw, "idx": index} for raw, index in items])
        kept = [d for d in dead if d.raw is None or items[d.raw, d.index] is d]
        put(connection, letters, [_row(record, d, at) for d in kept], "ON CONFLICT DO NOTHING")


def dead_list(record: Record, limit: int = 1000) -> list[dict[str, Any]]:
    """The newest letters that still have to be seen to, without a citizen's words."""
    query = _open().order_by(letters.c.at.desc(), letters.c.id).limit(limit)
    with record.read() as connection:
        return [_told(row) for row in connection.execute(query)]


def dead_show(record: Record, id: str) -> dict[str, Any] | None:
    """One letter, without a citizen's words. None: there is none of that id."""
    with record.read() as connection:
        row = connection.execute(select(*_TOLD).where(letters.c.id == id)).one_or_none()
    return None if row is None else _told(row)


def dead_event(record: Record, id: str) -> Dead | None:
    """The letter whole, to send its event again. None: there is none of that id."""
    with record.read() as connection:
        sealed = connection.execute(select(letters.c.sealed).where(letters.c.id == id)).scalar()
    return None if sealed is None else _dead(record.vault.open(sealed))


def _open() -> Select[Any]:
    item = and_(outcomes.c.raw == letters.c.raw, outcomes.c.idx == letters.c.idx)
    unseen = or_(outcomes.c.outcome.is_(None), outcomes.c.outcome == "dead")
    return select(*_TOLD).select_from(letters.outerjoin(outcomes, item)).where(unseen)


def _told(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "at": row.at.astimezone(UTC).isoformat(), "account": row.account, "channel": row.channel,
        "stage": row.stage, "topic": row.of_topic, "reason": row.reason, "attempts": row.attempts, "raw": row.raw,
        "index": row.idx, "message": row.message,
    }  # fmt: skip


def _outcome(record: Record, dead: Dead, at: Any) -> dict[str, Any]:
    account = dead.account or ""
    return {
        "raw": dead.raw, "idx": dead.index, "of": dead.of, "owner": record.owner(account), "account": account,
        "outcome": "dead", "complaint": None, "message": dead.message, "reason": dead.reason,
        "at": at(dead.received_at or dead.at),
    }  # fmt: skip


def _row(record: Record, dead: Dead, at: Any) -> dict[str, Any]:
    return {
        "id": dead.id, "owner": record.owner(dead.account or ""), "account": dead.account, "channel": dead.channel,
        "stage": dead.stage, "of_topic": dead.of_topic, "reason": dead.reason, "at": at(dead.at),
        "attempts": dead.attempts, "raw": dead.raw, "idx": dead.index, "message": dead.message,
        "sealed": record.vault.seal(encode(dead).decode()),
    }  # fmt: skip
