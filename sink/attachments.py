"""Files that a channel only refers to: jobs of kind `fetch` bring their bytes into the blobs.

A file that can be fetched no more (`expires_at`) is put down as expired and its job ends. A job that is done is
deleted: the attachment's own row says what became of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from schemas import Attachment
from sink.bulk import execute_each, instant_encoder, lock_rows, query_in
from sink.contacts import unseal_attachment_source
from sink.instant import parse_instant
from sink.job_claims import claim_jobs
from sink.job_results import JobResult, store_job_results
from sink.jobs import ClaimedJob
from sink.record import Record
from sink.tables import attachments, jobs

FETCH = "fetch"
"""The kind of these jobs; `args` hold the attachment's id."""
MAX_FETCHES = 12
"""Attempts to fetch a file of which nobody said how long it can be fetched; then its job has failed."""
_SELECT = "SELECT * FROM attachments WHERE id IN (*)"
_UPDATE = (
    "UPDATE attachments SET state = :state, sha256 = COALESCE(:sha256, sha256), size = COALESCE(:size, size), "
    "media_type = COALESCE(:media_type, media_type), check_at = :check_at WHERE id = :id AND state = 'referenced'"
)
FetchState = Literal["fetched", "refused", "expired", "retry", "failed"]


class ClaimedFetch(NamedTuple):
    """A file to be fetched now."""

    job: ClaimedJob
    id: str
    """The attachment's."""
    file: Attachment


class FetchResult(NamedTuple):
    """What became of one fetch. `refused`: the provider has no such file; `retry`: try again at `due_at`; `failed`: a
    fault of ours, the file stays referenced."""

    fetch: ClaimedFetch
    state: FetchState
    sha256: str | None = None
    size: int | None = None
    media_type: str | None = None
    """None: as the channel said at first."""
    due_at: datetime | None = None
    limit: int | None = MAX_FETCHES
    """With `retry`: after so many attempts it has failed. None: the account is at fault, not the file."""
    code: str | None = None
    reason: str | None = None
    """Nothing personal."""


def claim_fetches(
    record: Record, epochs: Mapping[str, int], room: Mapping[str, int], *, in_flight: Collection[str], now: datetime
) -> list[ClaimedFetch]:
    """Claim files to be fetched, as `claim_jobs` does; `in_flight` are ids of jobs. Raises Retry."""
    claimed = {
        job.args["attachment"]: job for job in claim_jobs(record, [FETCH], epochs, room, in_flight=in_flight, now=now)
    }
    if not claimed:
        return []
    with record.read() as connection:
        rows = {row.id: row for row in query_in(connection, _SELECT, claimed)}
    fetches = [ClaimedFetch(job, id, _file(record, rows.get(id))) for id, job in claimed.items()]
    over = [fetch for fetch in fetches if _is_over(fetch.file, now)]
    store_fetches(record, [FetchResult(fetch, "expired") for fetch in over], now)
    return [fetch for fetch in fetches if fetch not in over]


def store_fetches(record: Record, results: Sequence[FetchResult], now: datetime) -> None:
    """Store what became of the fetches; stored again after a lost answer it changes nothing. Raises Retry."""
    if not results:
        return
    with record.write() as connection:
        at = instant_encoder(connection)
        stored = store_job_results(connection, [_job_result(result) for result in results], now)
        ended = [result for result in results if result.state in ("fetched", "refused", "expired")]
        lock_rows(connection, attachments, "id", {result.fetch.id for result in ended})
        execute_each(connection, attachments, _UPDATE, [_changed(result, at(now)) for result in ended])
        done = stored & {result.fetch.job.id for result in ended}
        execute_each(connection, jobs, "DELETE FROM jobs WHERE id = :id", [{"id": job} for job in sorted(done)])


def _job_result(result: FetchResult) -> JobResult:
    job = result.fetch.job
    if result.state == "retry":
        limit = None if result.fetch.file.expires_at else result.limit
        exhausted = limit is not None and job.attempts + 1 >= limit
        return JobResult(job, "failed" if exhausted else "waiting", result.due_at, result.code, result.reason)
    return JobResult(job, "failed" if result.state == "failed" else "done", None, result.code, result.reason)


def _changed(result: FetchResult, now: Any) -> dict[str, Any]:
    return {
        "id": result.fetch.id, "state": result.state, "sha256": result.sha256, "size": result.size,
        "media_type": result.media_type, "check_at": None if result.sha256 is None else now,
    }  # fmt: skip


def _file(record: Record, row: Any) -> Attachment:
    if row is None:  # its complaint was erased
        return Attachment(state="expired")
    source = unseal_attachment_source(record.vault, row.source)
    return Attachment(
        native_id=source.native_id, url=source.url, media_type=row.media_type, size=row.size, sha256=row.sha256,
        name=record.vault.open(row.name, "attachments.name") if row.name else None, state=row.state,
        expires_at=parse_instant(row.expires_at) if row.expires_at else None,
    )  # fmt: skip


def _is_over(file: Attachment, now: datetime) -> bool:
    """There is nothing to fetch any more."""
    return file.state != "referenced" or (file.expires_at is not None and file.expires_at <= now)
