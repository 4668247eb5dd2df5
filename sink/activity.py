"""In which hours each account took something in: at most 57 rows an account.

A row holds the hours of a UTC day as bits. Indonesia's zones know no summer time, so an hour of the week is the same
one in any of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from sink.bulk import execute_each, insert, query_in
from sink.record import Record
from sink.tables import activity

DAYS = 56
"""Days that are remembered: eight of each hour of the week."""
_UPSERT = "ON CONFLICT (account, day) DO UPDATE SET hours = activity.hours | excluded.hours"
_FORGET = "DELETE FROM activity WHERE account = :account AND day < :day"


def hour_of(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp()) // 3600


def mark_active(connection: Connection, raws: Iterable[tuple[str, str, datetime]]) -> None:
    """Remember the hours in which these Raws (id, account, received at) came. An hour that is remembered already costs
    no write; marked again after a lost answer it changes nothing."""
    hours: dict[tuple[str, int], int] = defaultdict(int)
    for _, account, at in raws:
        day, hour = divmod(hour_of(at), 24)
        hours[account, day] |= 1 << hour
    known = _known(connection, hours)
    new = {key: bits for key, bits in hours.items() if bits & ~known.get(key, 0)}
    rows = [{"account": account, "day": day, "hours": bits} for (account, day), bits in sorted(new.items())]
    insert(connection, activity, rows, _UPSERT)
    begun: dict[str, int] = {}
    for account, day in new.keys() - known.keys():
        begun[account] = max(day, begun.get(account, 0))
    over = [{"account": account, "day": day - DAYS} for account, day in begun.items()]
    execute_each(connection, activity, _FORGET, over)


def active_hours(record: Record, now: datetime) -> dict[str, list[int]]:
    """The hours (since 1970) in which each account took something in, in order, of the last 56 days. Raises Retry."""
    today = hour_of(now) // 24
    query = select(activity).where(activity.c.day >= today - DAYS).order_by(activity.c.account, activity.c.day)
    found: dict[str, list[int]] = defaultdict(list)
    with record.read() as connection:
        for account, day, bits in connection.execute(query):
            found[account].extend(day * 24 + hour for hour in range(24) if bits >> hour & 1)
    return dict(found)


def _known(connection: Connection, keys: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    if not keys:
        return {}
    accounts: Sequence[str] = sorted({account for account, _ in keys})
    since = min(day for _, day in keys)
    sql = "SELECT account, day, hours FROM activity WHERE account IN (*) AND day >= ?"
    return {(row.account, row.day): row.hours for row in query_in(connection, sql, accounts, since)}
