"""Leases: which process polls an account, holds its session and sends its replies.

A lease's epoch grows whenever its holder changes, and never falls. Whatever a holder writes about an account names its
epoch, and is refused once another process took the account over (`StaleEpoch`, `lock_epochs`). A holder's name is drawn
anew by every process that starts: an epoch never spans two runs.

PostgreSQL's own clock decides when a lease lapses, so that the clocks of the processes may differ; SQLite takes the
caller's. A holder relies on its lease for `ttl` seconds from before it called `renew_leases`, by its monotonic clock.
Where that clock was ahead and was put right, what a dead holder left would last as long as it had been ahead: each call
of `renew_leases` shortens it to `ttl` from now, within which a holder that lives renews it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from sink.bulk import execute_each, insert, instant_encoder, lock_rows, query_in
from sink.instant import parse_instant
from sink.record import Record
from sink.tables import lease_holders, leases

TTL = 15.0
"""Seconds after which the accounts of a process that died are free."""
FORGOTTEN = timedelta(days=1)
"""After which a process that ended without a word is deleted from the holders."""


def lease_name(account: str, pool: str = "") -> str:
    """The lease's name in the table: each pool has leases of its own on an account."""
    return f"{pool}/{account}" if pool else account


class StaleEpoch(Exception):  # noqa: N818 - it says what happened
    """Another process holds the account's lease now: nothing was written."""


class Lease(NamedTuple):
    """A row of the table."""

    account: str
    holder: str
    """Empty: it was given back."""
    epoch: int
    until: datetime


