"""Jobs: work owed to the outside (fetch a file, forward a report), claimed by the holder of the account's lease.

    waiting -> claimed -> done | failed | unknown            waiting again: tried again at `due_at`

A job is done in steps. That a step begins is stored (`store_steps`) before anything is sent, and so is what came of it;
a job that stops between two steps goes on with the next one, in whichever process. A step that was begun and has no
result may have been done: the job is `unknown` then, and its handler gets it back (`claim_jobs(..., state="unknown")`)
with `step` set, to find out instead of doing it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select, text

from schemas import encode
from sink.bulk import Row, insert_returning, instant_encoder
from sink.record import Record
from sink.tables import jobs
from sink.vault import Vault

JobState = Literal["waiting", "claimed", "done", "failed", "unknown"]
SEALED = "jobs.args"
decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class NewJob(NamedTuple):
    """A job to be enqueued. The same id again is the same job."""

    id: str
    kind: str
    account: str
    owner: str
    args: dict[str, Any] = {}  # noqa: RUF012 - never changed
    complaint: str | None = None
    due_at: datetime | None = None
    """None: at once."""


class ClaimedJob(NamedTuple):
    """A claimed job."""

    id: str
    kind: str
    account: str
    owner: str
    complaint: str | None
    args: dict[str, Any]
    step: str | None
    """A step that was begun, and may have been done: find out first. None: go on with the next one."""
    results: dict[str, Any]
    """What the finished steps gave, by step."""
    attempts: int
    """How often it was tried before."""
    epoch: int
    created_at: datetime


class JobCount(NamedTuple):
    """How many jobs of an account are in one state."""

    account: str
    kind: str
    state: JobState
    jobs: int
    oldest: datetime
    """When the oldest of them was enqueued."""


def job_rows(vault: Vault, new: Iterable[NewJob], now: datetime, connection: Connection) -> list[Row]:
    """As the table takes them."""
    encoded = instant_encoder(connection)
    return [
        {
            "id": job.id, "kind": job.kind, "account": job.account, "complaint": job.complaint, "owner": job.owner,
            "args": vault.seal(encode(job.args).decode(), SEALED), "state": "waiting", "attempts": 0,
            "due_at": encoded(job.due_at or now), "created_at": encoded(now),
        }
        for job in new
    ]  # fmt: skip


def enqueue_jobs(connection: Connection, vault: Vault, new: Sequence[NewJob], now: datetime) -> int:
    """Write the jobs inside the caller's transaction; returns how many are new."""
    return len(insert_returning(connection, jobs, job_rows(vault, new, now, connection), "ON CONFLICT (id) DO NOTHING"))


def count_jobs(record: Record) -> list[JobCount]:
    """Jobs that are not done, by account, kind and state. Raises Retry."""
    columns = jobs.c.account, jobs.c.kind, jobs.c.state
    indexed = text("state IN ('waiting', 'unknown', 'failed')"), text("state = 'claimed'")
    with record.read() as connection:
        return sorted(
            JobCount(*row)
            for where in indexed
            for row in connection.execute(
                select(*columns, func.count(), func.min(jobs.c.created_at)).where(where).group_by(*columns)
            )
        )


def steps_in_hand(record: Record, kind: str, due_before: datetime) -> list[tuple[str, dict[str, Any]]]:
    """Step and results of the jobs of this kind whose step was begun and has no result yet, at most 1,000; but for
    those that are due later, as where a person has to decide. Raises Retry."""
    begun = text("step IS NOT NULL AND state IN ('waiting', 'claimed', 'unknown')")  # as the index has it
    query = select(jobs.c.step, jobs.c.results).where(jobs.c.kind == kind, begun, jobs.c.due_at < due_before)
    with record.read() as connection:
        found = connection.execute(query.limit(1000))
        return [(step, decode_object(results or "{}")) for step, results in found]


def results_json(results: Mapping[str, Any]) -> str:
    """As the table holds them."""
    return encode(results).decode()
