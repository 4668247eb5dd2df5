"""What became of claimed jobs and of their steps. Each is stored under the job's claim: by epoch and attempts.

Storing the same again after a lost answer changes nothing. Of a claim that another process has taken over nothing is
stored, and the caller stops working on the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from sink.bulk import execute_each, instant_encoder, lock_rows, query_in
from sink.jobs import ClaimedJob, JobState, results_json
from sink.tables import jobs

_SELECT = "SELECT id, state, epoch, attempts FROM jobs WHERE id IN (*)"
_UPDATE = (
    "UPDATE jobs SET state = :state, step = :step, attempts = :attempts, due_at = :due_at, code = :code, "
    "reason = :reason, finished_at = :finished_at WHERE id = :id"
)
_STEP = "UPDATE jobs SET step = :step, results = :results WHERE id = :id"


class JobResult(NamedTuple):
    """What became of one claimed job."""

    job: ClaimedJob
    state: JobState
    """`waiting`: the step that was begun was surely not done, and is tried again at `due_at`; `unknown`: find out at
    `due_at`."""
    due_at: datetime | None = None
    code: str | None = None
    reason: str | None = None
    """Nothing personal."""


def store_job_results(connection: Connection, results: Sequence[JobResult], now: datetime) -> set[str]:
    """Store the results inside the caller's transaction; returns the ids of those that stand, the rest belonged to
    claims that were taken over."""
    by_id = {result.job.id: result for result in results}
    lock_rows(connection, jobs, "id", by_id)
    rows = list(query_in(connection, _SELECT, by_id))
    open_claims = [row.id for row in rows if _is_claim(row, by_id[row.id].job)]
    stored = {row.id for row in rows if _is_stored(row, by_id[row.id])}
    execute_each(connection, jobs, _UPDATE, [_row(connection, by_id[job], now) for job in open_claims])
    return stored.union(open_claims)


def store_steps(connection: Connection, changed: Sequence[ClaimedJob]) -> set[str]:
    """Store step and results of these claimed jobs inside the caller's transaction; returns the ids of those that
    stand, the rest belonged to claims that were taken over."""
    by_id = {job.id: job for job in changed}
    lock_rows(connection, jobs, "id", by_id)
    rows = [row for row in query_in(connection, _SELECT, by_id) if row.state == "claimed"]
    ours = [by_id[row.id] for row in rows if _is_claim(row, by_id[row.id])]
    execute_each(
        connection, jobs, _STEP, [{"id": j.id, "step": j.step, "results": results_json(j.results)} for j in ours]
    )
    return {job.id for job in ours}


def _is_claim(row: Any, job: ClaimedJob) -> bool:
    """`unknown` under the same claim: we were thought dead, and nobody has looked into it yet."""
    return row.state in ("claimed", "unknown") and (row.epoch, row.attempts) == (job.epoch, job.attempts)


def _is_stored(row: Any, result: JobResult) -> bool:
    attempts = result.job.attempts + (result.state == "waiting")
    return (row.state, row.epoch, row.attempts) == (result.state, result.job.epoch, attempts)


def _row(connection: Connection, result: JobResult, now: datetime) -> dict[str, Any]:
    encode = instant_encoder(connection)
    finished = result.state in ("done", "failed")
    return {
        "id": result.job.id, "state": result.state, "step": result.job.step if result.state == "unknown" else None,
        "attempts": result.job.attempts + (result.state == "waiting"), "due_at": encode(result.due_at or now),
        "code": result.code, "reason": result.reason, "finished_at": encode(now) if finished else None,
    }  # fmt: skip
