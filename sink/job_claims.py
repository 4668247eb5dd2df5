"""Claims of jobs: as those of replies, with the steps of a job told apart.

A claimed job that is not in flight was left by a process that ended, or by a call whose answer was lost. Between two
steps it is handed out again; where a step had begun it becomes `unknown`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain, zip_longest
from typing import Any, Literal

from sqlalchemy import Connection

from sink.bulk import execute_each, instant_encoder, lock_rows, query_in
from sink.instant import parse_instant
from sink.jobs import SEALED, ClaimedJob, decode_object
from sink.leases import lease_name, lock_epochs
from sink.record import Record
from sink.tables import jobs

WORKER_LOST = "worker_lost"
Claimable = Literal["waiting", "unknown"]
_CLAIMED = "SELECT id, account, kind, epoch, step FROM jobs WHERE account IN (*) AND state = 'claimed'"
_FIRST = """
    SELECT {columns} FROM jobs WHERE account = lease.account AND state IN ('waiting', 'unknown', 'failed')
    AND state = ? AND kind = ? AND due_at <= ? AND attempts {tried} 0 ORDER BY due_at LIMIT ?
"""
_DUE = "WITH lease AS (SELECT {account} AS account FROM leases WHERE account IN (*)) {queues} ORDER BY queue, due_at"
_QUEUE = {
    "sqlite": "SELECT due.id, due.account, {queue} AS queue, due.due_at AS due_at "
    "FROM lease CROSS JOIN jobs AS due ON due.id IN ({first})",
    "postgresql": "SELECT due.id, lease.account, {queue} AS queue, due.due_at AS due_at "
    "FROM lease CROSS JOIN LATERAL ({first}) AS due",
}
"""New jobs of a kind, and those of it that were tried before, are a queue each; one statement asks all of them."""
_ROWS = "SELECT * FROM jobs WHERE id IN (*) AND state = 'claimed'"


def claim_jobs(
    record: Record,
    kinds: Collection[str],
    epochs: Mapping[str, int],
    room: Mapping[str, int],
    *,
    in_flight: Collection[str],
    now: datetime,
    state: Claimable = "waiting",
    pool: str = "",
) -> list[ClaimedJob]:
    """Claim due jobs of these kinds, up to `room` for each account. The kinds, new jobs and those tried before are
    taken in turn: none starves the others. `state="unknown"` claims jobs to find out what became of a step. The rest is
    as with `claim_replies`. `epochs` are those of the leases of that `pool`. Raises Retry."""
    with record.write() as connection:
        names = {lease_name(account, pool): account for account in epochs}
        locked = lock_epochs(connection, {name: epochs[account] for name, account in names.items()})
        held = {names[name]: epoch for name, epoch in locked.items()}
        left = [row for row in query_in(connection, _CLAIMED, held) if row.kind in kinds and row.id not in in_flight]
        begun = {row.id for row in left if row.step is not None}
        idle = {row.id: row.account for row in left if row.step is None}
        due = {
            id: account
            for id, account in _due(connection, kinds, held, room, (state, now, pool))
            if id not in in_flight
        }
        chosen = _fitting(idle | due, room)
        lock_rows(connection, jobs, "id", begun | chosen.keys())
        _mark_unknown(connection, begun, now)
        _claim(connection, {id: held[account] for id, account in chosen.items()})
        return [_job(record, row) for row in query_in(connection, _ROWS, chosen)]


def _due(
    connection: Connection, kinds: Collection[str], held: Mapping[str, int], room: Mapping[str, int],
    wanted: tuple[Claimable, datetime, str],
) -> Iterator[tuple[str, str]]:  # fmt: skip
    state, now, pool = wanted
    open_accounts = [account for account in held if room.get(account, 0) > 0]
    most = max((room[account] for account in open_accounts), default=0)
    at = instant_encoder(connection)(now)
    leases = [lease_name(account, pool) for account in open_accounts]
    skipped = len(lease_name("", pool))
    values = [value for kind in kinds for value in (state, kind, at, most) * 2]
    queues: list[list[tuple[str, str]]] = [[] for _ in range(2 * len(kinds))]
    for row in query_in(connection, _sql(connection.dialect.name, len(queues), skipped), leases, *values):
        queues[row.queue].append((row.id, row.account))
    yield from _in_turn([_by_account(queue) for queue in queues])


@cache
def _sql(dialect: str, queues: int, skipped: int) -> str:
    columns = "id" if dialect == "sqlite" else "id, due_at"
    account = f"substr(account, {skipped + 1})" if skipped else "account"
    selects = (
        _QUEUE[dialect].format(queue=n, first=_FIRST.format(columns=columns, tried=">" if n % 2 else "="))
        for n in range(queues)
    )
    return _DUE.format(account=account, queues=" UNION ALL ".join(selects))


def _by_account(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for job, account in rows:
        found[account].append(job)
    return found


def _in_turn(queues: Sequence[Mapping[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for account in set().union(*queues):
        turns = zip_longest(*(queue.get(account, ()) for queue in queues))
        yield from ((job, account) for job in chain.from_iterable(turns) if job is not None)


def _fitting(due: Mapping[str, str], room: Mapping[str, int]) -> dict[str, str]:
    by_account = _by_account(due.items())
    return {job: account for account, found in by_account.items() for job in found[: room.get(account, 0)]}


def _mark_unknown(connection: Connection, begun: Iterable[str], now: datetime) -> None:
    sql = "UPDATE jobs SET state = 'unknown', code = :code, due_at = :due_at WHERE id = :id AND state = 'claimed'"
    at = instant_encoder(connection)(now)
    execute_each(connection, jobs, sql, [{"id": job, "code": WORKER_LOST, "due_at": at} for job in begun])


def _claim(connection: Connection, epochs: Mapping[str, int]) -> None:
    """Its last holder may have ended one before it was locked."""
    sql = "UPDATE jobs SET state = 'claimed', epoch = :epoch WHERE id = :id AND state NOT IN ('done', 'failed')"
    execute_each(connection, jobs, sql, [{"id": job, "epoch": epoch} for job, epoch in epochs.items()])


def _job(record: Record, row: Any) -> ClaimedJob:
    return ClaimedJob(
        row.id, row.kind, row.account, row.owner, row.complaint, decode_object(record.vault.open(row.args, SEALED)),
        row.step, decode_object(row.results or "{}"), row.attempts, row.epoch, parse_instant(row.created_at),
    )  # fmt: skip
