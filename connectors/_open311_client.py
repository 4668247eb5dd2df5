"""Calls of another server of GeoReport v2, as a client makes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from connectors._http import ErrorMeaning, Http, HttpRequest, HttpResponse
from connectors._lapor_body import mark, place_words
from connectors._open311_documents import read_items
from connectors._open311_form import DESCRIPTION
from connectors._open311_query import MOST
from connectors._open311_settings import Open311Settings
from connectors._open311_words import WORDS
from schemas import Forward, Reject, Retry, Unanswered

LIMIT = 16 * 1024 * 1024
NARROWEST = timedelta(seconds=30)
"""A range that cannot be answered is halved down to this; what is left there is passed over."""
HALVINGS = 6
"""How often a time is halved whose list is full."""
MOST_FAILED = 40
"""Pieces of a range; more: the server is down."""


class Created(NamedTuple):
    """The answer to a service request: its id, or a token for it."""

    id: str
    token: str


class GeoReportClient:
    """One server."""

    def __init__(self, settings: Open311Settings, http: Http) -> None:
        self._settings, self._http = settings, http

    async def create(self, forward: Forward) -> Created:
        """Raises Retry, Unanswered, AccountFault or Reject."""
        try:
            answer = await self._post("requests", report_fields(forward, self._settings))
        except Reject as fault:
            if "duplicate" in (fault.answer or "").lower():  # SeeClickFix's answer to the same words and place
                raise Unanswered("it says that it has this already") from None
            raise
        created = _created(answer, "request")
        if not (created.id or created.token):
            raise Unanswered("answered without an id: it may have been created")
        return created

    async def of_token(self, token: str) -> str:
        """The request's id. Raises Retry while there is none yet."""
        try:
            found = _created((await self._get(f"tokens/{quote(token, safe='')}", {})).body, "request").id
        except Reject as fault:
            if fault.code != "http_404":
                raise
            found = ""
        if not found:
            raise Retry("there is no id for the token yet", after=60.0)
        return found

    async def update(self, forward: Forward, first_at: datetime) -> str:
        """Tell an update; returns its id there, which may be empty. Raises as `create`."""
        answer = await self._post("servicerequestupdates", update_fields(forward, first_at))
        return _first(answer, "request_update").get("update_id", "")

    async def request(self, native: str) -> dict[str, str]:
        """One service request. Raises Reject where there is none, and as `Http.send`."""
        answer = await self._get(f"requests/{quote(native, safe='')}", {})
        found = _first(answer.body, "request")
        if not found.get("status"):
            raise Reject("not_there", "the other server shows no such request")
        return found

    async def all_between(
        self, what: str, item: str, start: datetime, end: datetime, halvings: int = HALVINGS
    ) -> list[dict[str, str]]:
        """Every item of a time, or a fault. A list as long as the standard allows may be cut off there: then the time
        is halved. Raises Retry, Unanswered, AccountFault."""
        found = await self._listed(what, item, start, end)
        if len(found) < MOST or not halvings:
            return found
        middle = start + (end - start) / 2
        first = await self.all_between(what, item, start, middle, halvings - 1)
        return first + await self.all_between(what, item, middle, end, halvings - 1)

    async def _listed(self, what: str, item: str, start: datetime, end: datetime) -> list[dict[str, str]]:
        times = {"start_date": _written(start), "end_date": _written(end)}
        try:
            answer = await self._get(what, times)
        except Reject as fault:
            if fault.code == "http_404":  # some servers say so of an empty list
                return []
            raise Retry(f"{fault.code}: it cannot be asked") from None
        return _items(answer.body, item)

    async def between(self, what: str, item: str, start: datetime, end: datetime) -> list[dict[str, str]]:
        """Items of a time. One item that a server cannot show makes it fail for all of the time: then the time is
        halved, and a short piece is passed over where others were answered. Raises Retry, Unanswered, AccountFault."""
        pieces, found = [(start, end)], list[dict[str, str]]()
        answered, failed = False, 0
        while pieces:
            first, last = pieces.pop()
            try:
                found += await self.all_between(what, item, first, last)
                answered = True
            except Unanswered as fault:
                failed += 1
                narrow = last - first <= NARROWEST
                if fault.answer is None or failed > MOST_FAILED or (narrow and not (answered or pieces)):
                    raise
                if not narrow:
                    middle = first + (last - first) / 2
                    pieces += [(middle, last), (first, middle)]
        return found

    async def _get(self, path: str, params: Mapping[str, str]) -> HttpResponse:
        request = HttpRequest(self._address(path), params={**self._jurisdiction(), **params}, limit=LIMIT)
        return await self._http.send(request)

    async def _post(self, path: str, fields: Mapping[str, str]) -> bytes:
        form = {**self._jurisdiction(), "api_key": self._settings.api_key.reveal(), **fields}
        answer = await self._http.send(HttpRequest(self._address(path), "POST", form=form, limit=LIMIT, judge=_judged))
        return answer.body

    def _address(self, path: str) -> str:
        return f"{self._settings.url.rstrip('/')}/{path}.{self._settings.format}"

    def _jurisdiction(self) -> dict[str, str]:
        return {"jurisdiction_id": self._settings.jurisdiction_id} if self._settings.jurisdiction_id else {}


