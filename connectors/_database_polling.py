"""Polling a database: one page a poll, so that a page is durable before the next is read. Each page is of one moment.

A view is read whole at first and now and then (a *sweep*, in the order of its keys), and in between from its newest
change less the overlap, in the order of (time, key). The sweep finds what the times do not show: rows that were changed
without a new time, that committed later than the overlap, or that are gone. It is told from what was read before by
digests of blocks of rows, so that a cursor stays small: a block whose digest is known holds nothing new.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from connectors._database_cursor import (
    BLOCKS,
    DatabaseCursor,
    Position,
    Sweep,
    ViewPlace,
    cut_into_blocks,
    decode_cursor,
    digest_of_block,
    digest_text,
    encode_cursor,
    position_value,
    unpack_digests,
)
from connectors._database_manifest import View
from connectors._database_sql import DIGEST, FoundRow, ViewStatements
from connectors._database_values import Clock, as_position
from connectors._durations import seconds_of
from connectors._portal_expressions import compile_expression, plain_text
from connectors._request import Request

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger(__name__)
VIEW, GONE = "database-view", "database-gone"
"""Headers of a stored row: the name of its view; the row is there no more."""
AHEAD = timedelta(hours=1)
"""A row whose time lies further ahead does not move the newest change."""
REMEMBERED = 20_000
"""Rows near the newest change that are not handed on again."""
KEYS = 20_000
"""Rows of a view of which it is noticed that they are gone."""


class ViewPoller:
    """Polls one view."""

    def __init__(self, name: str, view: View, zone: str, account: str) -> None:
        self.name, self._view, self._account = name, view, account
        self._sql, self._clock = ViewStatements(name, view), Clock(zone)
        self._overlap = timedelta(seconds=seconds_of(view.overlap, "overlap"))
        self._start = None if view.start == "all" else timedelta(seconds=seconds_of(view.start, "start"))
        self._every = seconds_of(view.sweep_every, "sweep_every")
        self._native = compile_expression(view.message.id if view.message and view.deleted else "")
        self._of = blake2b(repr((view.query, view.key, view.time)).encode(), digest_size=9).hexdigest()

    def poll(self, place: ViewPlace, connection: Connection, now: datetime) -> tuple[list[Request], ViewPlace]:
        """The new rows of the next page, and where the next poll goes on."""
        if place.of != self._of:
            place = ViewPlace(of=self._of)
        if place.sweep is None and place.after is None and self._sweep_due(place, now):
            place = self._begin(place, connection, now)
        if place.sweep is not None:
            return self._sweep_page(place, place.sweep, connection)
        return self._news_page(place, connection, now) if place.since else ([], place)

    def _sweep_due(self, place: ViewPlace, now: datetime) -> bool:
        waited = now.timestamp() - place.swept
        return place.since is None or not 0 <= waited < self._every  # below 0: our clock was ahead

    def _begin(self, place: ViewPlace, connection: Connection, now: datetime) -> ViewPlace:
        """Of the first sweep, the newest change and the floor are those of its first moment."""
        count, newest = self._sql.count(connection)
        place = structs.replace(place, sweep=Sweep(began=now.timestamp()))
        block = place.block
        while count > BLOCKS * block:
            block *= 4
        if block != place.block:  # what is known has other blocks
            place = structs.replace(place, block=block, known="")
        if place.since is not None or newest is None:
            return place
        if self._start is not None:
            floor = self._clock.written(now - self._start, newest)
            place = structs.replace(place, floor=as_position(floor))
        if (instant := self._clock.instant(newest)) and instant > now + AHEAD:
            newest = self._sql.count(connection, before=self._clock.written(now + AHEAD, newest))[1]
        since = as_position(newest) if newest is not None else place.floor
        return structs.replace(place, since=since, since_at=now.timestamp())

    def _sweep_page(self, place: ViewPlace, sweep: Sweep, connection: Connection) -> tuple[list[Request], ViewPlace]:
        page = self._sql.by_key(connection, position_value(sweep.at), position_value(place.floor))
        blocks = cut_into_blocks(page.rows, place.block, ended=not page.full)
        rows = [row for block in blocks for row in block]
        known = unpack_digests(place.known)
        new: list[FoundRow] = []
        found = b""
        for block in blocks:
            found += (own := digest_of_block(block))
            new += [] if own in known else block
        ids = self._ids(rows, sweep)
        sweep = structs.replace(sweep, found=sweep.found + b64encode(found).decode(), ids=ids)
        handed = [self._stored(row) for row in new if digest_text(row) not in place.seen]
        place = self._with_seen(place, rows)
        if page.full:
            return handed, structs.replace(place, sweep=structs.replace(sweep, at=as_position(rows[-1].key)))
        return handed + self._gone(place, sweep), structs.replace(
            place, sweep=None, swept=sweep.began, known=sweep.found, ids=sweep.ids
        )

    def _news_page(self, place: ViewPlace, connection: Connection, now: datetime) -> tuple[list[Request], ViewPlace]:
        since = position_value(place.since)
        lower = since if place.settled else self._clock.earlier(since, self._overlap)
        if place.after is None:
            place = structs.replace(place, began=now.timestamp())
        after = (position_value(place.after[0]), position_value(place.after[1])) if place.after else None
        page = self._sql.by_time(connection, lower, after, later=place.settled)
        new = [row for row in page.rows if digest_text(row) not in place.seen]
        place = self._with_seen(structs.replace(place, top=self._newest(place, page.rows, now)), page.rows)
        if place.block == 1 and len(place.known) < 2 * BLOCKS * DIGEST:  # the next sweep knows them
            known = b64encode(b"".join(digest_of_block([row]) for row in new)).decode()
            place = structs.replace(place, known=place.known + known)
        if page.full:
            last = page.rows[-1]
            place = structs.replace(place, after=(as_position(last.time), as_position(last.key)))
        else:
            place = self._ended(place, now)
        return [self._stored(row) for row in new], place

    def _ended(self, place: ViewPlace, now: datetime) -> ViewPlace:
        """The pages are over. By elapsed time, not by the clock of the database, which may be wrong, it is known that
        nothing more commits late beside a newest change that has been known for longer than the overlap."""
        if place.top and place.top != place.since:
            place = structs.replace(place, since=place.top, since_at=now.timestamp(), settled=False)
        elif place.began >= place.since_at + self._overlap.total_seconds():
            place = structs.replace(place, settled=True)
        return self._with_seen(structs.replace(place, top=None, after=None), ())

    def _newest(self, place: ViewPlace, rows: Sequence[FoundRow], now: datetime) -> Position | None:
        """In the order of the column; never behind what was known."""
        newest = place.top or place.since
        known = self._clock.instant(position_value(newest))
        for row in reversed(rows):
            instant = self._clock.instant(row.time)
            if instant and instant <= now + AHEAD:
                return as_position(row.time) if known is None or instant > known else newest
        return newest

    def _with_seen(self, place: ViewPlace, rows: Sequence[FoundRow]) -> ViewPlace:
        """With those of the rows that the next polls read again. What is too old for that is forgotten."""
        since = self._clock.instant(position_value(place.since))
        least = int((since - self._overlap).timestamp()) if since else 0
        timed = ((digest_text(row), self._clock.instant(row.time)) for row in rows if since)
        seen = place.seen | {mark: int(at.timestamp()) for mark, at in timed if at}
        kept = sorted(((at, mark) for mark, at in seen.items() if at >= least), reverse=True)[:REMEMBERED]
        return structs.replace(place, seen={mark: at for at, mark in kept})

    def _stored(self, row: FoundRow) -> Request:
        return Request("GET", f"/{self.name}", headers={VIEW: self.name}, body=row.body)

    def _ids(self, rows: Sequence[FoundRow], sweep: Sweep) -> list[str]:
        if not self._view.deleted or len(sweep.ids) > KEYS:
            return sweep.ids
        return [*sweep.ids, *(id for row in rows if (id := plain_text(self._native(row.row))))]

    def _gone(self, place: ViewPlace, sweep: Sweep) -> list[Request]:
        """Rows of the sweep before that this one did not see. Many at once are a fault of the view."""
        gone = sorted({*place.ids} - {*sweep.ids}) if max(len(place.ids), len(sweep.ids)) <= KEYS else []
        if len(gone) > max(10, len(place.ids) // 10):
            log.warning(
                "account %s: %d of %d rows of the view %s are gone at once: it is not noted on their reports",
                self._account, len(gone), len(place.ids), self.name,
            )  # fmt: skip
            return []
        at = datetime.fromtimestamp(sweep.began, UTC).isoformat(timespec="seconds")
        headers, bodies = {VIEW: self.name, GONE: "1"}, (msgspec.json.encode({"id": id, "at": at}) for id in gone)
        return [Request("GET", f"/{self.name}", headers=headers, body=body) for body in bodies]


def poll_views(
    pollers: dict[str, ViewPoller], written: str | None, connection: Connection, now: datetime
) -> tuple[list[Request], str, bool]:
    """One page of the view whose turn it is: its new rows, the cursor, and whether there is more."""
    cursor, names = decode_cursor(written), list(pollers)
    turn = names.index(cursor.turn) if cursor.turn in names else 0
    name = names[turn]
    requests, place = pollers[name].poll(cursor.places.get(name) or ViewPlace(), connection, now)
    places = {key: kept for key, kept in cursor.places.items() if key in pollers} | {name: place}
    unfinished = place.sweep is not None or place.after is not None
    following = name if unfinished else names[turn + 1] if turn + 1 < len(names) else ""
    return requests, encode_cursor(DatabaseCursor(turn=following, places=places)), bool(following)
