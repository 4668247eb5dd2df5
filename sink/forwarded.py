"""Looks at complaints where they stand: which are due, and up to where each has been looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sink.bulk import execute_each, instant_encoder, query_in
from sink.forward_claims import POOL
from sink.instant import parse_instant
from sink.leases import lease_name, lock_epochs
from sink.record import Record
from sink.tables import forwarded

QUIET = timedelta(days=14)
"""A closed complaint of which nothing was heard for so long is followed no more."""
_DUE = """
    SELECT f.complaint, f.account, f.native, f.cursor, c.status, c.updated_at
    FROM forwarded f LEFT JOIN complaints c ON c.id = f.complaint
    WHERE f.account IN (*) AND f.look_at IS NOT NULL AND f.look_at <= ? ORDER BY f.look_at LIMIT ?
"""
_CLOSED = ("done", "archived", "rejected")


class Look(NamedTuple):
    """A complaint to be looked at now."""

    complaint: str
    account: str
    native: str
    cursor: str | None
    last: bool
    """It is quiet: this look is the last."""


class LookResult(NamedTuple):
    """A look that was taken."""

    look: Look
    epoch: int
    cursor: str | None
    look_at: datetime | None
    """None: it is followed no more."""


def due_looks(record: Record, accounts: Collection[str], most: int, now: datetime) -> list[Look]:
    """The looks that are due, the longest overdue first. Raises Retry."""
    at = instant_encoder(record.engine)(now)
    with record.read() as connection:
        rows = list(query_in(connection, _DUE, accounts, at, most))
    return [_look(row, now) for row in rows]


def store_looks(record: Record, results: Sequence[LookResult]) -> set[str]:
    """Store up to where was looked; returns the accounts whose lease another process holds now: of these nothing is
    stored. Raises Retry."""
    epochs = {lease_name(result.look.account, POOL): result.epoch for result in results}
    with record.write() as connection:
        encode = instant_encoder(connection)
        held = lock_epochs(connection, epochs)
        ours = [result for result in results if lease_name(result.look.account, POOL) in held]
        rows = [
            {"complaint": one.look.complaint, "account": one.look.account, "cursor": one.cursor,
             "look_at": None if one.look_at is None else encode(one.look_at)}
            for one in ours
        ]  # fmt: skip
        sql = (
            "UPDATE forwarded SET cursor = :cursor, look_at = :look_at WHERE complaint = :complaint "
            "AND account = :account"
        )
        execute_each(connection, forwarded, sql, rows)
    return {result.look.account for result in results} - {result.look.account for result in ours}


def look_soon(record: Record, pairs: Collection[tuple[str, str]], now: datetime) -> None:
    """Look at these (complaint, account) at once, quiet ones too. Raises Retry."""
    with record.write() as connection:
        at = instant_encoder(connection)(now)
        sql = "UPDATE forwarded SET look_at = :look_at WHERE complaint = :complaint AND account = :account"
        rows = [{"complaint": complaint, "account": account, "look_at": at} for complaint, account in pairs]
        execute_each(connection, forwarded, sql, rows)


def _look(row: Any, now: datetime) -> Look:
    heard = None if row.updated_at is None else parse_instant(row.updated_at)
    quiet = row.status in _CLOSED and heard is not None and now - heard > QUIET
    return Look(row.complaint, row.account, row.native, row.cursor, quiet)
