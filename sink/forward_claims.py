"""Forwards claimed to be done, as jobs are, with where the complaint stands and whether it is their turn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from schemas import Forward
from sink.bulk import query_in
from sink.forward_queue import FOLLOWUP, FORWARDS, job_id
from sink.instant import parse_instant
from sink.job_claims import Claimable, claim_jobs
from sink.jobs import ClaimedJob
from sink.record import Record

POOL = "forward"
"""The leases under which accounts are forwarded for."""
NEEDS_PERSON = "needs_person"
"""The code of a job that waits until a person says what became of its step."""
NOT_THERE_YET = "not_there_yet"
EARLIER_FIRST = "earlier_first"
REFUSED_THERE = "refused_there"
_forward = msgspec.json.Decoder(Forward).decode


class ClaimedForward(NamedTuple):
    """A forward to be done now."""

    job: ClaimedJob
    forward: Forward
    waits: str | None = None
    """Why it is not its turn: the complaint does not stand there yet, or was refused there, or something was said
    before it."""


class ForwardFileRow(NamedTuple):
    """A file as the record has it."""

    name: str | None
    media_type: str | None
    shown: str | None
    """SHA-256 of the bytes that may leave. None: none may."""
    pending: bool
    """It may still be fetched, or pass its check."""


def claim_forwards(
    record: Record, epochs: Mapping[str, int], room: Mapping[str, int], *, in_flight: Collection[str], now: datetime,
    state: Claimable = "waiting",
) -> list[ClaimedForward]:  # fmt: skip
    """Claim forwards to be done, or (`unknown`) to be looked up, as `claim_jobs` does. Raises Retry."""
    claimed = claim_jobs(record, FORWARDS, epochs, room, in_flight=in_flight, now=now, state=state, pool=POOL)
    if not claimed:
        return []
    complaints = {job.complaint for job in claimed}
    with record.read() as connection:
        natives = _natives(connection, complaints)
        first = _first_followups(connection, complaints)
        refused = _refused(
            connection, (_where(job) for job in claimed if job.kind == FOLLOWUP and _where(job) not in natives)
        )
    return [_claimed(job, natives, first, refused) for job in claimed]


def read_forward(args: Mapping[str, Any]) -> Forward:
    """The forward that a job's arguments hold."""
    return _forward(args["forward"])


def forward_files(record: Record, ids: Collection[str]) -> list[ForwardFileRow]:
    """The files of a forward in order. Raises Retry."""
    sql = "SELECT id, name, media_type, state, check_at, shown, shown_type FROM attachments WHERE id IN (*)"
    with record.read() as connection:
        rows = {row.id: row for row in query_in(connection, sql, ids)}
    opened = record.vault.open
    return [
        ForwardFileRow(
            opened(r.name, "attachments.name") if r.name else None, r.shown_type or r.media_type, r.shown,
            r.state == "referenced" or (r.shown is None and r.check_at is not None),
        )
        for r in (rows[id] for id in ids if id in rows)
    ]  # fmt: skip


def _where(job: ClaimedJob) -> tuple[str, str]:
    return job.complaint or "", job.account


def _claimed(
    job: ClaimedJob,
    natives: Mapping[tuple[str, str], str],
    first: Mapping[tuple[str, str], tuple[datetime, str]],
    refused: Collection[tuple[str, str]],
) -> ClaimedForward:
    where = _where(job)
    forward = replace(read_forward(job.args), native=natives.get(where))
    if job.kind != FOLLOWUP:
        return ClaimedForward(job, forward)
    if forward.native is None and where not in refused:
        return ClaimedForward(job, forward, NOT_THERE_YET)
    own = job.created_at, job.id
    if first.get(where, own) < own:
        return ClaimedForward(job, forward, EARLIER_FIRST)
    return ClaimedForward(job, forward, REFUSED_THERE if forward.native is None else None)


def _natives(connection: Connection, complaints: Collection[Any]) -> dict[tuple[str, str], str]:
    sql = "SELECT complaint, account, native FROM forwarded WHERE complaint IN (*)"
    return {(row.complaint, row.account): row.native for row in query_in(connection, sql, complaints)}


def _refused(connection: Connection, places: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these complaints and accounts that were refused, or given up."""
    ids = {job_id(account, complaint) for complaint, account in places}
    rows = query_in(connection, "SELECT complaint, account FROM jobs WHERE id IN (*) AND state = 'failed'", ids)
    return {(row.complaint, row.account) for row in rows}


def _first_followups(
    connection: Connection, complaints: Collection[Any]
) -> dict[tuple[str, str], tuple[datetime, str]]:
    """When the oldest open followup of each complaint was queued, and its id, which gives what was queued at once an
    order. One that has failed, or waits for a person, holds up nothing."""
    sql = (
        "SELECT complaint, account, created_at, min(id) AS id FROM jobs WHERE complaint IN (*) "
        "AND kind = 'followup' AND state <> 'done' AND state <> 'failed' "
        "AND coalesce(code, '') <> 'needs_person' GROUP BY complaint, account, created_at"
    )
    first: dict[tuple[str, str], tuple[datetime, str]] = {}
    for row in query_in(connection, sql, complaints):
        where, queued = (row.complaint, row.account), (parse_instant(row.created_at), row.id)
        first[where] = min(queued, first.get(where, queued))
    return first
