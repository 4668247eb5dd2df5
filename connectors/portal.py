"""A region's own portal, plugged in by a manifest (`_portal_manifest.py`): polled, pushed, and told back.

A stored request is one row of the portal as JSON, or what the portal pushed; the method tells them apart: GET or POST.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urljoin

import msgspec

from connectors._durations import seconds_of
from connectors._forwards import ForwardCall, Forwards, NeedsPerson, StepResult
from connectors._http import HttpRequest, judge_unproven, require_host
from connectors._json import decode_lenient
from connectors._port import CheckResult, FetchedFile, Fetches, Item, Listens, PollResult, Polls, ProviderConnections
from connectors._portal_answers import PortalAnswers
from connectors._portal_calls import LIMIT, PortalCalls
from connectors._portal_expressions import compile_expression, names_of_stream
from connectors._portal_items import PortalPart, StreamReader, Words
from connectors._portal_loading import load_manifest
from connectors._portal_manifest import Manifest
from connectors._portal_polling import StreamPoller, poll_portal
from connectors._portal_push import KEY, verify_push
from connectors._portal_rows import NotRows, Row, decode_answer, rows_in
from connectors._request import Part, Payload, Request
from connectors._settings import Secret, Settings
from schemas import AccountFault, Attachment, Forward, ForwardKind, Raw, Reject, Retry, Status
from schemas.regions import is_inside

TELL = "tell"


class PortalSettings(Settings, frozen=True, kw_only=True):
    file_settings: ClassVar[tuple[str, ...]] = ("manifest",)
    manifest: str = ""
    """A file, or the name of one that comes with Satu Pintu."""
    secrets: dict[str, Secret] = msgspec.field(default_factory=dict)
    """Those that the manifest names in braces."""
    push_secret: Secret = Secret("")
    """Proves what the portal pushes, as the manifest's [push] says."""
    url: str = ""
    """Instead of the manifest's."""
    poll_every: str = ""
    """Instead of the manifest's."""
    file_hosts: tuple[str, ...] = ()
    """Hosts where files lie, beside the portal's own and the manifest's."""


