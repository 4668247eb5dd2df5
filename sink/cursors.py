"""Cursors: up to where an account was polled. Only the holder of the account's lease moves one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from sink.bulk import insert, instant_encoder
from sink.leases import require_epoch
from sink.record import Record
from sink.tables import account_states

_MOVE = (
    "ON CONFLICT (account) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor, "
    "cursor_at = excluded.cursor_at"
)


def load_cursor(record: Record, account: str) -> str | None:
    """Where the next poll goes on. None: the account was never polled. Raises Retry."""
    query = select(account_states.c.cursor).where(account_states.c.account == account)
    with record.read() as connection:
        return connection.execute(query).scalar_one_or_none()


def save_cursor(record: Record, account: str, epoch: int, cursor: str | None, now: datetime) -> None:
    """Move the cursor, once everything before it is durable. Raises Retry, and StaleEpoch where another process holds
    the account now."""
    row = {"account": account, "epoch": epoch, "cursor": cursor, "cursor_at": instant_encoder(record.engine)(now)}
    with record.write() as connection:
        require_epoch(connection, account, epoch)
        insert(connection, account_states, [row], _MOVE)
