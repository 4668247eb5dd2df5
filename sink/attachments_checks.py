"""Checks of files whose bytes are here: claimed when due, and what came of them.

No lease is needed: a claim holds for `CLAIMED` seconds, and a file that is checked twice gives the same result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import func, select, text, update

from sink.bulk import execute_each, insert, instant_encoder, lock_rows, query_in
from sink.record import Record
from sink.tables import attachments, complaints, timeline

CLAIMED = 600.0
"""Seconds after which a claimed file is handed out again."""
MOST_COUNTED = 100_000
WITHHELD = "file_withheld"
"""The step of a timeline that says why a file is not shown."""
Verdict = Literal["clean", "infected", "no_verdict", "unscanned"]
_UPDATE = (
    "UPDATE attachments SET check_at = :check_at, verdict = :verdict, why = :why, shown = :shown, "
    "shown_type = :shown_type, preview = :preview WHERE id = :id"
)
_PLACE = "UPDATE complaints SET photo_lat = :photo_lat, photo_lon = :photo_lon WHERE id = :id AND photo_lat IS NULL"
_UNSCANNED = text("verdict = 'unscanned' AND shown IS NOT NULL")
"""As the partial index has it."""
_TO_RESCAN = select(attachments.c.id).where(_UNSCANNED, text("check_at IS NULL AND sha256 IS NOT NULL"))
_WAITING = "SELECT * FROM attachments WHERE id IN (*) AND check_at IS NOT NULL"


class FileToCheck(NamedTuple):
    """A file whose bytes are to be checked now."""

    id: str
    sha256: str
    media_type: str | None
    """As the channel said."""
    checks: int
    """How often it was tried before."""


class CheckedFile(NamedTuple):
    """What came of one check."""

    id: str
    verdict: Verdict
    why: str | None = None
    """A code, or the scanner's name of what it found; nothing personal."""
    shown: str | None = None
    """SHA-256 of the bytes that may be shown and may leave. None: none."""
    shown_type: str | None = None
    preview: str | None = None
    position: tuple[float, float] | None = None
    """Degrees north and east, where the picture holds them."""
    again_at: datetime | None = None
    """When it is checked again; None: this is the last word."""


def claim_checks(record: Record, limit: int, now: datetime) -> list[FileToCheck]:
    """Claim up to so many files of recorded complaints, those due longest first. Raises Retry."""
    due = (
        select(attachments.c.id)
        .join(complaints, complaints.c.id == attachments.c.complaint)
        .where(text("check_at IS NOT NULL"), attachments.c.check_at <= now)
        .order_by(attachments.c.check_at)
        .limit(limit)
    )
    with record.read() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return []
    with record.write() as connection:
        ids = connection.execute(due.with_for_update(of=attachments, skip_locked=True)).scalars().all()
        later, tried = now + timedelta(seconds=CLAIMED), func.coalesce(attachments.c.checks, 0)
        claim = update(attachments).where(attachments.c.id.in_(ids)).values(check_at=later, checks=tried + 1)
        columns = attachments.c.id, attachments.c.sha256, attachments.c.media_type, attachments.c.checks
        rows = connection.execute(claim.returning(*columns)).all()
    return [FileToCheck(row.id, row.sha256, row.media_type, row.checks - 1) for row in rows]


def store_checks(record: Record, results: Sequence[CheckedFile], now: datetime) -> None:
    """Store what came of the checks; stored again after a lost answer it changes nothing. Raises Retry."""
    if not results:
        return
    with record.write() as connection:
        at = instant_encoder(connection)
        lock_rows(connection, attachments, "id", {result.id for result in results})
        waiting = {row.id: row for row in query_in(connection, _WAITING, {result.id for result in results})}
        ours = [result for result in results if result.id in waiting]
        execute_each(connection, attachments, _UPDATE, [_changed(one, waiting[one.id], at) for one in ours])
        execute_each(connection, complaints, _PLACE, list(_places(ours, waiting)))
        withheld = [one for one in ours if one.why is not None and one.again_at is None]
        insert(connection, timeline, [_step(one, waiting[one.id], at(now)) for one in withheld])


def has_rescans(record: Record) -> bool:
    """Were files checked while no clamd was set, and are not due again? Raises Retry."""
    with record.read() as connection:
        return connection.execute(_TO_RESCAN.limit(1)).first() is not None


def queue_rescans(record: Record, limit: int, now: datetime) -> int:
    """Have up to so many of these files checked again; how many that are. They are shown as before until the last word
    about them. Raises Retry."""
    again = _TO_RESCAN.order_by(attachments.c.id).limit(limit).with_for_update(skip_locked=True)
    with record.write() as connection:
        ids = connection.execute(again).scalars().all()
        return connection.execute(update(attachments).where(attachments.c.id.in_(ids)).values(check_at=now)).rowcount


def count_unscanned(record: Record) -> int:
    """Files that are shown, and were checked without a clamd: all files, where there is none, so they are counted to
    `MOST_COUNTED`. Raises Retry."""
    some = select(attachments.c.id).where(_UNSCANNED).limit(MOST_COUNTED).subquery()
    with record.read() as connection:
        return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def count_withheld(record: Record) -> Mapping[tuple[str, str], int]:
    """Files that are not shown, by verdict and reason. Raises Retry."""
    columns = attachments.c.verdict, func.coalesce(attachments.c.why, "")
    where = text("shown IS NULL AND verdict IS NOT NULL")
    with record.read() as connection:
        rows = connection.execute(select(*columns, func.count()).where(where).group_by(*columns))
        return {(str(verdict), str(why)): int(n) for verdict, why, n in rows}


def _changed(result: CheckedFile, row: Any, at: Any) -> dict[str, Any]:
    """A file that is shown already, since it was checked without a clamd, stays as it is until the last word."""
    source = result if result.again_at is None or row.shown is None else row
    columns = {name: getattr(source, name) for name in ("id", "verdict", "why", "shown", "shown_type", "preview")}
    return columns | {"check_at": None if result.again_at is None else at(result.again_at)}


def _places(results: Sequence[CheckedFile], rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first position of each complaint."""
    found: dict[str, tuple[float, float]] = {}
    for result in sorted(results, key=lambda one: one.id):
        if result.position is not None:
            found.setdefault(rows[result.id].complaint, result.position)
    return [{"id": complaint, "photo_lat": lat, "photo_lon": lon} for complaint, (lat, lon) in found.items()]


def _step(result: CheckedFile, row: Any, now: Any) -> dict[str, Any]:
    return {
        "complaint": row.complaint, "owner": row.owner, "at": now, "what": WITHHELD, "actor_kind": "system",
        "actor": None, "why": result.why, "raw": row.raw, "item_index": row.item_index,
    }  # fmt: skip
