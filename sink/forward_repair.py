"""Forwards that people see and decide on: the list, "it stands there as N", "do it again"; and complaints that are
queued later than they were recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from schemas import Category, Forward, Office, Place, encode
from sink.additions import said_so_far
from sink.bulk import execute_each, insert, instant_encoder, query_in, split_into_chunks
from sink.contacts import unseal_contact
from sink.forward_claims import read_forward
from sink.forward_progress import ANSWER, ForeignReport, store_foreign_reports
from sink.forward_queue import FORWARD, FORWARDS, Destination, Leaving, QueuedForwards, job_id
from sink.instant import parse_instant
from sink.jobs import SEALED, decode_object, enqueue_jobs
from sink.record import Record
from sink.rows import RowMaker
from sink.tables import complaints, disclosures, jobs

REPLAYED, AGAIN = "replayed", "again"
"""In the results of a forward that is sent again by somebody's wish: since when."""
MOST = 10_000
"""Forwards that one replay sends again."""
DECIDABLE = ("unknown", "failed")
"""States in which a person may decide."""
_FACTS = """
    SELECT c.*, p.sealed FROM complaints c
    LEFT JOIN parties p ON p.raw = c.raw AND p.item_index = c.item_index WHERE c.id IN (*)
"""


class ForwardLine(NamedTuple):
    """A forward in the list; nothing personal."""

    id: str
    account: str
    number: str | None
    kind: str
    state: str
    step: str | None
    attempts: int
    due_at: datetime
    code: str | None
    reason: str | None
    created_at: datetime


class Replayed(NamedTuple):
    """What is sent again."""

    forwards: int
    more_since: datetime | None
    """There were more than one replay takes: go on from here."""


def list_forwards(
    record: Record, states: Collection[str], account: str | None = None, *, limit: int = 1000
) -> list[ForwardLine]:
    """The newest first. Raises Retry."""
    query = (
        select(
            jobs.c.id, jobs.c.account, complaints.c.number, jobs.c.kind, jobs.c.state, jobs.c.step, jobs.c.attempts,
            jobs.c.due_at, jobs.c.code, jobs.c.reason, jobs.c.created_at,
        )
        .outerjoin(complaints, complaints.c.id == jobs.c.complaint)
        .where(jobs.c.kind.in_(FORWARDS), jobs.c.state.in_(states))
        .order_by(jobs.c.created_at.desc(), jobs.c.id)
        .limit(limit)
    )  # fmt: skip
    if account is not None:
        query = query.where(jobs.c.account == account)
    with record.read() as connection:
        return [ForwardLine(*row) for row in connection.execute(query)]


def show_forward(record: Record, id: str) -> dict[str, Any] | None:
    """Everything about one, the words that would leave and the other system's own last words included; None: there is
    none. Raises Retry."""
    with record.read() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == id)).one_or_none()
    if row is None or row.kind not in FORWARDS:
        return None
    args = decode_object(record.vault.open(row.args, SEALED))
    forward = encode(read_forward(args)).decode() if args else None
    return {
        "id": row.id, "account": row.account, "state": row.state, "step": row.step, "attempts": row.attempts,
        "code": row.code, "reason": row.reason, "results": decode_object(row.results or "{}"),
        "forward": decode_object(forward) if forward else None,
        "answer": record.vault.open(row.answer, ANSWER) if row.answer else None,
    }  # fmt: skip


def decide_stands(record: Record, id: str, native: str, to: Destination, now: datetime) -> bool:
    """A person says: the step that was not answered was done; a complaint stands there as this id. `native` is empty
    for what was added to one. Returns False where nobody may decide that now. Raises Retry."""
    with record.write() as connection:
        open_ = jobs.c.id == id, jobs.c.kind.in_(FORWARDS), jobs.c.state.in_(DECIDABLE)
        row = connection.execute(select(jobs).where(*open_).with_for_update()).one_or_none()
        opens = row is not None and row.kind == FORWARD
        if row is None or row.complaint is None or opens is not bool(native) or not (opens or row.step):
            return False
        results = decode_object(row.results or "{}") | {row.step or "create": {"id": native} if opens else {}}
        goes_on = {"state": "waiting", "step": None, "results": encode(results).decode(), "due_at": now, "code": None,
                   "reason": None, "finished_at": None}  # fmt: skip
        connection.execute(jobs.update().where(jobs.c.id == id).values(goes_on))
        if opens:
            follow = to.follow_every is not None
            foreign = ForeignReport(row.complaint, to.account, row.owner, to.system, native, follow)
            store_foreign_reports(connection, record, [foreign], now)
        return True


def decide_again(record: Record, ids: Sequence[str], now: datetime) -> list[str]:
    """A person says: it was not done; do it again from the step at which it stopped. Returns the ids of those that are
    done again. Raises Retry."""
    open_ = jobs.c.id.in_(ids) & jobs.c.kind.in_(FORWARDS) & jobs.c.state.in_(DECIDABLE)
    with record.write() as connection:
        at = instant_encoder(connection)(now)
        found = connection.execute(select(jobs.c.id, jobs.c.results).where(open_).with_for_update()).all()
        again = [(row.id, decode_object(row.results or "{}") | {AGAIN: now.isoformat()}) for row in found]
        rows = [{"id": id, "due_at": at, "results": encode(results).decode()} for id, results in again]
        execute_each(connection, jobs, _AGAIN, rows)
        return sorted(row.id for row in found)


