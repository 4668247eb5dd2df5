"""The faults of accounts, one row for each thing that an account cannot do.

A fault is the account's own (a lapsed token, a missing setting, a spent quota): its replies stay owed until somebody
mends it, or `retry_at` comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from sink.bulk import insert, instant_encoder
from sink.record import Record
from sink.tables import account_faults as table

SENDING = ("send", "session")
"""Abilities without which nothing goes out: where a session is held, replies go by it."""

SPENT = frozenset({"quota_spent", "budget_spent"})
"""Codes, of a fault or of a reply, that say that the account's means are used up."""

_AGAIN = """
    ON CONFLICT (account, ability) DO UPDATE SET code = excluded.code, detail = excluded.detail,
    retry_at = excluded.retry_at,
    since = CASE WHEN account_faults.code = excluded.code THEN account_faults.since ELSE excluded.since END
"""


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


def set_account_fault(
    record: Record, account: str, code: str, detail: str, *, ability: str = "send", now: datetime,
    retry_at: datetime | None = None,
) -> None:  # fmt: skip
    """Store the fault of this ability; the same again leaves `since` as it was. Raises Retry."""
    encode = instant_encoder(record.engine)
    row = {
        "account": account, "ability": ability, "code": code, "detail": detail, "since": encode(now),
        "retry_at": encode(retry_at) if retry_at else None,
    }  # fmt: skip
    with record.write() as connection:
        insert(connection, table, [row], _AGAIN)


def clear_account_fault(record: Record, account: str, ability: str) -> bool:
    """That ability of the account works again; returns whether it had a fault. Raises Retry."""
    faulty = (table.c.account == account) & (table.c.ability == ability)
    with record.write() as connection:
        return connection.execute(delete(table).where(faulty)).rowcount > 0


def account_faults(record: Record) -> Mapping[str, Sequence[StoredAccountFault]]:
    """Those of each faulty account: first those by which nothing goes out, then the oldest. Raises Retry."""
    found = defaultdict(list)
    with record.read() as connection:
        for row in connection.execute(select(table)):
            fault = StoredAccountFault(row.code, row.detail, row.since, row.retry_at, row.ability)
            found[row.account].append(fault)
    return {account: sorted(faults, key=_urgency) for account, faults in found.items()}


def sending_faults(record: Record) -> Mapping[str, StoredAccountFault]:
    """Why nothing goes out, of each account of which that is so. Raises Retry."""
    return {account: faults[0] for account, faults in account_faults(record).items() if faults[0].stops_sending}


def _urgency(fault: StoredAccountFault) -> tuple[bool, datetime, str]:
    return not fault.stops_sending, fault.since, fault.ability
