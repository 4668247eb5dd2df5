"""Our side of the reconciliation with another system: what stands there by our record, and what is under way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sink.bulk import instant_encoder, query_in
from sink.record import Record

PAGE = 500
_PAGE = """
    SELECT f.complaint, f.native, c.number, c.status FROM forwarded f LEFT JOIN complaints c ON c.id = f.complaint
    WHERE f.account IN (*) AND f.complaint > ?
        AND (c.id IS NULL OR c.updated_at >= ? OR c.status NOT IN ('done', 'archived', 'rejected'))
    ORDER BY f.complaint LIMIT ?
"""
_TWICE = """
    SELECT f.complaint, f.native, c.number FROM forwarded f LEFT JOIN complaints c ON c.id = f.complaint
    WHERE f.account IN (*) AND f.native IN (
        SELECT native FROM forwarded WHERE account = ? GROUP BY native HAVING count(complaint) > 1
    ) ORDER BY f.native, f.complaint LIMIT 1000
"""


class OurView(NamedTuple):
    """A complaint as our record has it standing there."""

    complaint: str
    native: str
    number: str | None
    status: str | None


class Difference(NamedTuple):
    """Something in which our record and another system differ."""

    account: str
    what: str
    """missing | failed | in_doubt | twice_here | twice_there | gone | status"""
    number: str | None
    native: str | None
    detail: str
    """What differs, and what to do about it. Nothing personal."""
    repair: str | None = None
    """What repairs it by a clear rule; None: a person has to look."""
    complaint: str | None = None


def forwarded_pages(record: Record, account: str, since: datetime) -> Iterator[list[OurView]]:
    """What stands there and is open, or changed since, page by page. Raises Retry."""
    at, after = instant_encoder(record.engine)(since), ""
    while True:
        with record.read() as connection:
            rows = list(query_in(connection, _PAGE, [account], after, at, PAGE))
        if not rows:
            return
        yield [OurView(row.complaint, row.native, row.number, row.status) for row in rows]
        after = rows[-1].complaint


def twice_here(record: Record, account: str) -> list[Difference]:
    """Complaints of ours that share one id there. Raises Retry."""
    with record.read() as connection:
        rows: list[Any] = list(query_in(connection, _TWICE, [account], account))
    detail = "another complaint of ours has the same id there: look which of them it is, and join them"
    return [Difference(account, "twice_here", row.number, row.native, detail) for row in rows]
