"""What is known of each account: its fault, when it last took in and sent something, how far it was polled.

A fault is the account's own (a lapsed token, a missing setting, a spent quota): its replies stay owed until somebody
mends it, or `retry_at` comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from sink.bulk import Row, insert, instant_encoder
from sink.record import Record
from sink.tables import account_states

SENDING = ("send", "session")
"""Abilities without which nothing goes out: where a session is held, replies go by it."""

SPENT = frozenset({"quota_spent", "budget_spent"})
"""Codes, of a fault or of a reply, that say that the account's means are used up."""


class StoredAccountFault(NamedTuple):
    """An account's fault as the record holds it."""

    code: str
    detail: str
    since: datetime
    retry_at: datetime | None
    """When the account is tried again by itself; None: once it is mended."""
    ability: str = "send"
    """What it cannot do."""

    @property
    def stops_sending(self) -> bool:
        """Does nothing go out for the account?"""
        return self.ability in SENDING


class StoredGap(NamedTuple):
    """The last time that something of the provider's was missing, as its own ids or cursors say."""

    code: str
    detail: str
    at: datetime


class AccountState(NamedTuple):
    """A row of the table; an account about which nothing was ever written has none."""

    account: str
    fault: StoredAccountFault | None
    last_in_at: datetime | None
    last_out_at: datetime | None
    cursor_at: datetime | None
    """When it was last polled with success."""
    gap: StoredGap | None = None
    token_ends_at: datetime | None = None


def set_account_fault(
    record: Record, account: str, code: str, detail: str, *, ability: str = "send", now: datetime,
    retry_at: datetime | None = None,
) -> None:  # fmt: skip
    """Store the account's fault; the same again leaves `since` as it was. Raises Retry."""
    encode = instant_encoder(record.engine)
    row = {
        "account": account, "epoch": 0, "fault_code": code, "fault_detail": detail, "fault_since": encode(now),
        "fault_ability": ability, "retry_at": encode(retry_at) if retry_at else None,
    }  # fmt: skip
    same = " AND ".join(f"account_states.{name} = excluded.{name}" for name in ("fault_code", "fault_ability"))
    since = f"CASE WHEN {same} THEN account_states.fault_since ELSE excluded.fault_since END"
    changes = ", ".join(
        f"{name} = excluded.{name}" for name in ("fault_code", "fault_detail", "fault_ability", "retry_at")
    )
    with record.write() as connection:
        insert(
            connection, account_states, [row],
            f"ON CONFLICT (account) DO UPDATE SET fault_since = {since}, {changes}",
        )  # fmt: skip


def clear_account_fault(record: Record, account: str, ability: str) -> bool:
    """That ability of the account works again; returns whether the fault was of it. Raises Retry."""
    mended = dict.fromkeys(("fault_code", "fault_detail", "fault_since", "fault_ability", "retry_at"))
    c = account_states.c
    faulty = (c.account == account) & (c.fault_ability == ability) & c.fault_code.is_not(None)
    with record.write() as connection:
        return connection.execute(update(account_states).where(faulty).values(mended)).rowcount > 0


def account_faults(record: Record) -> dict[str, StoredAccountFault]:
    """The faulty accounts. Raises Retry."""
    return {name: state.fault for name, state in list_account_states(record).items() if state.fault}


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
    fault = None
    if row.fault_code is not None:
        fault = StoredAccountFault(
            row.fault_code, row.fault_detail or "", row.fault_since, row.retry_at, row.fault_ability
        )
    gap = None if row.gap_code is None else StoredGap(row.gap_code, row.gap_detail or "", row.gap_at)
    return AccountState(row.account, fault, row.last_in_at, row.last_out_at, row.cursor_at, gap, row.token_ends_at)
