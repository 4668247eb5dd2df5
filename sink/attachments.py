"""Files that a channel only refers to: which are to be fetched now, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select, text, update

from schemas import Attachment, AttachmentState
from sink.record import Record
from sink.tables import attachments


def wanted(
    record: Record, accounts: Collection[str], *, now: datetime, limit: int = 50
) -> list[tuple[str, str, Attachment]]:
    """Row id, account and file of what these accounts have still to fetch. What can be fetched no more is put down as
    expired. Raises Retry."""
    here = and_(text("state = 'referenced'"), attachments.c.account.in_(accounts))
    due = or_(attachments.c.next_try.is_(None), attachments.c.next_try <= now)
    query = select(attachments).where(here, due).order_by(attachments.c.next_try, attachments.c.id).limit(limit)
    with record.read() as connection:
        rows = connection.execute(query).all()
    gone = [row.id for row in rows if row.expires_at is not None and row.expires_at <= now]
    if gone:
        with record.write() as connection:
            late = update(attachments).where(attachments.c.id.in_(gone), attachments.c.state == "referenced")
            connection.execute(late.values(state="expired", next_try=None))
    return [(row.id, row.account, _file(record, row)) for row in rows if row.id not in gone]


def fetched(record: Record, row: str, sha256: str, size: int, media_type: str | None) -> None:
    """Its bytes lie with the blobs. Raises Retry."""
    values: dict[str, Any] = {"state": "fetched", "sha256": sha256, "size": size, "next_try": None}
    if media_type is not None:
        values["media_type"] = media_type
    with record.write() as connection:
        connection.execute(update(attachments).where(attachments.c.id == row).values(values))


def unfetched(record: Record, row: str, state: AttachmentState, next_try: datetime | None) -> None:
    """It could not be fetched: `referenced` tries again from `next_try` on. What another has fetched meanwhile stays.
    Raises Retry."""
    with record.write() as connection:
        tried = update(attachments).where(attachments.c.id == row, attachments.c.state == "referenced")
        connection.execute(tried.values(state=state, next_try=next_try, attempts=attachments.c.attempts + 1))


def _file(record: Record, row: Row[Any]) -> Attachment:
    return Attachment(
        native_id=row.native_id, media_type=row.media_type, name=record.vault.open(row.name) if row.name else None,
        url=row.url, size=row.size, sha256=row.sha256, state=row.state, expires_at=row.expires_at,
    )  # fmt: skip
