"""Which accounts each stage has put aside, for all processes (the port is `AsideStore` of `bus/`)."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update

from sink.bulk import insert, instant_encoder
from sink.record import Record
from sink.tables import aside

_HOLD = "ON CONFLICT (stage, account) DO UPDATE SET code = excluded.code, detail = excluded.detail, released_at = NULL"


class AsideRow(NamedTuple):
    """An account that a stage put aside."""

    stage: str
    account: str
    since: datetime
    """When its row was made: it names the lane."""
    code: str
    detail: str | None
    released_at: datetime | None
    """None: it is held."""


def put_account_aside(record: Record, stage: str, account: str, *, code: str, detail: str, at: datetime) -> None:
    """Make the account's row, or hold it again where it has one (`since` stays). Raises Retry."""
    row = {"stage": stage, "account": account, "since": instant_encoder(record.engine)(at), "code": code,
           "detail": detail or None, "released_at": None}  # fmt: skip
    with record.write() as connection:
        insert(connection, aside, [row], _HOLD)


def list_asides(record: Record, stage: str | None = None) -> list[AsideRow]:
    """Every row, held or released; of one stage, or of all. Raises Retry."""
    query = select(aside).order_by(aside.c.stage, aside.c.account)
    if stage is not None:
        query = query.where(aside.c.stage == stage)
    with record.read() as connection:
        rows = connection.execute(query)
        return [AsideRow(r.stage, r.account, r.since, r.code, r.detail, r.released_at) for r in rows]


def release_account(record: Record, account: str, at: datetime) -> int:
    """The account is mended: every stage goes on with it. Returns how many stages held it. Raises Retry."""
    held = update(aside).where(aside.c.account == account, aside.c.released_at.is_(None))
    with record.write() as connection:
        return connection.execute(held.values(released_at=at)).rowcount


def release_accounts(record: Record, accounts: Container[str], at: datetime) -> None:
    """As `release_account`, of those among these that a stage holds. Raises Retry."""
    held = {row.account for row in list_asides(record) if row.released_at is None and row.account in accounts}
    for account in sorted(held):
        release_account(record, account, at)


def delete_aside(record: Record, stage: str, account: str, released_before: datetime) -> None:
    """Delete the row, unless the account is held or was released later. Raises Retry."""
    with record.write() as connection:
        connection.execute(delete(aside).where(
            aside.c.stage == stage, aside.c.account == account, aside.c.released_at < released_before
        ))  # fmt: skip
