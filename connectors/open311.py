"""Open311 GeoReport v2: clients post reports to us and read their state; we bring reports to other servers.

With `keys` an account is a server at `/in/ACCOUNT`, whose questions the hub answers (`hub/web/open311.py`); with `url`
it is a client of another server. mySociety's extension of updates works both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors._durations import seconds_of
from connectors._forwards import ForwardCall, Forwards, StepResult
from connectors._http import HttpRequest, judge_unproven, require_host
from connectors._lapor_body import mark
from connectors._open311_client import GeoReportClient
from connectors._open311_form import KEY, Form, FormFault, ReportForm, UpdateForm, report_form, update_form
from connectors._open311_news import Listing, news, status_news
from connectors._open311_reading import WAS, ServerItem, action_fields, is_answer, items_in
from connectors._open311_settings import Open311Settings
from connectors._open311_words import meaning_of
from connectors._port import FetchedFile, Fetches, Item, Listens, PollResult, ProviderConnections
from connectors._request import Forbidden, Part, Payload, Request
from schemas import (
    CLOSED_STATUSES,
    AccountFault,
    Actor,
    Attachment,
    Category,
    Forward,
    ForwardKind,
    Office,
    Raw,
    Reject,
    Retry,
    Status,
)  # fmt: skip
from schemas.regions import is_inside

CREATE, TOKEN, UPDATE = "create", "token", "update"
NUMBER = "open311-number"
"""Header of a stored report: the number that its client was told."""
FILE_BYTES = 20 * 1024 * 1024
BEFORE = timedelta(minutes=10)
"""How far before a step's begin it is looked for: clocks differ."""


