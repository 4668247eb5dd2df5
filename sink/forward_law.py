"""The second conservation law: every complaint that must stand in the national record stands there once, or says why
not yet.

The one side is the complaints themselves, asked anew whether they must stand there; the other is where they stand and
what is under way. What is on no side is `missing`, and is an alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from schemas import Forward, Place
from sink.bulk import instant_encoder, query_in
from sink.database import allow_long_statements
from sink.forward_claims import NEEDS_PERSON
from sink.forward_queue import FORWARD, Destination, came_from
from sink.instant import parse_instant
from sink.record import Record

MOST = 10_000
"""Missing complaints that are counted; more are as bad."""
_JOBS = """
    SELECT j.state, j.code, count(j.id) AS jobs, min(j.created_at) AS oldest FROM jobs j
    LEFT JOIN forwarded f ON f.complaint = j.complaint AND f.account = j.account
    WHERE j.account IN (*) AND j.kind = ? AND j.state <> 'done' AND f.complaint IS NULL GROUP BY j.state, j.code
"""
_FIRST = "SELECT min(created_at) AS first FROM jobs WHERE account IN (*) AND kind = ?"
_WITHOUT = """
    SELECT c.id, c.number, c.owner, c.channel, c.account, c.place_code, c.received_at, c.sent_at, c.external_ids
    FROM complaints c
    LEFT JOIN forwarded f ON f.complaint = c.id AND f.account IN (*)
    LEFT JOIN jobs j ON j.id = ? || c.id
    WHERE f.complaint IS NULL AND j.id IS NULL AND c.received_at >= ? AND c.received_at < ?
    ORDER BY c.received_at LIMIT ?
"""
_STAND = "SELECT count(complaint) AS n, count(DISTINCT native) AS there FROM forwarded WHERE account IN (*)"


class NationalBalance(NamedTuple):
    """Of one account into the national record."""

    account: str
    stands: int
    """Complaints that stand there."""
    waiting: int
    """On their way."""
    in_doubt: int
    """A create was not answered, and a person has to say what became of it."""
    failed: int
    """Refused there: a person has to see why."""
    missing: int
    """Must stand there, and nothing is under way: an alarm."""
    twice: int
    """Share one id there with another of ours: an alarm."""
    oldest: datetime | None = None
    """When the oldest of those that are not there yet was queued."""

    @property
    def balanced(self) -> bool:
        """Does every complaint stand there once, or say why not yet?"""
        return not self.missing and not self.twice


def national_balances(record: Record, destinations: Sequence[Destination], before: datetime) -> list[NationalBalance]:
    """Of all accounts into the national record, for complaints received before that time. Raises Retry."""
    return [_balance(record, to, destinations, before) for to in destinations if to.national]


def _balance(record: Record, to: Destination, destinations: Sequence[Destination], before: datetime) -> NationalBalance:
    missing = sum(1 for _ in missing_complaints(record, to, destinations, before))
    counts: Counter[str] = Counter()
    oldest = []
    with record.read() as connection:
        allow_long_statements(connection)
        for row in query_in(connection, _JOBS, [to.account], FORWARD):
            counts[_state(row.state, row.code)] += row.jobs
            oldest.append(parse_instant(row.oldest))
        stand = next(query_in(connection, _STAND, [to.account]))
    return NationalBalance(
        to.account, stand.n, counts["waiting"], counts["in_doubt"], counts["failed"], missing, stand.n - stand.there,
        min(oldest, default=None),
    )  # fmt: skip


def missing_complaints(
    record: Record, to: Destination, destinations: Sequence[Destination], before: datetime,
    since: datetime | None = None,
) -> Iterator[Any]:  # fmt: skip
    """Rows of complaints that must stand there and of which nothing is known there. `since` None: from the first one
    that was ever queued for it; what came before the account is no concern of it. Raises Retry."""
    with record.read() as connection:
        allow_long_statements(connection)
        begin = since or _first(connection, to.account)
        if begin is None:
            return
        encode = instant_encoder(connection)
        more = (f"{FORWARD}/{to.account}/", encode(begin), encode(before), MOST)
        rows = list(query_in(connection, _WITHOUT, [to.account], *more))
        elsewhere = _elsewhere(connection, rows, [d for d in destinations if d is not to and d.system == to.system])
    yield from (row for row in rows if row.id not in elsewhere and must_stand(row, to))


def must_stand(row: Any, to: Destination) -> bool:
    """Must the complaint of that row stand there?"""
    if "complaint" not in to.takes or came_from(to, row.account, row.channel):
        return False
    if row.external_ids and f'"{to.system}":' in row.external_ids:
        return False
    place = Place(code=row.place_code) if row.place_code else None
    at = parse_instant(row.received_at)
    about = Forward(
        what="complaint", number=row.number, reference=row.number, at=at, owner=row.owner, channel=row.channel,
        place=place, sent_at=parse_instant(row.sent_at) if row.sent_at else None,
    )  # fmt: skip
    return to.wants(about)


def _first(connection: Connection, account: str) -> datetime | None:
    found = next(query_in(connection, _FIRST, [account], FORWARD)).first
    return None if found is None else parse_instant(found)


def _elsewhere(connection: Connection, rows: Sequence[Any], others: Sequence[Destination]) -> set[str]:
    """Complaints that another account brings into the same system."""
    if not others or not rows:
        return set()
    ids, accounts = [row.id for row in rows], {other.account for other in others}
    forwarded = query_in(connection, "SELECT complaint, account FROM forwarded WHERE complaint IN (*)", ids)
    jobs = [f"{FORWARD}/{account}/{id}" for account in accounts for id in ids]
    queued = query_in(connection, "SELECT complaint, account FROM jobs WHERE id IN (*)", jobs)
    return {row.complaint for found in (forwarded, queued) for row in found if row.account in accounts}


def _state(state: str, code: str | None) -> str:
    if state == "unknown" and code == NEEDS_PERSON:
        return "in_doubt"
    return "failed" if state == "failed" else "waiting"
