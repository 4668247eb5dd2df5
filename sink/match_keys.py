"""The index of reports by the keys that alike ones share, and the reports' profiles, in two tables.

A batch is two queries: the newest reports of each key, then what these are compared by; and its rows are written with
the decisions. The cost follows the keys asked, not the size of the index (`bench/matching.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection

from schemas import CLOSED_STATUSES
from schemas.memory import BUCKET, NEWEST, Candidate, Entry, Profile, Query
from sink.memory_keys import known_identities

Row = dict[str, Any]
_REPORT = (
    "r.bucket, r.at, r.report, r.complaint, r.number, r.place, r.lat, r.lon, r.category, r.words, r.reporter, "
    "r.sender, r.incident, c.id, c.incident_id, c.status"
)
_FROM_REPORTS = (
    "JOIN match_reports r ON r.bucket = a.bucket AND r.at = a.at AND r.report = a.report "
    "LEFT JOIN complaints c ON c.id = r.complaint"
)
_KEYS = {
    "sqlite": """
        WITH a AS MATERIALIZED (SELECT value->>0 AS bucket, value->>1 AS key FROM json_each(?))
        SELECT a.bucket, a.key, k.at, k.report FROM a CROSS JOIN match_keys k ON k.bucket = a.bucket AND k.key = a.key
        AND k.at >= coalesce((SELECT m.at FROM match_keys m WHERE m.bucket = a.bucket AND m.key = a.key
        ORDER BY m.at DESC LIMIT 1 OFFSET :newest - 1), 0)""".replace(":newest", str(NEWEST)),
    "postgresql": """
        SELECT a.bucket, a.key, k.at, k.report FROM unnest(%b::integer[], %b::bigint[]) AS a(bucket, key)
        CROSS JOIN LATERAL (SELECT m.at, m.report FROM match_keys m WHERE m.bucket = a.bucket AND m.key = a.key
        ORDER BY m.at DESC FETCH FIRST :newest ROWS WITH TIES) k""".replace(":newest", str(NEWEST)),
}
_REPORTS = {
    "sqlite": "WITH a AS MATERIALIZED (SELECT value->>0 AS bucket, value->>1 AS at, value->>2 AS report "  # noqa: S608 - ours
    f"FROM json_each(?)) SELECT {_REPORT} FROM a CROSS {_FROM_REPORTS}",
    "postgresql": f"SELECT {_REPORT} FROM unnest(%b::integer[], %b::bigint[], %b::bigint[]) AS a(bucket, at, report) "  # noqa: S608 - ours
    f"{_FROM_REPORTS}",
}
PROFILE = "n.reported_at, r.place, r.lat, r.lon, r.category, r.words"
"""Columns of `profile_of_row`."""
JOIN_PROFILE = (
    f"LEFT JOIN match_reports r ON r.bucket = n.reported_at / {BUCKET} AND r.at = n.reported_at "
    "AND r.complaint = n.complaint"
)
"""To `numbers n`."""


def report_key(complaint: str) -> int:
    """63 bits."""
    return int.from_bytes(blake2b(complaint.encode("utf-8", "replace"), digest_size=8).digest()) >> 1


def rows_of(entry: Entry, reporter: bytes, sender: bytes) -> tuple[list[Row], Row]:
    """The rows of `match_keys` and the row of `match_reports` of a complaint that the entry opened."""
    profile, decision, complaint = entry.profile, entry.decision, entry.decision.complaint or ""
    assert profile is not None
    place = {"bucket": profile.bucket, "at": profile.at, "report": report_key(complaint)}
    linked = (m.of for m in decision.matches if m.kind == "same_incident")
    return [{**place, "bucket": bucket, "key": key} for bucket, key in profile.stored_under], {
        **place,
        "owner": entry.item.owner, "complaint": complaint, "number": decision.number or "",
        "incident": next(linked, None),
        "place": profile.place, "lat": profile.lat, "lon": profile.lon, "category": profile.category,
        "words": profile.words, "reporter": reporter, "sender": sender,
    }  # fmt: skip


def profile_of_row(reported_at: int | None, *columns: Any) -> Profile | None:
    """Of the columns `PROFILE`."""
    if reported_at is None or columns[-1] is None:
        return None
    place, lat, lon, category, words = columns
    return Profile(at=reported_at, keys=(), words=bytes(words), place=place, lat=lat, lon=lon, category=category)


def alike_reports(
    connection: Connection, queries: Iterable[Query], senders: Mapping[bytes, str], sender_names: Mapping[bytes, str]
) -> dict[tuple[int, int], list[Candidate]]:
    """By bucket and key, the newest reports. `senders` are the identities of the batch by their hashes,
    `sender_names` what tells its senders apart."""
    profiles = [query.profile for query in queries if query.profile is not None]
    asked = sorted({pair for profile in profiles for pair in profile.asked_under})
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for bucket, key, at, report in _query(connection, _KEYS, asked):
        found[bucket, key].append((at // BUCKET, at, report))
    wanted = sorted({report for reports in found.values() for report in reports})
    rows = {(r.bucket, r.at, r.report): r for r in _query(connection, _REPORTS, wanted)}
    known = {place: _candidate(row, senders, sender_names) for place, row in rows.items()}
    return {key: newest(known[report] for report in reports if report in known) for key, reports in found.items()}


def newest(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that are kept of one key."""
    return sorted(candidates, key=_order, reverse=True)[:NEWEST]


_order: Callable[[Candidate], tuple[int, str]] = Candidate.order.fget  # type: ignore[attr-defined] # a property


def _query(connection: Connection, statements: Mapping[str, str], rows: Sequence[tuple[int, ...]]) -> Iterable[Any]:
    if not rows:
        return ()
    dialect = connection.dialect.name
    if dialect == "sqlite":
        return connection.exec_driver_sql(statements[dialect], (msgspec.json.encode(rows).decode(),))
    return connection.exec_driver_sql(statements[dialect], tuple(list(column) for column in zip(*rows, strict=True)))


def _candidate(row: Any, senders: Mapping[bytes, str], sender_names: Mapping[bytes, str]) -> Candidate:
    incident = row.incident if row.id is None else row.incident_id
    sender = bytes(row.sender)
    return Candidate(
        complaint=row.complaint, number=row.number, last_at=datetime.fromtimestamp(row.at, UTC),
        closed=row.status in CLOSED_STATUSES, region=row.place,
        reporter=known_identities(bytes(row.reporter), senders),
        profile=Profile(at=row.at, keys=(), words=bytes(row.words), place=row.place, lat=row.lat, lon=row.lon,
                        category=row.category),
        incident=incident or row.complaint, sender=sender_names.get(sender, sender.hex()),
    )  # fmt: skip
