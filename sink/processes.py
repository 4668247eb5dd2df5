"""Heartbeats: which processes are at work, on which host, with which stages. PostgreSQL's clock stamps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import delete, select

from sink.bulk import insert, instant_encoder
from sink.leases import current_time
from sink.record import Record
from sink.tables import processes

LIVE = timedelta(seconds=30)
"""A process with an older heartbeat is taken for dead, and one whose heartbeat is so far ahead: its clock was wrong."""
FORGOTTEN = timedelta(days=1)
_BEAT = "ON CONFLICT (id) DO UPDATE SET stages = excluded.stages, seen_at = excluded.seen_at, report = excluded.report"


class LiveProcess(NamedTuple):
    """A process and what it says of itself."""

    id: str
    host: str
    stages: tuple[str, ...]
    started_at: datetime
    seen_at: datetime
    report: dict[str, Any]


def heartbeat(
    record: Record, process: str, *, host: str, stages: Iterable[str], started_at: datetime, now: datetime,
    report: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """The process is at work; heartbeats older than a day are deleted. Raises Retry."""
    with record.write() as connection:
        encode, at = instant_encoder(connection), current_time(connection, now)
        row = {
            "id": process, "host": host, "stages": _json(tuple(stages)), "started_at": encode(started_at),
            "seen_at": encode(at), "report": _json(dict(report or {})),
        }  # fmt: skip
        insert(connection, processes, [row], _BEAT)
        connection.execute(delete(processes).where(processes.c.seen_at < at - FORGOTTEN))


def forget_process(record: Record, process: str) -> None:
    """The process ends. Raises Retry."""
    with record.write() as connection:
        connection.execute(delete(processes).where(processes.c.id == process))


def live_processes(record: Record, now: datetime, within: timedelta = LIVE) -> list[LiveProcess]:
    """Those that were seen lately, by host and id. Raises Retry."""
    with record.read() as connection:
        at = current_time(connection, now)
        recent = processes.c.seen_at.between(at - within, at + within)
        query = select(processes).where(recent).order_by(processes.c.host, processes.c.id)
        return [_process(row) for row in connection.execute(query)]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _process(row: Any) -> LiveProcess:
    stages = msgspec.json.decode(row.stages, type=tuple[str, ...])
    report = msgspec.json.decode(row.report or "{}", type=dict[str, Any])
    return LiveProcess(row.id, row.host, stages, row.started_at, row.seen_at, report)
