"""Our server of Open311 GeoReport v2 at `/in/ACCOUNT/…`, in XML and JSON, with mySociety's extension of updates.

Posts are stored like everything that comes in. Questions are answered from the record, by what everybody may see
(`sink/public_reports.py`); a key opens nothing more.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from bus import fault_location
from connectors import Forbidden, IngressResponse, Request
from connectors._open311_documents import MEDIA_TYPES, Document, encode_document, errors_document
from connectors._open311_form import Form, FormFault
from connectors._open311_query import RequestQuery, both_or_none, query_of_id, request_query, span_of
from connectors.open311 import Open311
from hub.web import open311_documents as documents
from hub.web.ingress import RETRY_AFTER, NotStored
from router.regions import NATION
from schemas import Retry
from sink.public_reports import PublicQuery, PublicScope, public_reports, public_updates

if TYPE_CHECKING:
    from hub.running.pools import RunInThread
    from hub.web.open311_posts import Posts
    from sink import Record

AT_ONCE = 2
"""Lists that are read at one moment: anybody may ask for them."""
_PATH = re.compile(r"/(?:v2/)?([a-z]+)(?:/([^/]{1,255}))?\.(xml|json)")
_NOTHING = PublicScope(account="", owner="")
_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A request in parts."""

    channel: Open311
    request: Request
    id: str
    form: Form
    """Of the query, or of a post's body."""


Answer = Callable[[Asked], Awaitable[Document]]


class Open311Server:
    """Answers requests to accounts of kind `open311`."""

    def __init__(
        self, *, posts: Posts, record: Record, io: RunInThread, clock: Callable[[], datetime], url: str
    ) -> None:
        self._posts, self._record, self._io, self._clock, self._url = posts, record, io, clock, url.rstrip("/")
        self._lists = asyncio.Semaphore(AT_ONCE)
        self._routes: dict[tuple[str, str, bool], Answer] = {
            ("GET", "discovery", False): self._discovery, ("GET", "services", False): self._services,
            ("GET", "services", True): self._definition, ("GET", "requests", False): self._requests,
            ("GET", "requests", True): self._request, ("GET", "tokens", True): self._token,
            ("POST", "requests", False): self._report,
            ("GET", "servicerequestupdates", False): self._updates,
            ("POST", "servicerequestupdates", False): self._update,
        }  # fmt: skip

    async def __call__(self, channel: Open311, request: Request) -> IngressResponse:
        """Every fault is an answer in the form that was asked for."""
        found = _PATH.fullmatch(request.path)
        form = found[3] if found else "xml"
        try:
            document = await self._answer(channel, request, found)
        except FormFault as fault:
            return _response(fault.status, errors_document((fault.status, fault.words)), form)
        except (NotStored, Retry):
            return _unavailable(form)
        except Exception as error:  # a bug of ours must not be final for the sender
            _log.error("cannot answer at %s: %s", channel.account, fault_location(error))
            return _unavailable(form)
        return _response(200, document, form)

    async def _answer(self, channel: Open311, request: Request, path: re.Match[str] | None) -> Document:
        method = "GET" if request.method == "HEAD" else request.method  # its body is left out on the way
        route = self._routes.get((method, path[1], path[2] is not None)) if path else None
        if path is None or route is None:
            raise FormFault(404, "there is nothing here: see discovery.xml")
        posted = request.method == "POST"
        if posted:
            _check_is_form(request)
            try:
                channel.verify(request)
            except Forbidden:
                raise FormFault(403, "api_key was not provided, or is not known") from None
        form = Form(request.body if posted else request.query)
        _check_jurisdiction(channel, form.get("jurisdiction_id") or Form(request.query).get("jurisdiction_id"))
        return await route(Asked(channel, request, unquote(path[2] or ""), form))

    async def _discovery(self, asked: Asked) -> Document:
        return documents.discovery(asked.channel.settings, f"{self._url}/in/{asked.channel.account}")

    async def _services(self, asked: Asked) -> Document:
        return documents.services(asked.channel.settings)

    async def _definition(self, asked: Asked) -> Document:
        if asked.id not in _codes(asked.channel):
            raise FormFault(404, "service_code: there is no such service")
        return documents.service_definition(asked.id)

    async def _requests(self, asked: Asked) -> Document:
        return await self._list(asked.channel, request_query(asked.form, self._clock()))

    async def _request(self, asked: Asked) -> Document:
        scope, patient = scope_of(asked.channel), self._posts.is_recent(asked.id)
        if scope == _NOTHING or not await self._posts.is_there(scope, asked.id, patient=patient):
            raise FormFault(404, "service_request_id: there is no such request")
        return await self._list(asked.channel, query_of_id(asked.id, extended=asked.form.get("extensions") == "true"))

    async def _token(self, asked: Asked) -> Document:
        """Reports get their id at once, so no token was ever given: an id stands for itself."""
        await self._request(asked)
        return documents.of_token(asked.id)

    async def _list(self, channel: Open311, query: RequestQuery) -> Document:
        wanted = PublicQuery(
            query.start, query.end, query.ids, query.codes, query.closed, query.limit, query.offset,
        )  # fmt: skip
        scope = scope_of(channel)
        async with self._lists:
            found = [] if scope == _NOTHING else await self._io(partial(public_reports, self._record, scope, wanted))
        return documents.requests(found, extended=query.extended)

    async def _updates(self, asked: Asked) -> Document:
        both_or_none(asked.form)
        start, end = span_of(asked.form, self._clock())
        scope = scope_of(asked.channel)
        async with self._lists:
            reading = partial(public_updates, self._record, scope, start, end)
            found = [] if scope == _NOTHING else await self._io(reading)
        return documents.updates(found)

    async def _report(self, asked: Asked) -> Document:
        return documents.created(await self._posts.report(asked.channel, asked.request, _codes(asked.channel)))

    async def _update(self, asked: Asked) -> Document:
        """Of a report of this account, also where it publishes none."""
        scope = PublicScope(account=asked.channel.account) if scope_of(asked.channel) == _NOTHING else None
        update_id = await self._posts.update(asked.channel, asked.request, scope or scope_of(asked.channel))
        return documents.update_taken(update_id)


def scope_of(channel: Open311) -> PublicScope:
    """What everybody may list here."""
    if channel.settings.publishes == "own":
        return PublicScope(account=channel.account)
    if channel.settings.publishes == "region":
        return PublicScope(owner=None if channel.owner == NATION else channel.owner)
    return _NOTHING


def _codes(channel: Open311) -> frozenset[str]:
    return frozenset(topic.id for topic in documents.offered(channel.settings))


def _check_is_form(request: Request) -> None:
    """One that says that it is something else would seem to have no key. One that says nothing is taken for a form."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given == "application/json" or given.startswith("multipart/"):
        raise FormFault(400, "POST takes application/x-www-form-urlencoded; a picture is named by media_url")


def _check_jurisdiction(channel: Open311, given: str) -> None:
    """We serve one: it may be left out, and where we have no name for it, any is taken."""
    own = channel.settings.jurisdiction_id
    if own and given and given.strip() != own:
        raise FormFault(404, "jurisdiction_id: there is no such jurisdiction")


def _unavailable(form: str) -> IngressResponse:
    answer = _response(503, errors_document((503, "not available now: try again")), form)
    return IngressResponse(answer.status, answer.body, answer.media_type, {"retry-after": str(RETRY_AFTER)})


def _response(status: int, document: Document, form: str) -> IngressResponse:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return IngressResponse(status, encode_document(document, form), MEDIA_TYPES[form], headers)