def renew_leases(
    record: Record, holder: str, wanted: Collection[str], *, now: datetime, ttl: float = TTL,
    idle: Collection[str] = frozenset(), pool: str = "",
) -> dict[str, int]:  # fmt: skip
    """Renew the holder's leases, and take free or lapsed ones up to its fair share of the `wanted` accounts among the
    live holders; returns the epoch of each account held. A surplus is given back, as far as accounts are `idle`: with
    nothing in flight and no session. An account that is wanted no more lapses. Raises Retry."""
    with record.write(urgent=True) as connection:
        at = current_time(connection, now)
        until = at + timedelta(seconds=ttl)
        _shorten(connection, until, until + timedelta(seconds=ttl))
        share = -(-len(wanted) // _live_holders(connection, (holder, pool), at, until))
        held = _renewed(connection, holder, wanted, until)
        surplus = sorted(held.keys() & set(idle))[: max(0, len(held) - share)]
        _give_back(connection, holder, surplus)
        free = _free(connection, set(wanted) - held.keys(), share - len(held), at)
        taken = _taken(connection, holder, free, until)
    return {account: epoch for account, epoch in held.items() if account not in surplus} | taken


def release_leases(record: Record, holder: str, accounts: Collection[str] | None = None) -> None:
    """Give these accounts back; None: all of them, and the holder counts no more. Raises Retry."""
    with record.write(urgent=True) as connection:
        if accounts is None:
            accounts = connection.execute(select(leases.c.account).where(leases.c.holder == holder)).scalars().all()
            connection.execute(lease_holders.delete().where(lease_holders.c.holder == holder))
        _give_back(connection, holder, accounts)


def list_leases(record: Record) -> list[Lease]:
    """All leases, lapsed ones too. Raises Retry."""
    query = select(leases.c.account, leases.c.holder, leases.c.epoch, leases.c.until).order_by(leases.c.account)
    with record.read() as connection:
        return [Lease(*row) for row in connection.execute(query)]


def live_leases(record: Record, now: datetime) -> dict[str, str]:
    """The holder of each account that has one, by the clock by which leases lapse. Raises Retry."""
    with record.read() as connection:
        at = current_time(connection, now)
    return {lease.account: lease.holder for lease in list_leases(record) if lease.holder and lease.until > at}


def lock_epochs(connection: Connection, epochs: Mapping[str, int]) -> dict[str, int]:
    """Those accounts of which the lease still has that epoch; nobody takes them over before the transaction ends."""
    sql = "SELECT account, epoch FROM leases WHERE account IN (*)"
    if connection.dialect.name == "postgresql":
        sql += " ORDER BY account FOR SHARE"
    found = dict(tuple(row) for row in query_in(connection, sql, epochs))
    return {account: epoch for account, epoch in epochs.items() if found.get(account) == epoch}


def require_epoch(connection: Connection, account: str, epoch: int) -> None:
    """As `lock_epochs`, for one account. Raises StaleEpoch."""
    if not lock_epochs(connection, {account: epoch}):
        raise StaleEpoch(account)


def current_time(connection: Connection, now: datetime) -> datetime:
    """PostgreSQL's clock; on SQLite the caller's."""
    if connection.dialect.name == "sqlite":
        return now
    found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return found


def _shorten(connection: Connection, until: datetime, limit: datetime) -> None:
    """Have what would last beyond the limit end at `until`: it was written while the clock was ahead."""
    encoded = instant_encoder(connection)(until)
    for table, key in ((lease_holders, "holder"), (leases, "account")):
        found = connection.execute(select(table.c[key]).where(table.c.until > limit)).scalars().all()
        lock_rows(connection, table, key, found)
        sql = f"UPDATE {table.name} SET until = :until WHERE {key} = :{key}"  # noqa: S608 - our own names
        execute_each(connection, table, sql, [{key: name, "until": encoded} for name in found])


def _live_holders(connection: Connection, us: tuple[str, str], at: datetime, until: datetime) -> int:
    """How many processes of our pool share the accounts, this one included."""
    holder, pool = us
    row = {"holder": holder, "pool": pool, "until": instant_encoder(connection)(until)}
    insert(connection, lease_holders, [row], "ON CONFLICT (holder) DO UPDATE SET until = excluded.until")
    found = connection.exec_driver_sql("SELECT holder, pool, until FROM lease_holders ORDER BY holder")
    until_of = {(row.holder, row.pool): parse_instant(row.until) for row in found}
    before = at - FORGOTTEN
    ended = [holder for (holder, _), end in until_of.items() if end < before]
    sql = "DELETE FROM lease_holders WHERE holder = :holder AND until < :until"  # it may have renewed meanwhile
    encoded = instant_encoder(connection)(before)
    execute_each(connection, lease_holders, sql, [{"holder": holder, "until": encoded} for holder in ended])
    return sum(of == pool and end > at for (_, of), end in until_of.items())


def _renewed(connection: Connection, holder: str, wanted: Collection[str], until: datetime) -> dict[str, int]:
    """A lapsed lease that nobody took is still the holder's, with the same epoch."""
    mine = "SELECT account, epoch FROM leases WHERE holder IN (*)"
    lock_rows(connection, leases, "account", [row.account for row in query_in(connection, mine, [holder])])
    found = query_in(connection, mine, [holder])  # again, under the lock
    held = {row.account: row.epoch for row in found if row.account in wanted}
    encoded = instant_encoder(connection)(until)
    sql = "UPDATE leases SET until = :until WHERE account = :account"
    execute_each(connection, leases, sql, [{"account": account, "until": encoded} for account in held])
    return held


def _give_back(connection: Connection, holder: str, accounts: Iterable[str]) -> None:
    sql = "UPDATE leases SET holder = '' WHERE account = :account AND holder = :holder"
    execute_each(connection, leases, sql, [{"account": account, "holder": holder} for account in accounts])


def _free(connection: Connection, accounts: Collection[str], room: int, at: datetime) -> dict[str, int]:
    """Up to `room` accounts that nobody holds, locked, with their last epoch. One about which its old holder is writing
    at this moment is left for the next time."""
    if room <= 0 or not accounts:
        return {}
    encoded = instant_encoder(connection)(at)
    known = {
        account for (account,) in query_in(connection, "SELECT account FROM leases WHERE account IN (*)", accounts)
    }
    new = [{"account": account, "holder": "", "epoch": 0, "until": encoded} for account in set(accounts) - known]
    insert(connection, leases, new, "ON CONFLICT (account) DO NOTHING")  # only new ones: it waits for a row's writer
    sql = "SELECT account, epoch FROM leases WHERE account IN (*) AND (holder = '' OR until <= ?) ORDER BY account"
    if connection.dialect.name == "postgresql":
        sql += f" LIMIT {room} FOR UPDATE SKIP LOCKED"
    return dict(islice((tuple(row) for row in query_in(connection, sql, accounts, encoded)), room))


def _taken(connection: Connection, holder: str, free: Mapping[str, int], until: datetime) -> dict[str, int]:
    encoded = instant_encoder(connection)(until)
    rows = [{"account": a, "holder": holder, "epoch": epoch + 1, "until": encoded} for a, epoch in free.items()]
    sql = "UPDATE leases SET holder = :holder, epoch = :epoch, until = :until WHERE account = :account"
    execute_each(connection, leases, sql, rows)
    return {account: epoch + 1 for account, epoch in free.items()}