def report_fields(forward: Forward, settings: Open311Settings) -> dict[str, str]:
    """A report as `POST requests` takes it. Raises Reject where no service is known for it."""
    code = settings.service_of(forward.category.id if forward.category else None)
    if not code:
        raise Reject("no_service", "set service_code of this account, or name the category in service_codes")
    place, person = forward.place, forward.reporter
    first, _, last = ((person.name if person else None) or "").strip().partition(" ")
    point = place is not None and place.lat is not None and place.lon is not None
    fields = {
        "service_code": code, "description": description_of(forward),
        "lat": str(place.lat) if place and point else "", "long": str(place.lon) if place and point else "",
        "address_string": (place_words(place) or place.code or "" if place else "") or f"wilayah {forward.owner}",
        "first_name": first, "last_name": last,
        "email": (person.email if person else None) or "", "phone": (person.phone if person else None) or "",
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value}


def description_of(forward: Forward) -> str:
    """Title and words, cut where the standard takes no more, with our mark at the end."""
    end = f"\n{mark(forward)}"
    title = "" if forward.text.startswith(forward.title.rstrip("…. ")) else f"{forward.title}\n"
    words = f"{title}{forward.text}".strip() or "(tanpa uraian)"
    room = DESCRIPTION - len(end)
    return (words if len(words) <= room else f"{words[: room - 1]}…") + end


def update_fields(forward: Forward, at: datetime) -> dict[str, str]:
    """What was said later, as `POST servicerequestupdates` takes it."""
    word = WORDS.get(forward.status or "", "open")
    return {
        "service_request_id": forward.native or "", "update_id": forward.reference, "updated_datetime": _written(at),
        "status": word.upper(), "description": description_of(forward),
    }  # fmt: skip


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    if response.status == 403:
        return ErrorMeaning("account", "api_key_refused", "the other server does not take api_key")
    return None


def _created(body: bytes, item: str) -> Created:
    """Of the first item, as clients read it. Raises Reject where a success holds errors."""
    first = _first(body, item)
    created = Created(first.get("service_request_id", ""), first.get("token", ""))
    if not (created.id or created.token) and (errors := _items(body, "error")) and errors[0].get("code"):
        raise Reject("refused_by_server", "the other server answered with errors")
    return created


def _first(body: bytes, item: str) -> dict[str, str]:
    return next(iter(_items(body, item)), {})


def _items(body: bytes, item: str) -> list[dict[str, str]]:
    try:
        return read_items(body, item)
    except ValueError:
        raise Unanswered("answered with neither XML nor JSON") from None


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
