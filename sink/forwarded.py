"""Polls of complaints where they stand: which are due, and up to where each has been read."""

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
    WHERE f.account IN (*) AND f.poll_at IS NOT NULL AND f.poll_at <= ? ORDER BY f.poll_at LIMIT ?
"""
_CLOSED = ("done", "archived", "rejected")


class ForwardPoll(NamedTuple):
    """A complaint to be polled now."""

    complaint: str
    account: str
    native: str
    cursor: str | None
    last: bool
    """It is quiet: this poll is the last."""


class ForwardPollResult(NamedTuple):
    """A poll that was made."""

    poll: ForwardPoll
    epoch: int
    cursor: str | None
    poll_at: datetime | None
    """None: it is followed no more."""


def due_polls(record: Record, accounts: Collection[str], most: int, now: datetime) -> list[ForwardPoll]:
    """The polls that are due, the longest overdue first. Raises Retry."""
    at = instant_encoder(record.engine)(now)
    with record.read() as connection:
        rows = list(query_in(connection, _DUE, accounts, at, most))
    return [_poll(row, now) for row in rows]


def store_polls(record: Record, results: Sequence[ForwardPollResult]) -> set[str]:
    """Store how far was read; returns the accounts whose lease another process holds now: of these nothing is
    stored. Raises Retry."""
    epochs = {lease_name(result.poll.account, POOL): result.epoch for result in results}
    with record.write() as connection:
        encode = instant_encoder(connection)
        held = lock_epochs(connection, epochs)
        ours = [result for result in results if lease_name(result.poll.account, POOL) in held]
        rows = [
            {"complaint": one.poll.complaint, "account": one.poll.account, "cursor": one.cursor,
             "poll_at": None if one.poll_at is None else encode(one.poll_at)}
            for one in ours
        ]  # fmt: skip
        sql = (
            "UPDATE forwarded SET cursor = :cursor, poll_at = :poll_at WHERE complaint = :complaint "
            "AND account = :account"
        )
        execute_each(connection, forwarded, sql, rows)
    return {result.poll.account for result in results} - {result.poll.account for result in ours}


def poll_soon(record: Record, pairs: Collection[tuple[str, str]], now: datetime) -> None:
    """Poll these (complaint, account) at once, quiet ones too. Raises Retry."""
    with record.write() as connection:
        at = instant_encoder(connection)(now)
        sql = "UPDATE forwarded SET poll_at = :poll_at WHERE complaint = :complaint AND account = :account"
        rows = [{"complaint": complaint, "account": account, "poll_at": at} for complaint, account in pairs]
        execute_each(connection, forwarded, sql, rows)


def _poll(row: Any, now: datetime) -> ForwardPoll:
    heard = None if row.updated_at is None else parse_instant(row.updated_at)
    quiet = row.status in _CLOSED and heard is not None and now - heard > QUIET
    return ForwardPoll(row.complaint, row.account, row.native, row.cursor, quiet)
