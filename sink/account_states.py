"""What is known of each account: when it last took in and sent something, how far it was polled, what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, select

from sink.bulk import Row, insert, instant_encoder
from sink.record import Record
from sink.tables import account_states


class StoredGap(NamedTuple):
    """The last time that something of the provider's was missing, as its own ids or cursors say."""

    code: str
    detail: str
    at: datetime


class AccountState(NamedTuple):
    """A row of the table; an account about which nothing was ever written has none."""

    account: str
    last_in_at: datetime | None
    last_out_at: datetime | None
    cursor_at: datetime | None
    """When it was last polled with success."""
    gap: StoredGap | None = None
    token_ends_at: datetime | None = None


def recent_gaps(record: Record, since: datetime) -> dict[str, StoredGap]:
    """The last gap of each account that had one since then. Raises Retry."""
    gaps = {name: state.gap for name, state in list_account_states(record).items() if state.gap}
    return {name: gap for name, gap in gaps.items() if gap.at >= since}


def list_account_states(record: Record) -> dict[str, AccountState]:
    """By account. Raises Retry."""
    with record.read() as connection:
        return {row.account: _state(row) for row in connection.execute(select(account_states))}


def set_token_end(record: Record, account: str, ends_at: datetime | None) -> None:
    """Store when the account's token lapses; None: never. Raises Retry."""
    row = {"account": account, "epoch": 0, "token_ends_at": ends_at and instant_encoder(record.engine)(ends_at)}
    changes = "ON CONFLICT (account) DO UPDATE SET token_ends_at = excluded.token_ends_at"
    with record.write() as connection:
        insert(connection, account_states, [row], changes)


def token_ends(record: Record) -> dict[str, datetime]:
    """By account. Raises Retry."""
    ends = {name: state.token_ends_at for name, state in list_account_states(record).items()}
    return {name: at for name, at in ends.items() if at is not None}


def sent_since(record: Record, account: str, since: datetime) -> bool:
    """Has anything gone out for the account since then? Raises Retry."""
    last = account_value(record, account_states.c.last_out_at, account)
    return last is not None and last >= since


def account_value(record: Record, column: Column[Any], account: str) -> Any:
    """One column of the account's row; None: nothing stands there. Raises Retry."""
    query = select(column).where(account_states.c.account == account)
    with record.read() as connection:
        return connection.execute(query).scalar_one_or_none()


def touch_accounts(
    record: Record, *, last_in: Mapping[str, datetime] | None = None, last_out: Mapping[str, datetime] | None = None
) -> None:
    """Move the times at which accounts last took in and sent something; never back. Raises Retry."""
    with record.write() as connection:
        touch_accounts_within(connection, "last_in_at", last_in or {})
        touch_accounts_within(connection, "last_out_at", last_out or {})


def touch_accounts_within(connection: Connection, column: str, times: Mapping[str, datetime]) -> None:
    """As `touch_accounts`, inside a transaction."""
    encode = instant_encoder(connection)
    rows: list[Row] = [{"account": a, "epoch": 0, column: encode(at)} for a, at in sorted(times.items())]
    insert(connection, account_states, rows, _later(column))


def _later(column: str) -> str:
    earlier = f"account_states.{column} IS NULL OR account_states.{column} < excluded.{column}"
    return f"ON CONFLICT (account) DO UPDATE SET {column} = excluded.{column} WHERE {earlier}"


def _state(row: Any) -> AccountState:
    gap = None if row.gap_code is None else StoredGap(row.gap_code, row.gap_detail or "", row.gap_at)
    return AccountState(row.account, row.last_in_at, row.last_out_at, row.cursor_at, gap, row.token_ends_at)