def replay_forwards(record: Record, account: str, since: datetime, until: datetime, now: datetime) -> Replayed:
    """Send again what was queued for the account in that time and has left or failed, at most `MOST` and the oldest
    first. Raises Retry."""
    found = (
        select(jobs.c.id, jobs.c.args, jobs.c.created_at)
        .where(jobs.c.account == account, jobs.c.kind.in_(FORWARDS), jobs.c.state.in_(("done", "failed")))
        .where(jobs.c.created_at >= since, jobs.c.created_at < until)
        .order_by(jobs.c.created_at, jobs.c.id).limit(MOST)
    )  # fmt: skip
    with record.write() as connection:
        at = instant_encoder(connection)(now)
        looked = connection.execute(found).all()
        rows = [
            {"id": row.id, "due_at": at, "results": encode({REPLAYED: now.isoformat()}).decode()}
            for row in looked
            if decode_object(record.vault.open(row.args, SEALED)).get("replayable")
        ]
        execute_each(connection, jobs, _REPLAY, rows)
    return Replayed(len(rows), looked[-1].created_at if len(looked) == MOST else None)


_ANEW = (
    "state = 'waiting', step = NULL, code = NULL, reason = NULL, finished_at = NULL, due_at = :due_at, "
    "results = :results WHERE id = :id"
)
_AGAIN = f"UPDATE jobs SET {_ANEW}"  # noqa: S608 - ours
_REPLAY = f"UPDATE jobs SET attempts = 0, {_ANEW}"  # noqa: S608 - ours


def queue_recorded(record: Record, to: Destination, ids: Collection[str], now: datetime) -> int:
    """Queue complaints that are recorded already, some in each transaction; returns how many jobs are new. Raises
    Retry."""
    return sum(_queue_some(record, to, some, now) for some in split_into_chunks(list(ids)))


def _queue_some(record: Record, to: Destination, ids: Collection[str], now: datetime) -> int:
    encode_at = instant_encoder(record.engine)
    make = RowMaker(record.vault, record.ids, encode_at, encode_at(now), lambda message: message.conversation)
    with record.write() as connection:
        known = {id for (id,) in query_in(connection, "SELECT id FROM jobs WHERE id IN (*)",
                                          [job_id(to.account, id) for id in ids])}  # fmt: skip
        queued = QueuedForwards()
        for row, forward in recorded_forwards(connection, record, ids):
            id = job_id(to.account, row.id)
            if id not in known:
                queued.add(make, Leaving(to, forward, row.id, row.owner, id, FORWARD))
        insert(connection, disclosures, queued.disclosures)
        return enqueue_jobs(connection, record.vault, queued.jobs, now)


def recorded_forwards(connection: Any, record: Record, ids: Collection[str]) -> Iterator[tuple[Any, Forward]]:
    """Recorded complaints as forwards with all their fields, and their rows. What was added so far stands in them: who
    is told of a complaint later is told no addition that came before."""
    offices, files, said = _offices(connection, ids), _files(connection, ids), said_so_far(connection, ids)
    for row in query_in(connection, _FACTS, ids):
        sent = (id for item in said[row.id].items for id in files.get((row.id, *item), ()))
        yield row, _forward(record, row, offices.get(row.id, ()), said[row.id].cleaned, tuple(sent))


def _forward(record: Record, row: Any, offices: tuple[Office, ...], text: str, files: tuple[str, ...]) -> Forward:
    place = Place(code=row.place_code, level=row.place_level, name=row.place_name, words=row.place_words, lat=row.lat,
                  lon=row.lon)  # fmt: skip
    return Forward(
        what="complaint", number=row.number, reference=row.number, at=parse_instant(row.received_at), owner=row.owner,
        sent_at=parse_instant(row.sent_at) if row.sent_at else None,
        channel=row.channel, report_class=row.report_class, title=row.title or "",
        text=text, place=place,
        category=Category(id=row.category_id, name=row.category_name) if row.category_id else None,
        incident_date=row.incident_date, offices=offices, anonymous=bool(row.anonymous), secret=bool(row.secret),
        reporter=unseal_contact(record.vault, row.sealed).party if row.sealed else None, attachments=files,
    )  # fmt: skip


def _offices(connection: Any, ids: Collection[str]) -> dict[str, tuple[Office, ...]]:
    found: dict[str, tuple[Office, ...]] = {}
    sql = "SELECT complaint, office_id, office_name FROM assignments WHERE complaint IN (*) ORDER BY seq"
    for row in query_in(connection, sql, ids):
        found[row.complaint] = (*found.get(row.complaint, ()), Office(id=row.office_id, name=row.office_name))
    return found


def _files(connection: Any, ids: Collection[str]) -> dict[tuple[str, str, int], tuple[str, ...]]:
    """Ids of files by complaint and item."""
    found: dict[tuple[str, str, int], tuple[str, ...]] = {}
    sql = "SELECT complaint, raw, item_index, id FROM attachments WHERE complaint IN (*) ORDER BY n"
    for row in query_in(connection, sql, ids):
        item = row.complaint, row.raw, row.item_index
        found[item] = (*found.get(item, ()), row.id)
    return found
