"""What offices are told of due dates: rows of `notices`, and events for the systems that offices have of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from schemas import Office
from schemas.forward import DueNotice, Forward
from sink.bulk import insert, instant_encoder, query_in
from sink.forward_queue import NOTICE, Destination, Leaving, QueuedForwards, later_forward
from sink.jobs import enqueue_jobs
from sink.record import Record
from sink.rows import Row, RowMaker
from sink.tables import disclosures, notices

_ABOUT = "SELECT id, number, owner, channel, anonymous, secret FROM complaints WHERE id IN (*)"
_NAMES = "SELECT DISTINCT office_id, office_name FROM assignments WHERE complaint IN (*)"


def store_notices(
    connection: Connection, record: Record, rows: Sequence[Row], destinations: Sequence[Destination], now: datetime
) -> None:
    """Store the notices, and queue them for the destinations that want them, inside the caller's transaction."""
    insert(connection, notices, rows)
    told = [to for to in destinations if NOTICE in to.takes]
    if not told or not rows:
        return
    complaints = {row["complaint"] for row in rows}
    about = {row.id: row for row in query_in(connection, _ABOUT, complaints)}
    names = dict(tuple(row) for row in query_in(connection, _NAMES, complaints))
    encode_at = instant_encoder(connection)
    make = RowMaker(record.vault, record.ids, encode_at, encode_at(now), lambda message: message.conversation)
    queued = QueuedForwards()
    for row in rows:
        if row["complaint"] in about:
            office = Office(id=row["office_id"], name=names.get(row["office_id"]))
            _queue(queued, make, told, (row, about[row["complaint"]], office, now))
    insert(connection, disclosures, queued.disclosures)
    enqueue_jobs(connection, record.vault, queued.jobs, now)


def _queue(
    queued: QueuedForwards,
    make: RowMaker,
    destinations: Sequence[Destination],
    told: tuple[Row, Any, Office, datetime],
) -> None:
    row, about, office, now = told
    due = DueNotice(
        clock=row["clock"], what=row["what"], level=row["level"], due_day=row["due_day"],
        was_due_day=row["was_due_day"],
    )  # fmt: skip
    for to in destinations:
        job = f"{NOTICE}/{to.account}/{about.id}/{due.clock}/{due.what}/{due.level}/{due.due_day}"
        forward: Forward = later_forward(
            "notice", about.number, job, now, owner=about.owner, channel=about.channel, due=due, offices=[office],
            anonymous=bool(about.anonymous), secret=bool(about.secret),
        )  # fmt: skip
        if to.wants(forward):
            queued.add(make, Leaving(to, forward, about.id, about.owner, job, NOTICE))
