"""The reports of one device of an app, and of one counter, for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import literal_column, select

from sink.record import Record
from sink.requests import first_raw
from sink.tables import complaints, messages


class OwnReport(msgspec.Struct, frozen=True):
    """A report in a list of one's own."""

    id: str
    """The raw id."""
    number: str
    status: str
    title: str | None
    received_at: datetime
    updated_at: datetime


def reports_of_device(record: Record, conversation: str, before: str | None, most: int) -> Sequence[OwnReport]:
    """Complaints that this conversation opened, the newest first; `before`: older than the one of that raw id, which
    begins with its instant. Raises Retry."""
    m, c = messages.c, complaints.c
    own = select(c.raw.label("id"), c.number, c.status, c.title, c.received_at, c.updated_at)
    own = own.join(messages, (m.raw == c.raw) & (m.item_index == c.item_index))
    own = own.where(
        m.channel == literal_column("'app'"), m.conversation == record.vault.digest("conversation", conversation)
    )
    if before is not None:
        own = own.where(m.raw < before)
    with record.read() as connection:
        rows = connection.execute(own.order_by(m.raw.desc()).limit(most)).all()
    return [OwnReport(**row._mapping) for row in rows]


def reports_of_counter(record: Record, account: str, since: datetime, most: int) -> Sequence[OwnReport]:
    """Complaints that this counter entered since then, the newest first. Raises Retry."""
    c = complaints.c
    own = select(c.raw.label("id"), c.number, c.status, c.title, c.received_at, c.updated_at)
    own = own.where(c.channel == literal_column("'counter'"), c.account == account, c.raw >= first_raw(since))
    with record.read() as connection:
        rows = connection.execute(own.order_by(c.raw.desc()).limit(most)).all()
    return [OwnReport(**row._mapping) for row in rows]
