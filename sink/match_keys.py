"""The index of reports by the keys that alike ones share, and the reports' profiles, in two tables.

A batch is two queries: the newest reports of each key, then what the likeliest of these are compared by; and its rows
are written with the decisions. The cost follows the keys asked, not the size of the index (`bench/matching.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection

from schemas import CLOSED_STATUSES
from schemas.memory import BUCKET, NEWEST, REPORT_BITS, SCORED, Candidate, Entry, Profile, report_bits, sharing_most
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
# PostgreSQL answers with a row for each report, SQLite with JSON of all reports of a key: each is the cheaper there
_KEYS = {
    "sqlite": """
        WITH a AS MATERIALIZED (SELECT CAST(b.key AS integer) AS bucket, k.value AS key
        FROM json_each(?) b, json_each(b.value) k)
        SELECT a.bucket, a.key, (SELECT json_group_array(json_array(at, report)) FROM (SELECT at, report FROM match_keys
        WHERE bucket = a.bucket AND key = a.key ORDER BY at DESC, report DESC LIMIT :newest)) FROM a
        WHERE EXISTS (SELECT 1 FROM match_keys WHERE bucket = a.bucket AND key = a.key)""".replace(
        ":newest", str(NEWEST)
    ),
    "postgresql": """
        SELECT a.bucket, a.key, k.at, k.report FROM unnest(%b::integer[], %b::bigint[]) AS a(bucket, key)
        CROSS JOIN LATERAL (SELECT m.at, m.report FROM match_keys m WHERE m.bucket = a.bucket AND m.key = a.key
        ORDER BY m.at DESC, m.report DESC LIMIT :newest) k""".replace(":newest", str(NEWEST)),
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


def rows_of(entry: Entry, reporter: bytes, sender: bytes) -> tuple[list[Row], Row]:
    """The rows of `match_keys` and the row of `match_reports` of a complaint that the entry opened."""
    profile, decision, complaint = entry.profile, entry.decision, entry.decision.complaint or ""
    assert profile is not None
    at, report = profile.at, report_bits(complaint)
    linked = (m.of for m in decision.matches if m.kind == "same_incident")
    return [{"bucket": b, "key": key, "at": at, "report": report} for b, key in profile.stored_under], {
        "bucket": profile.bucket, "at": at, "report": report,
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


Pair = tuple[int, int]
_decode = msgspec.json.Decoder(list[Pair]).decode
_REPORT_MASK = (1 << REPORT_BITS) - 1


def alike_references(connection: Connection, asked: Iterable[Sequence[Pair]]) -> dict[Pair, list[int]]:
    """By bucket and key, references of the newest reports, the newest last. `asked` are those of each profile."""
    found: dict[Pair, list[int]] = {}
    pairs = sorted(set(chain.from_iterable(asked)))
    for bucket, key, *places in _query(connection, _KEYS, pairs, _by_bucket):
        references = found.setdefault((bucket, key), [])
        pairs = _decode(places[0]) if len(places) == 1 else [places]
        references += [at << REPORT_BITS | report for at, report in pairs]
    for references in found.values():
        references.sort()
    return found


def reports_of(
    connection: Connection, references: Iterable[int], senders: Mapping[bytes, str], sender_names: Mapping[bytes, str]
) -> dict[int, Candidate]:
    """What is compared, by reference. `senders` are the identities of the batch by their hashes, `sender_names` what
    tells its senders apart."""
    split = ((reference >> REPORT_BITS, reference & _REPORT_MASK) for reference in sorted(references))
    rows = _query(connection, _REPORTS, [(at // BUCKET, at, report) for at, report in split])
    return {row[1] << REPORT_BITS | row[2]: _candidate(row, senders, sender_names) for row in rows}


def likeliest(
    profiles: Iterable[Profile], asked: Iterable[Sequence[Pair]], alike: Mapping[Pair, Sequence[int]]
) -> set[int]:
    """References of all that may be among the `SCORED` of one of the batch, whichever of those before it open reports:
    each of these may push the oldest report of a key out of the newest."""
    opened: Counter[Pair] = Counter()
    found = set[int]()
    for profile, pairs in zip(profiles, asked, strict=True):
        known = [pair for pair in pairs if pair in alike]
        if known:  # what is stored under a key is asked under it too
            found.update(_likeliest([(alike[pair], opened[pair]) for pair in known]))
            opened.update(pair for pair in profile.stored_under if pair in alike)
    return found


def _likeliest(lists: Sequence[tuple[Sequence[int], int]]) -> Iterable[int]:
    shared = Counter(chain.from_iterable(references for references, _ in lists))
    if len(shared) <= SCORED:
        return shared
    surely = shared
    if any(len(references) + pushed > NEWEST for references, pushed in lists):
        kept = [references[max(0, len(references) + pushed - NEWEST) :] for references, pushed in lists]
        surely = Counter(chain.from_iterable(kept))
    if len(surely) < SCORED:
        return shared
    least = min((surely[reference], reference) for reference in sharing_most(surely))
    return [reference for reference, n in shared.items() if (n, reference) >= least]


def _by_bucket(pairs: Sequence[Pair]) -> dict[int, list[int]]:
    """The keys of each bucket: SQLite takes such JSON apart in half the time."""
    return {bucket: [key for _, key in found] for bucket, found in groupby(pairs, itemgetter(0))}


def _query(
    connection: Connection, statements: Mapping[str, str], rows: Sequence[Any], as_json: Callable[[Any], Any] = list
) -> Iterable[Any]:
    if not rows:
        return ()
    dialect = connection.dialect.name
    if dialect == "sqlite":
        return connection.exec_driver_sql(statements[dialect], (msgspec.json.encode(as_json(rows)).decode(),)).all()
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    return connection.exec_driver_sql(statements[dialect], columns).all()


def _candidate(row: Any, senders: Mapping[bytes, str], sender_names: Mapping[bytes, str]) -> Candidate:
    """Of the columns `_REPORT`."""
    (_, at, _, complaint, number, place, lat, lon, category, words, reporter, sender, linked,
     recorded, incident, status) = row  # fmt: skip
    sender = bytes(sender)
    return Candidate(
        complaint=complaint, number=number, last_at=datetime.fromtimestamp(at, UTC), closed=status in CLOSED_STATUSES,
        region=place, reporter=known_identities(bytes(reporter), senders),
        profile=Profile(at=at, words=bytes(words), place=place, lat=lat, lon=lon, category=category),
        incident=(linked if recorded is None else incident) or complaint,
        sender=sender_names.get(sender) or sender.hex(),
    )  # fmt: skip
