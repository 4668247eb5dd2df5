"""How far forwards have come: steps, results and endings of many jobs, stored in one transaction.

Once a step makes the other system's id of a complaint known, the complaint has it: in `external_ids`, in the matcher's
memory (so that what that system says finds it), and in `forwarded` (so that it is followed).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import encode
from sink.account_states import touch_accounts_within
from sink.bulk import execute_each, insert_all, instant_encoder, lock_rows, query_in
from sink.job_results import JobResult, store_job_results, store_steps
from sink.jobs import SEALED, ClaimedJob
from sink.memory_keys import MemoryKeys
from sink.record import Record
from sink.tables import complaints, foreign_ids, forwarded, jobs, timeline

ANSWER = "jobs.answer"
_ids = msgspec.json.Decoder(dict[str, str]).decode
_FOLLOWUPS = (
    "UPDATE jobs SET due_at = :due_at WHERE complaint = :complaint AND kind = 'followup' AND state <> 'done' "
    "AND state = 'waiting'"
)


class ForeignReport(NamedTuple):
    """A complaint as it stands in another system: which, and under which id."""

    complaint: str
    account: str
    """Empty: no account forwards to that system."""
    owner: str
    system: str
    native: str
    follow: bool
    """Is it to be followed there?"""


class Progress(NamedTuple):
    """One job's next state: a step begun, a step done, or its end."""

    job: ClaimedJob
    """As it is now."""
    ends: JobResult | None = None
    """None: the job goes on."""
    foreign: ForeignReport | None = None
    answer: str | None = None
    """The other system's own words of a fault; personal, kept sealed."""


def store_progress(record: Record, progress: Sequence[Progress], now: datetime) -> set[str]:
    """Store all of it; returns the ids of the jobs of which it holds, the rest belonged to claims that were taken over.
    Stored again after a lost answer it changes nothing. Raises Retry."""
    with record.write() as connection:
        held = store_steps(connection, [one.job for one in progress])
        ended = [one.ends for one in progress if one.ends is not None]
        held |= store_job_results(connection, ended, now)
        done = [one for one in progress if one.job.id in held]
        store_foreign_reports(connection, record, [one.foreign for one in done if one.foreign], now)
        _keep_answers(connection, record, done)
        left = [r.job for r in ended if r.state == "done" and r.job.id in held]
        touch_accounts_within(connection, "last_out_at", {job.account: now for job in left})
        _forget_arguments(connection, record, [job.id for job in left if not job.args.get("replayable")])
        return held


def store_foreign_reports(
    connection: Connection, record: Record, reports: Collection[ForeignReport], now: datetime
) -> None:
    """From now on these complaints stand there."""
    if not reports:
        return
    at, keys = instant_encoder(connection)(now), MemoryKeys(record.vault)
    known = _known_ids(connection, {one.complaint for one in reports})
    new = [one for one in reports if known.get(one.complaint, {}).get(one.system) != one.native]
    for one in new:
        known.setdefault(one.complaint, {})[one.system] = one.native
    insert_all(
        connection,
        (forwarded, [_row(one, at) for one in reports if one.account], "ON CONFLICT (complaint, account) DO NOTHING"),
        (foreign_ids, [
            {"key": keys.foreign((one.system, one.native)), "owner": one.owner, "complaint": one.complaint}
            for one in reports
        ], "ON CONFLICT (key) DO NOTHING"),
        (timeline, [_step(one, at) for one in new], ""),
    )  # fmt: skip
    changed = [{"id": id, "external_ids": encode(known[id]).decode()} for id in {one.complaint for one in new}]
    execute_each(connection, complaints, "UPDATE complaints SET external_ids = :external_ids WHERE id = :id", changed)
    released = [{"complaint": id, "due_at": at} for id in {one.complaint for one in reports}]
    execute_each(connection, jobs, _FOLLOWUPS, released)


def _known_ids(connection: Connection, ids: Collection[str]) -> dict[str, dict[str, str]]:
    lock_rows(connection, complaints, "id", ids)
    rows = query_in(connection, "SELECT id, external_ids FROM complaints WHERE id IN (*)", ids)
    return {row.id: known_ids(row.external_ids) for row in rows}


def known_ids(external_ids: str | None) -> dict[str, str]:
    """By system: the ids that a complaint's column holds."""
    return _ids(external_ids) if external_ids else {}


def _row(one: ForeignReport, at: Any) -> dict[str, Any]:
    return {
        "complaint": one.complaint, "account": one.account, "owner": one.owner, "system": one.system,
        "native": one.native, "at": at, "poll_at": at if one.follow else None, "cursor": None,
    }  # fmt: skip


def _step(one: ForeignReport, at: Any) -> dict[str, Any]:
    return {
        "complaint": one.complaint, "owner": one.owner, "at": at, "what": "forwarded", "actor_kind": "system",
        "actor": one.account, "why": f"{one.system} {one.native}", "raw": None, "item_index": None,
    }  # fmt: skip


def _keep_answers(connection: Connection, record: Record, done: Sequence[Progress]) -> None:
    rows = [{"id": one.job.id, "answer": record.vault.seal(one.answer, ANSWER)} for one in done if one.answer]
    execute_each(connection, jobs, "UPDATE jobs SET answer = :answer WHERE id = :id", rows)


def _forget_arguments(connection: Connection, record: Record, done: Sequence[str]) -> None:
    """What has left need not be kept twice: the complaint has it. What may be replayed is kept, sealed."""
    empty = record.vault.seal("{}", SEALED) if done else b""
    execute_each(
        connection, jobs, "UPDATE jobs SET args = :args WHERE id = :id", [{"id": id, "args": empty} for id in done]
    )