class Open311(Listens, Fetches, Forwards):
    kind = "open311"
    settings_type = Open311Settings
    methods = frozenset({"GET", "HEAD", "POST"})
    body_limit = 1024 * 1024
    kept_headers = ("content-type", NUMBER, WAS)
    secret_parameters: ClassVar[frozenset[str]] = frozenset({KEY})
    url_settings = ("url",)
    proof_settings = ("keys",)
    keeps_unknown_fields = True
    takes: ClassVar[frozenset[ForwardKind]] = frozenset({"complaint", "supplement", "answer", "status"})
    tells_only_closed = True
    template = """\
# As a server: clients post to the account's address.
keys = ["{secret}"]                     # API keys, one a client
# jurisdiction_id = "bandung.go.id"
# publishes = "own"                     # what everybody may list: "own" reports of this account, "region", "none"
# services = ["928", "1398"]            # ids of the categories that are offered; left out: all
# office = "dinas-pu"                   # the clients are this office's system: their updates are its answers
# file_hosts = ["foto.example.go.id"]   # hosts of media_url
# As a client of another server (instead, in a table of its own):
# url = "https://311.example.go.id/open311/v2"
# api_key = "env:OPEN311_KEY"
# service_code = "lainnya"              # its service for what service_codes does not name
# service_codes = { "1398" = "LAMPU" }
# updates = true                        # it has mySociety's servicerequestupdates
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        settings.check()
        self._every = seconds_of(settings.poll_every, "poll_every")
        self._listing = Listing(timedelta(seconds=self._every / 2))
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def missing_setting(self) -> str | None:
        """Of an account that is a client; one with keys alone needs no more."""
        if not self.settings.url:
            return None if self.settings.keys else "url"
        return None if self.settings.api_key else "api_key"

    @property
    def missing_for_intake(self) -> str | None:
        return None if self.settings.keys else self.missing_setting

    @property
    def follow_every(self) -> float | None:
        return self._every if self.settings.url else None

    def setup_help(self, url: str) -> str:
        return f"clients call {url}/services.xml and post to {url}/requests.xml with api_key, one of keys"

    def verify(self, request: Request) -> None:
        try:
            given = [Form(request.query).get(KEY), Form(request.body).get(KEY)]
        except FormFault as fault:
            raise Forbidden(fault.words) from None
        if not sum(key.matches(word) for key in self.settings.keys for word in given):
            raise Forbidden("no api_key, or a wrong one")

    def parts(self, payload: Payload) -> Iterator[Part]:
        if is_answer(payload):
            for item in items_in(payload):
                yield Part(item, item.fields.get("service_request_id") or None)
            return
        try:
            form = Form(payload.body or payload.query)
            if form.get("update_id") or "servicerequestupdates" in payload.path:
                update = update_form(form)
                yield Part(update, update.request_id)
            else:
                yield Part(report_form(form), payload.headers.get(NUMBER) or None)
        except FormFault as fault:
            raise Reject("not_a_form", fault.words) from None

    def read(self, part: Part, raw: Raw) -> Item:
        if isinstance(part.payload, ServerItem):
            native, fields = action_fields(part.payload, self.account)
            return self.action(raw, native, **fields)
        if isinstance(part.payload, UpdateForm):
            return self._update(part.payload, raw)
        return self._report(part.payload, part.conversation or raw.id, raw)

    def _report(self, form: ReportForm, conversation: str, raw: Raw) -> Item:
        return self.message(
            raw, None, conversation, opens_report=True, text=form.text, title=form.title, sender=form.sender,
            place=form.place, category=Category(id=form.service_code), attachments=_files(form.media_urls),
            incident_date=form.incident_date, anonymous=form.anonymous, secret=form.secret, extra=form.extra,
        )  # fmt: skip

    def _update(self, form: UpdateForm, raw: Raw) -> Item:
        """An office's own system answers; any other client brings the citizen's further words."""
        native, meaning = f"{form.request_id}/update/{form.update_id}", meaning_of(form.status)
        if not self.settings.office:
            words = form.text or f"({form.status.replace('_', ' ')})"
            command = "BELUM" if form.status == "reopen" else "TL"
            return self.message(
                raw, native, form.request_id, command=command, number=form.request_id, text=words,
                sent_at=form.at, attachments=_files(form.media_urls),
            )  # fmt: skip
        status, office = None if meaning.status == "unverified" else meaning.status, Office(id=self.settings.office)
        if not form.text and status is None:
            raise Reject("no_news", "an update without words, whose status moves nothing")
        return self.action(
            raw, native, what="status" if status in CLOSED_STATUSES or not form.text else "answer", text=form.text,
            status=status, status_said=form.status, reopens=meaning.reopens, number=form.request_id, office=office,
            observed_at=form.at, actor=Actor(kind="office", id=office.id), attachments=_files(form.media_urls),
        )  # fmt: skip

    async def follow(self, native: str, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        client = self._client(outbound)
        if not self.settings.updates:
            return await status_news(client, native, cursor)
        return await news(self._listing, client, native, cursor, self.now())

    async def status_of(self, native: str, outbound: ProviderConnections) -> Status | None:
        try:
            found = await self._client(outbound).request(native)
        except Reject as fault:
            if fault.code in {"http_404", "not_there"}:
                return None
            raise
        return meaning_of(found["status"]).status

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        """From the other server's host, or one that is named: an address in a form may lead anywhere."""
        url, hosts = attachment.url or "", self.settings.file_hosts
        own = self.settings.url or (f"{urlsplit(url).scheme or 'https'}://{hosts[0]}" if hosts else "")
        require_host(url, own, hosts)
        answer = await outbound.http.send(HttpRequest(url, limit=FILE_BYTES, judge=judge_unproven))
        return FetchedFile(answer.body, answer.headers.get("content-type") or attachment.media_type)

    def wants(self, forward: Forward) -> bool:
        """Reports of the owner's region, but no secret ones: what stands there is public."""
        if not self.settings.url or forward.secret:
            return False
        return is_inside(forward.region, self.owner)

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        if forward.what != "complaint":
            return [UPDATE] if self.settings.updates and not forward.secret else []
        created = results.get(CREATE)
        return [CREATE, TOKEN] if isinstance(created, dict) and created.get("token") else [CREATE]

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        client = self._client(outbound)
        if step == CREATE:
            created = await client.create(call.forward)
            value = {"id": created.id} if created.id else {"token": created.token}
            return StepResult(value, created.id or None)
        if step == TOKEN:
            id = await client.of_token(call.results[CREATE]["token"])
            return StepResult({"id": id}, id)
        if not call.forward.native:
            raise Retry("the complaint does not stand there yet")
        return StepResult({"id": await client.update(call.forward, call.forward.at)})

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        if step == TOKEN:  # asking for an id changes nothing there
            return None
        what, item = ("requests", "request") if step == CREATE else ("servicerequestupdates", "request_update")
        client, start = self._client(outbound), call.began_at - BEFORE
        if step == UPDATE:
            start = min(start, call.forward.at - BEFORE)  # it stands there at the time when it was said
        for fields in await client.all_between(what, item, start, call.now + BEFORE):
            if mark(call.forward) in fields.get("description", ""):
                native = fields.get("service_request_id", "")
                return StepResult({"id": native}, native if step == CREATE else None)
        settles = seconds_of(self.settings.settles, "settles")
        if (left := settles - (call.now - call.began_at).total_seconds()) > 0:
            raise Retry("not there yet: it may still be under way", after=min(left, 30.0))
        return None

    def _client(self, outbound: ProviderConnections) -> GeoReportClient:
        if not self.settings.url or self.missing_setting:
            raise AccountFault("setting_missing", f"set {self.missing_setting or 'url'} of this account")
        return GeoReportClient(self.settings, outbound.http)


def _files(urls: Sequence[str]) -> tuple[Attachment, ...]:
    return tuple(Attachment(url=url) for url in urls)
