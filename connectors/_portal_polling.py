"""Polling a portal: one page a poll, so that a page is durable before the next is asked for.

A sweep goes through the pages of a stream. A row is handed on where its content was seen neither in this sweep nor in
the one before. The watermark moves when a sweep is over; where one of several pages brought news, the pages are read
once more from the same watermark, for rows move from page to page while they are read. What is newer than the watermark
less its overlap is asked for the next time, so that rows that commit late are seen.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from connectors._durations import seconds_of
from connectors._http import Http, HttpRequest
from connectors._portal_calls import LIMIT, PortalCalls
from connectors._portal_expressions import Expression, compile_expression, is_yes, plain_text
from connectors._portal_items import Words
from connectors._portal_manifest import Manifest, Stream
from connectors._portal_rows import NotRows, Row, decode_answer, rows_in
from connectors._request import Request
from connectors._results import PollResult
from schemas import AccountFault, Reject, Retry

REMEMBERED = 20_000
"""Rows of a sweep that the cursor remembers."""
SWEEPS = 3
"""How often pages are read from one watermark at most."""
REPEATS = 2
"""Some portals answer with their last page for ever: a page that came so often again in a row ends the sweep. Once is
not enough: so many new rows may have come meanwhile that all rows have moved on by one page."""
AHEAD = timedelta(hours=1)
"""A row whose time lies further ahead does not move the watermark."""


class StreamPlace(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the next poll of a stream goes on."""

    since: str = ""
    """The watermark: the newest change of the last sweep."""
    top: str = ""
    """The newest change of this sweep."""
    page: str = ""
    """The next page of this sweep: its number, offset, cursor, address, or (time, id) as JSON."""
    news: bool = False
    """This sweep brought something new."""
    last: str = ""
    """The page before: its rows."""
    repeats: int = 0
    """How often it came in a row."""
    sweeps: int = 0
    """How often the pages were read from this watermark."""
    seen: list[str] = msgspec.field(default_factory=list)
    """Fingerprints of this sweep's rows."""
    before: list[str] = msgspec.field(default_factory=list)
    """Those of the sweep before."""


