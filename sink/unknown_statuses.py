"""Words for a status that other systems said and no account's table knows."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sink.record import Record
from sink.tables import actions, complaints

MOST, SHOWN = 100, 5
"""Words that are named at once, and complaints of each."""


class UnknownStatus(NamedTuple):
    """A word, and how often it came by an account."""

    account: str
    word: str
    times: int
    numbers: tuple[str, ...]
    """Of the newest complaints for which it came, at most `SHOWN`."""


def unknown_statuses(record: Record, since: datetime) -> list[UnknownStatus]:
    """Those that came since then, at most `MOST`. Raises Retry."""
    a = actions.c
    query = (
        select(a.account, a.status_said, func.count().label("times"))
        .where(a.received_at >= since, a.reason == "status_unknown", a.status_said.is_not(None))
        .group_by(a.account, a.status_said).order_by(a.account, a.status_said).limit(MOST)
    )  # fmt: skip
    with record.read() as connection:
        found = connection.execute(query).all()
        return [
            UnknownStatus(one.account, word := str(one.status_said), one.times,
                          _newest(connection, one.account, word, since))
            for one in found
        ]  # fmt: skip


def _newest(connection: Connection, account: str, word: str, since: datetime) -> tuple[str, ...]:
    a, c = actions.c, complaints.c
    query = select(c.number, func.max(a.received_at)).join(actions, a.complaint == c.id)
    query = query.where(a.received_at >= since, a.account == account, a.status_said == word)
    query = query.where(a.reason == "status_unknown").group_by(c.number)
    rows = connection.execute(query.order_by(func.max(a.received_at).desc(), c.number).limit(SHOWN))
    return tuple(number for number, _ in rows)