class Portal(Polls, Listens, Fetches, Forwards):
    kind = "portal"
    settings_type = PortalSettings
    url_settings = ("url",)
    proof_settings = ("push_secret",)
    secret_parameters: ClassVar[frozenset[str]] = frozenset({KEY})
    counts_for_guard = False
    keeps_unknown_fields = True
    takes: ClassVar[frozenset[ForwardKind]] = frozenset(
        {"complaint", "supplement", "answer", "question", "disposition", "status"}
    )
    template = """\
manifest = "portal-daerah"              # or a file of yours: docs/integrasi.md
# secrets = { api_key = "env:PORTAL_KEY" }        # those that the manifest names in braces
# push_secret = "{secret}"              # where the portal pushes by itself
# url = "https://pengaduan.example.go.id/api"     # instead of the manifest's
# poll_every = "5m"
# file_hosts = ["berkas.example.go.id"]           # other hosts where its files lie
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        self.manifest = load_manifest(settings.manifest) if settings.manifest else None
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._readers: dict[str, StreamReader] = {}
        self._pollers: dict[str, StreamPoller] = {}
        self._calls: PortalCalls | None = None
        self._answers: PortalAnswers | None = None
        self._words: Words | None = None
        if settings.poll_every:
            seconds_of(settings.poll_every, "poll_every")
        if self.manifest:
            self._prepare(self.manifest)

    def _prepare(self, manifest: Manifest) -> None:
        self._words = words = Words(manifest, self.account)
        self._calls = PortalCalls(manifest, self.settings.url, self.settings.secrets)
        self._answers = PortalAnswers(manifest, self.account)
        self._readers = {name: StreamReader(name, stream, words) for name, stream in manifest.streams.items()}
        self._pollers = {
            name: StreamPoller(name, stream, manifest, words)
            for name, stream in manifest.streams.items()
            if stream.poll
        }

    @property
    def missing_setting(self) -> str | None:
        if self._calls is None:
            return "manifest"
        missing = self._calls.missing_secret()
        return f"secrets.{missing}" if missing else None

    @property
    def missing_for_intake(self) -> str | None:
        return self.missing_setting if self.manifest is None or self.polling else super().missing_for_intake

    @property
    def outbound_urls(self) -> Sequence[str]:
        return (self._calls.url,) if self._calls and not self.missing_setting else ()

    @property
    def polling(self) -> bool:
        return bool(self._pollers)

    @property
    def poll_every(self) -> float:
        written = self.settings.poll_every or (self.manifest.poll_every if self.manifest else "5m")
        return seconds_of(written, "poll_every")

    def setup_help(self, url: str) -> str:
        pushed = (
            f"; the portal may push to {url}, proven by push_secret" if self.manifest and self.manifest.push else ""
        )
        return f"docs/integrasi.md; try the manifest with satupintu channels test MANIFEST --sample FILE{pushed}"

    def verify(self, request: Request) -> None:
        verify_push(self.manifest.push if self.manifest else None, self.settings.push_secret, request, self.now())

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        return await poll_portal(self._pollers, cursor, self._require_calls(), outbound.http, self.now)

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        """From the portal's own host or one that is named: an address in a row may lead anywhere."""
        calls, url = self._require_calls(), attachment.url or ""
        url = urljoin(f"{calls.url}/", url)  # "/files/1.jpg" stands at the root of the host, as in a browser
        require_host(url, calls.url, (*self.settings.file_hosts, *(self.manifest.file_hosts if self.manifest else ())))
        request = HttpRequest(url, limit=LIMIT)
        try:
            calls.address(url)
        except Reject:  # our secrets go to the portal's own host only
            answer = await outbound.http.send(replace(request, judge=judge_unproven))
        else:
            answer = await calls.send(outbound.http, request)
        return FetchedFile(answer.body, answer.headers.get("content-type") or attachment.media_type)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        return (CheckResult(f"the manifest describes {', '.join(self._readers)}"),)

    def parts(self, payload: Payload) -> Iterator[Part]:
        for reader, row in self._rows(payload):
            for part, of in reader.parts(row):
                yield Part(part, of or None)

    def _rows(self, payload: Payload) -> Iterator[tuple[StreamReader, Row]]:
        if self.manifest is None:
            raise Reject("no_manifest", "set manifest of this account, or name one with --manifest")
        name = payload.path.strip("/")
        if payload.method == "GET":  # a row, as a poll stored it; what is pushed comes by POST
            if (reader := self._readers.get(name)) is None:
                raise Reject("no_stream", "the manifest has no stream of this name any more: put it back, then replay")
            yield reader, _object(payload.body)
            return
        name = name or (self.manifest.push.stream if self.manifest.push else "")
        reader = self._readers.get(name) or next(iter(self._readers.values()))
        for row in self._delivered(reader.name, payload.body):
            yield reader, row

    def _delivered(self, name: str, body: bytes) -> list[Row]:
        """The rows of a push, or of an answer as the portal gives it."""
        manifest = self.manifest
        assert manifest is not None
        stream, pushed = manifest.streams[name], manifest.push.items if manifest.push else ""
        try:
            answer = decode_answer(stream, body)
            candidates = [compile_expression(source)(answer) for source in (pushed, stream.items) if source]
            return rows_in(next((found for found in candidates if found is not None), answer))
        except NotRows as fault:
            raise Reject("not_rows", str(fault)) from None

    @property
    def streams(self) -> Sequence[str]:
        """The names of the manifest's streams."""
        return tuple(self._readers)

    def rows_of_sample(self, body: bytes, name: str) -> tuple[str, list[Row]]:
        """The stream that an answer is of, the first that fits where none is named, and its rows. Raises Reject."""
        fault = Reject("no_manifest", "the manifest has no stream")
        for one in [name] if name else self.streams:
            try:
                rows = self._delivered(one, body)
                self._require_items(one, body)
            except Reject as reject:
                fault = reject
            else:
                return one, rows
        raise fault

    def _require_items(self, name: str, body: bytes) -> None:
        """A list that is not where `items` says looks like a single row that lacks everything."""
        assert self.manifest is not None
        stream, answer = self.manifest.streams[name], decode_answer(self.manifest.streams[name], body)
        if self.manifest.push or not stream.items or not isinstance(answer, dict):
            return
        if compile_expression(stream.items)(answer) is None:
            words = f"[streams.{name}] items: nothing stands at {stream.items}: the answer has {', '.join(answer)}"
            raise Reject("no_items", words)

    def unused_fields(self, name: str, rows: Sequence[Row]) -> dict[str, int]:
        """The fields of rows that no expression of the stream reads, and how many rows have each."""
        assert self.manifest is not None
        used = names_of_stream(self.manifest.streams[name])
        return dict(Counter(key for row in rows for key in row if key not in used).most_common())

    def empty_fields(self, name: str, rows: Sequence[Row]) -> dict[str, str]:
        """The fields that the stream's messages should have and none has, with their expressions."""
        message = self._readers[name].message
        return message.empty(rows, self.account) if message else {}

    def read(self, part: Part, raw: Raw) -> Item:
        item: PortalPart = part.payload
        return self._readers[item.stream].item(self, part, raw)

    def wants(self, forward: Forward) -> bool:
        """What its manifest has a call for; a complaint of another door, where it has a call for complaints."""
        if self._answers is None or not self._answers.takes(forward):
            return False
        if forward.what != "complaint":
            return True
        return is_inside(forward.region, self.owner)

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        return [TELL] if self._answers and self._answers.takes(forward) else []

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        calls = self._require_calls()
        if self._answers is None or not self._answers.takes(call.forward):
            raise Reject("no_call", "the manifest has no [[tell]] for this any more")
        if call.forward.what != "complaint" and not call.forward.native:
            raise Retry("the complaint does not stand there yet")
        return await self._answers.tell(call, calls, outbound.http)

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        calls = self._require_calls()
        if self._answers is None or not self._answers.takes(call.forward):
            raise NeedsPerson("the manifest has no [[tell]] for this any more: look in the portal whether it was done")
        return await self._answers.look_up(call, calls, outbound.http)

    async def status_of(self, native: str, outbound: ProviderConnections) -> Status | None:
        calls = self._require_calls()
        if self._answers is None or self._words is None:
            raise NotImplementedError
        word = await self._answers.status_word(native, calls, outbound.http)
        status = None if word is None else self._words.status(word)
        if status == "unknown":
            raise NotImplementedError("the portal's word is in no line of [tables.status]")
        return status

    def _require_calls(self) -> PortalCalls:
        if self.missing_setting or self._calls is None:
            raise AccountFault("setting_missing", f"set {self.missing_setting} of this account")
        return self._calls


def _object(body: bytes) -> Row:
    try:
        found = decode_lenient(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Reject("not_a_row", "the body is no JSON object")
    return found