class Cursor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The cursor of an account."""

    turn: str = ""
    """The stream that is asked next."""
    places: dict[str, StreamPlace] = msgspec.field(default_factory=dict)


class Page(NamedTuple):
    """An answer that was read."""

    rows: list[Row]
    answer: Any


class StreamPoller:
    """Polls one stream."""

    def __init__(self, name: str, stream: Stream, manifest: Manifest, words: Words) -> None:
        self.name, self._stream, self._words = name, stream, words
        self._zone = ZoneInfo(manifest.zone)
        self._items, self._success = compile_expression(stream.items or "@"), compile_expression(stream.success)
        self._next = compile_expression(stream.paging.next)
        mark = stream.watermark
        self._time: Expression = compile_expression(mark.field if mark else "")
        self._id: Expression = compile_expression(stream.message.id if stream.message else "id")
        self._overlap = timedelta(seconds=seconds_of(mark.overlap, "overlap") if mark else 0)
        self._start = timedelta(seconds=seconds_of(mark.start, "start") if mark else 0)
        self._detail = {
            key: compile_expression(one) for key, one in (stream.detail.params if stream.detail else {}).items()
        }

    async def poll(
        self, place: StreamPlace, calls: PortalCalls, http: Http, now: datetime
    ) -> tuple[list[Request], StreamPlace]:
        """The new rows of the next page, and where the next poll goes on. Raises Retry, AccountFault, Reject."""
        request = self._request(place, calls, now)
        page = await self._page(calls, http, request)
        new, marks = self._changed(place, page.rows)
        for row in new:
            await self._add_detail(row, calls, http)
        return [self._stored(row) for row in new], self._after(place, page, marks, bool(new), now)

    def read_page(self, body: bytes) -> Page:
        """Raises NotRows."""
        answer = decode_answer(self._stream, body)
        if self._stream.success and not is_yes(self._success(answer)):
            raise NotRows("the portal says that the call failed")
        return Page(rows_in(self._items(answer)), answer)

    async def _page(self, calls: PortalCalls, http: Http, request: HttpRequest) -> Page:
        for again in (True, False):
            try:
                return self.read_page((await calls.send(http, request)).body)
            except NotRows as fault:
                if not again or not calls.forget_login():
                    raise Retry(str(fault)) from None
            except Reject as fault:  # a person mends it, and it is asked for again
                raise AccountFault(fault.code, "the portal refused the call: check url and the manifest") from None
        raise AssertionError("unreachable")

    def _request(self, place: StreamPlace, calls: PortalCalls, now: datetime) -> HttpRequest:
        stream, paging = self._stream, self._stream.paging
        if paging.type == "link" and place.page:
            return HttpRequest(calls.next_address(place.page, stream.path), headers=stream.headers, limit=LIMIT)
        today = now.astimezone(self._zone)
        dates = {
            "{today}": f"{today:%Y-%m-%d}",
            "{first_day}": f"{today - (self._start or timedelta(days=30)):%Y-%m-%d}",
        }
        params = {key: _replaced(value, dates) for key, value in stream.params.items()}
        params |= self._since(place, now)
        if paging.size_parameter:
            params[paging.size_parameter] = str(paging.size)
        if paging.type in {"page", "offset"}:
            params[paging.parameter] = place.page or str(paging.start if paging.type == "page" else 0)
        elif paging.type == "cursor" and place.page:
            params[paging.parameter] = place.page
        return HttpRequest(calls.address(stream.path), params=params, headers=stream.headers, limit=LIMIT)

    def _since(self, place: StreamPlace, now: datetime) -> dict[str, str]:
        mark = self._stream.watermark
        if mark is None or not mark.parameter:
            return {}
        if self._stream.paging.type == "keyset" and place.page:
            time, id = msgspec.json.decode(place.page, type=tuple[str, str])
            return {mark.parameter: self._written(datetime.fromisoformat(time))} | (
                {mark.id_parameter: id} if mark.id_parameter else {}
            )
        since = datetime.fromisoformat(place.since) - self._overlap if place.since else now - self._start
        return {mark.parameter: self._written(since)}

    def _written(self, time: datetime) -> str:
        form = self._stream.watermark.format if self._stream.watermark else "iso"
        local = time.astimezone(self._zone)
        if form == "unix":
            return str(int(local.timestamp()))
        return local.isoformat() if form == "iso" else local.strftime(form)

    def _changed(self, place: StreamPlace, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
        """The rows that are new or changed, and the fingerprints of all."""
        known, new, marks = {*place.before, *place.seen}, [], []
        for row in rows:
            marks.append(mark := fingerprint(row, self._stream.ignore))
            if mark not in known:
                known.add(mark)
                new.append(row)
        return new, marks

    async def _add_detail(self, row: Row, calls: PortalCalls, http: Http) -> None:
        if self._stream.detail is None:
            return
        params = {key: plain_text(get(row)) for key, get in self._detail.items()}
        request = HttpRequest(calls.address(self._stream.detail.path), params=params, limit=LIMIT)
        try:
            row["detail"] = decode_answer(self._stream, (await calls.send(http, request)).body)
        except NotRows as fault:
            raise Retry(str(fault)) from None
        except Reject:  # it was taken away in between: the row itself stands
            return

    def _stored(self, row: Row) -> Request:
        return Request("GET", f"/{self.name}", body=msgspec.json.encode(row))

    def _after(self, place: StreamPlace, page: Page, marks: list[str], news: bool, now: datetime) -> StreamPlace:
        rows = blake2b("".join(sorted(marks)).encode(), digest_size=9).hexdigest()
        place = structs.replace(place, last=rows, repeats=place.repeats + 1 if rows == place.last else 0)
        following = self._following(place, page)
        paged, news = bool(place.page or following), news or place.news
        place = structs.replace(
            place, top=self._newest(page.rows, place.top, now), page=following, news=news,
            seen=list(dict.fromkeys([*place.seen, *marks]))[-REMEMBERED:],
        )  # fmt: skip
        if following:
            return place
        if paged and news and place.sweeps + 1 < SWEEPS and len(place.seen) < REMEMBERED:
            return StreamPlace(since=place.since, top=place.top, sweeps=place.sweeps + 1, before=place.seen)
        return StreamPlace(since=max(place.since, place.top), before=place.seen)

    def _newest(self, rows: Sequence[Row], top: str, now: datetime) -> str:
        if self._stream.watermark is None:
            return ""
        times = (self._time_of(row) for row in rows)
        known = [time.isoformat() for time in times if time and time <= now + AHEAD]
        return max([*known, top])

    def _time_of(self, row: Row) -> datetime | None:
        try:
            return self._words.parse_time(plain_text(self._time(row)))
        except (ValueError, OverflowError, OSError):
            return None

    def _following(self, place: StreamPlace, page: Page) -> str:
        """The next page; empty: this was the last."""
        paging = self._stream.paging
        if not page.rows or paging.type == "none" or place.repeats >= REPEATS:
            return ""
        match paging.type:
            case "page":
                return str(int(place.page or paging.start) + 1)
            case "offset":
                distinct = {fingerprint(row, self._stream.ignore) for row in page.rows}
                return str(int(place.page or 0) + len(distinct))
            case "keyset":
                return self._keyset(place, page)
        following = plain_text(self._next(page.answer))
        return "" if following == place.page else following

    def _keyset(self, place: StreamPlace, page: Page) -> str:
        last = page.rows[-1]
        time = self._time_of(last)
        if time is None or len(page.rows) < self._stream.paging.size:
            return ""
        key = msgspec.json.encode((time.isoformat(), plain_text(self._id(last)))).decode()
        return "" if key == place.page else key


async def poll_portal(
    pollers: Mapping[str, StreamPoller],
    written: str | None,
    calls: PortalCalls,
    http: Http,
    now: Callable[[], datetime],
) -> PollResult:
    """One page of the stream whose turn it is."""
    cursor, names = decode_cursor(written), list(pollers)
    turn = names.index(cursor.turn) if cursor.turn in names else 0
    name = names[turn]
    requests, place = await pollers[name].poll(
        cursor.places.get(name) or StreamPlace(), calls, http, now().astimezone(UTC)
    )
    places = {key: kept for key, kept in cursor.places.items() if key in pollers} | {name: place}
    unfinished = bool(place.page or place.sweeps)
    following = name if unfinished else names[turn + 1] if turn + 1 < len(names) else ""
    encoded = msgspec.json.encode(Cursor(turn=following, places=places)).decode()
    return PollResult(requests, encoded, more=bool(following))


def decode_cursor(written: str | None) -> Cursor:
    """One that cannot be read is none: what was read before is then read again, and told by its ids."""
    try:
        return msgspec.json.decode(written or "{}", type=Cursor)
    except msgspec.MsgspecError:
        return Cursor()


def fingerprint(row: Row, ignored: Sequence[str]) -> str:
    """The same for the same content, in whatever order its fields stand."""
    kept = {key: value for key, value in row.items() if key not in ignored} if ignored else row
    encoded = msgspec.json.encode(kept, order="deterministic")
    return urlsafe_b64encode(blake2b(encoded, digest_size=9).digest()).decode()


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
