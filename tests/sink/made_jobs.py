"""The tests' short ways through jobs and their steps, by the calls that the stages make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sink import Record
from sink.job_results import JobResult, store_job_results, store_steps
from sink.jobs import ClaimedJob, JobState, NewJob, enqueue_jobs


def store_jobs(record: Record, new: Sequence[NewJob], now: datetime) -> None:
    """Enqueue them."""
    with record.write() as connection:
        enqueue_jobs(connection, record.vault, new, now)


def begin_step(record: Record, job: ClaimedJob, step: str) -> ClaimedJob:
    """The job as it is now: the step may have been done."""
    return _stored(record, job._replace(step=step))


def save_step(record: Record, job: ClaimedJob, step: str, result: Any) -> ClaimedJob:
    """The job as it is now: the step is done."""
    return _stored(record, job._replace(step=None, results=job.results | {step: result}))


def end_job(
    record: Record, job: ClaimedJob, state: JobState, now: datetime, *, due_at: datetime | None = None, code: str = ""
) -> bool:  # fmt: skip
    """Whether that stands; not where another process has the job."""
    with record.write() as connection:
        return bool(store_job_results(connection, [JobResult(job, state, due_at, code)], now))


def _stored(record: Record, job: ClaimedJob) -> ClaimedJob:
    with record.write() as connection:
        assert store_steps(connection, [job]) == {job.id}
    return job
