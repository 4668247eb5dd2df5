"""Words for a status that other systems said and no account's table knows."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from sink.record import Record
from sink.tables import actions

MOST = 100
"""Words that are named at once."""


class UnknownStatus(NamedTuple):
    """A word, and how often it came by an account."""

    account: str
    word: str
    times: int


def unknown_statuses(record: Record, since: datetime) -> list[UnknownStatus]:
    """Those that came since then, at most `MOST`. Raises Retry."""
    a = actions.c
    query = (
        select(a.account, a.status_said, func.count())
        .where(a.received_at >= since, a.reason == "status_unknown", a.status_said.is_not(None))
        .group_by(a.account, a.status_said).order_by(a.account, a.status_said).limit(MOST)
    )  # fmt: skip
    with record.read() as connection:
        return [UnknownStatus(*row) for row in connection.execute(query)]
