"""What failed for an account and waits for another attempt is due at once when the account has a new edition."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Table

from sink.bulk import execute_each, instant_encoder, lock_rows, query_in
from sink.record import Record
from sink.tables import jobs, outbox


def hasten_replies(record: Record, accounts: Iterable[str], now: datetime) -> None:
    """Replies of these accounts that are tried again later are due now. Raises Retry."""
    _hasten(record, outbox, "state = 'owed' AND code = 'retry'", accounts, now)


def hasten_jobs(record: Record, accounts: Iterable[str], now: datetime) -> None:
    """Jobs of these accounts that are tried again, or looked into, later are due now. Raises Retry."""
    _hasten(record, jobs, "state IN ('waiting', 'unknown') AND code IS NOT NULL", accounts, now)


def _hasten(record: Record, table: Table, waits: str, accounts: Iterable[str], now: datetime) -> None:
    later = f"SELECT id FROM {table.name} WHERE account IN (*) AND {waits} AND due_at > ?"  # noqa: S608 - ours
    due_now = f"UPDATE {table.name} SET due_at = :due_at WHERE id = :id AND {waits}"  # noqa: S608 - ours
    with record.write() as connection:
        at = instant_encoder(connection)(now)
        ids = [row.id for row in query_in(connection, later, accounts, at)]
        lock_rows(connection, table, "id", ids)
        execute_each(connection, table, due_now, [{"id": id, "due_at": at} for id in ids])
