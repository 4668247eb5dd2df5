"""SP4N-LAPOR!, the national record, by its current API (generation 3).

A complaint goes there in steps: its files, the complaint itself, and on to the institution that can act. What is said
about it here follows; what is said there is looked for about every three hours. LAPOR! knows no idempotency key and no
reference of ours: our number stands in the words and tags, and a create without an answer is looked for by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from connectors import _lapor_reading as reading
from connectors._durations import seconds_of, seconds_until, window_of
from connectors._forwards import ForwardCall, Forwards, NeedsPerson, StepResult
from connectors._http import HttpRequest, is_at, judge_unproven
from connectors._json import Json, object_of, objects_of, string_of
from connectors._lapor_api import INSTITUTIONS, LaporApi, complaint_id_of, complaint_path, detail_of, id_of, numbers_in
from connectors._lapor_body import (
    complaint_body,
    disposition_body,
    fitting,
    followup_fields,
    followup_texts,
    mark,
    multipart,
)
from connectors._lapor_polling import poll_complaint
from connectors._lapor_settings import LaporSettings, number
from connectors._port import CheckResult, FetchedFile, Fetches, PollResult, ProviderConnections
from connectors._request import Part, Payload
from schemas import AccountFault, Action, Attachment, Forward, ForwardKind, Raw, Reject, Retry, Status, Unanswered
from schemas.regions import is_inside

FILES, CREATE, DISPOSE, ANSWER = "files", "create", "dispose", "answer"
"""Steps; those of an answer are numbered, for LAPOR! takes 1,000 characters."""
SOON = 15.0


class Lapor(Forwards, Fetches):
    kind = "lapor"
    settings_type = LaporSettings
    takes: ClassVar[frozenset[ForwardKind]] = frozenset(
        {"complaint", "supplement", "answer", "question", "disposition"}
    )
    national = True
    outbound_settings = ("url", "token", "auth_value")
    url_settings = ("url",)
    template = """\
# token = "env:LAPOR_TOKEN"             # {GUID}, issued by LAPOR!'s admin
# auth_value = "env:LAPOR_AUTH"         # as issued, with "Bearer " or without
# auth_header = "Authorization"         # or "auth"
# user_id = 0                           # our user there; our institution there:
# institution_id = 0
# channel_code = 0
# url = "https://api-splp.layanan.go.id/sandbox-konsolidasi/1.0"   # the sandbox; without it production
# poll_every = "3h"
# find_path = "/complaints?search={number}"   # none is documented; without it a person decides what is in doubt
# regions = ["34.04"]                   # empty: every region's complaints go there
# window = "20:00-05:00"                # hours (WIB) in which complaints are brought there
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        settings.check()
        self._every = seconds_of(settings.poll_every, "poll_every")
        self._settles = seconds_of(settings.create_settles, "create_settles")
        self._oldest = seconds_of(settings.oldest, "oldest") if settings.oldest != "" else float("inf")
        self._window = window_of(settings.window, "window")
        self.forwards_at_once = settings.at_once  # type: ignore[misc]

    @property
    def system(self) -> str:
        return "sp4n"

    @property
    def withholds(self) -> frozenset[str]:
        return frozenset(self.settings.withhold)

    @property
    def follow_every(self) -> float | None:
        return self._every

    def setup_help(self, url: str) -> str:
        return (
            "ask the admin of LAPOR! for access to its API (docs/lapor.md): the GUID goes into token, the secret into "
            "auth_value, then user_id, institution_id and channel_code; try it with satupintu channels test NAME"
        )

    def wants(self, forward: Forward) -> bool:
        """By its age, and by the region of the complaint, else of its door."""
        if forward.sent_at and (forward.at - forward.sent_at).total_seconds() > self._oldest:
            return False
        regions = self.settings.regions
        return not regions or any(is_inside(forward.region, region) for region in regions)

    def pause(self, now: datetime) -> float:
        return seconds_until(self._window, now)

    def parts(self, payload: Payload) -> Iterator[Part]:
        return reading.parts_of(payload)

    def read(self, part: Part, raw: Raw) -> Action:
        native, fields = reading.action_fields(part.payload)
        if (office := fields.get("office")) is not None:
            fields["office"] = self.settings.office_of(office)
        return self.action(raw, native, **fields)

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        if forward.what == "complaint":
            files = [FILES] if forward.attachments else []
            return [*files, CREATE, *([DISPOSE] if self._target(forward) else [])]
        if forward.what == "disposition":
            return [DISPOSE if self._target(forward) else f"{ANSWER}.1"]
        return [f"{ANSWER}.{n}" for n in range(1, len(followup_texts(forward)) + 1)]

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        self.require_outbound()
        api = LaporApi(self.settings, outbound.http)
        if step == FILES:
            return await self._upload(api, call)
        if step == CREATE:
            return await self._create(api, call)
        if step == DISPOSE:
            return await self._dispose(api, call)
        return await self._answer(api, call, int(step.rpartition(".")[2]))

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        self.require_outbound()
        api = LaporApi(self.settings, outbound.http)
        if step == FILES:  # a file that was uploaded twice hangs on no complaint
            return None
        if step == CREATE:
            found = await self._look_for(api, call)
        elif step == DISPOSE:
            found = await self._disposed(api, call)
        else:
            found = await self._answered(api, call, int(step.rpartition(".")[2]))
        if found is None and (left := self._settles - (call.now - call.began_at).total_seconds()) > 0:
            raise Retry("not there yet: it may still be under way", after=min(left, SOON))
        return found

    async def follow(self, native: str, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        self.require_outbound()
        return await poll_complaint(LaporApi(self.settings, outbound.http), native, cursor)

    async def status_of(self, native: str, outbound: ProviderConnections) -> Status | None:
        api = LaporApi(self.settings, outbound.http)
        try:
            detail = detail_of(await api.get(complaint_path(native, "complaint")))
        except Reject as fault:
            if fault.code == "http_404":
                return None
            raise
        return reading.status_word(string_of(detail, "status_name")) if detail else None

    async def find(self, number: str, outbound: ProviderConnections) -> Sequence[str] | None:
        return await self._found(LaporApi(self.settings, outbound.http), number) if self.settings.find_path else None

    async def institutions(self, outbound: ProviderConnections) -> Sequence[Mapping[str, Any]]:
        self.require_outbound()
        pages = LaporApi(self.settings, outbound.http).pages(INSTITUTIONS, page_size="1000")
        return list({item.get("id"): item async for item in pages}.values())

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        api, url = LaporApi(self.settings, outbound.http), attachment.url or ""
        if url.startswith("/"):
            request = api.request("GET", url)
        elif api.same_host(url):
            request = api.request("GET", "")
            request = HttpRequest(url, headers=request.headers, limit=request.limit)
        else:  # our credentials go to LAPOR! only
            public = not is_at(url, self.settings.file_hosts)
            request = HttpRequest(url, limit=20 * 1024 * 1024, public=public, judge=judge_unproven)
        response = await outbound.http.send(request)
        return FetchedFile(response.body, response.headers.get("content-type"))

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        self.require_outbound()
        answer = await LaporApi(self.settings, outbound.http).get(INSTITUTIONS, page_size="1")
        if not objects_of(object_of(answer, "results"), "data"):
            return (CheckResult("the list of institutions is empty: ask LAPOR! for the rights of this token", True),)
        missing = [
            n for n in ("user_id", "institution_id", "channel_code") if number(getattr(self.settings, n)) is None
        ]
        return (
            CheckResult("LAPOR! accepts the token"),
            *(CheckResult(f"set {name}: LAPOR! issues it", True) for name in missing),
        )

    def _target(self, forward: Forward) -> int | None:
        """Their institution to which it is passed on; None: it stays at our own desk."""
        target = self.settings.institution_of(forward)
        return None if target == number(self.settings.institution_id) else target

    async def _upload(self, api: LaporApi, call: ForwardCall) -> StepResult:
        """All files in one request. Where LAPOR! refuses them, the complaint goes without them and says so."""
        files = await call.files()
        chosen, count = fitting(files), len(call.forward.attachments)
        if not chosen:
            return StepResult({"ids": [], "missing": count})
        content = multipart({}, [("attachments[]", file) for file in chosen])
        try:
            results = object_of(await api.post("/complaints/complaint/file", content=content, timeout=120.0), "results")
        except Reject:
            return StepResult({"ids": [], "missing": count})
        found = (id_of(item.get("id")) for kind in ("images", "docs") for item in objects_of(results, kind))
        ids = [int(id) for id in found if id and id.isdigit()]
        return StepResult({"ids": ids, "missing": count - len(ids)})

    async def _create(self, api: LaporApi, call: ForwardCall) -> StepResult:
        files = call.results.get(FILES) or {"ids": [], "missing": 0}
        body = complaint_body(call.forward, self.settings, files["ids"], files["missing"])
        if not body["is_new_user_slider"] and body["user_id"] is None:
            raise AccountFault("setting_missing", "set user_id of this account: our user in LAPOR!")
        timeout = seconds_of(self.settings.create_timeout, "create_timeout")
        answer = await api.post(self.settings.create_path, json=body, timeout=timeout)
        native = complaint_id_of(answer)
        if native is None:
            raise Unanswered("answered without an id: it may have been created")
        return StepResult({"id": native}, native)

    async def _dispose(self, api: LaporApi, call: ForwardCall) -> StepResult:
        native, target = self._native(call), self._target(call.forward)
        if target is None:
            return StepResult({})
        await api.post(f"/complaints/process/{native}/reject", json=disposition_body(call.forward, target))
        return StepResult({"to": target})

    async def _answer(self, api: LaporApi, call: ForwardCall, part: int) -> StepResult:
        fields = followup_fields(call.forward, self.settings, followup_texts(call.forward)[part - 1])
        files = fitting(await call.files()) if part == 1 and call.forward.attachments else []
        content = multipart(fields, [(f"attachment[{n}]", file) for n, file in enumerate(files)])
        await api.post("/complaints/followup/add", content=content, timeout=120.0)
        return StepResult({})

    async def _look_for(self, api: LaporApi, call: ForwardCall) -> StepResult | None:
        if not self.settings.find_path:
            raise NeedsPerson(
                "LAPOR! did not answer whether it took this complaint, and no find_path is set: look there for our "
                "number, then satupintu forwards stands JOB ID, or satupintu forwards again JOB"
            )
        found = await self._found(api, call.forward.number)
        return StepResult({"id": found[0]}, found[0]) if found else None

    async def _found(self, api: LaporApi, number: str) -> list[str]:
        """Their ids of the complaints that hold our number, the oldest first."""
        ids: set[str] = set()
        async for item in api.pages(self.settings.find_path.replace("{number}", number)):
            words = numbers_in(item)
            if id := id_of(item.get("id") or item.get("complaint_id")):
                ids |= {id} if not words.strip() or number in words else set()
        return sorted(ids, key=lambda id: (len(id), id))

    async def _disposed(self, api: LaporApi, call: ForwardCall) -> StepResult | None:
        target = self._target(call.forward)
        detail = detail_of(await api.get(complaint_path(self._native(call), "complaint")))
        passed = [object_of(log, "institution_to").get("id") for log in objects_of(detail, "data_logs")]
        if str(target) in {str(to) for to in (detail.get("disposition_id"), *passed)}:
            return StepResult({"to": target})
        return None

    async def _answered(self, api: LaporApi, call: ForwardCall, part: int) -> StepResult | None:
        """Parts go in order: so many of ours there, so many were taken."""
        seen: dict[str | None, Json] = {}
        async for item in api.pages(complaint_path(self._native(call), "followups")):
            if mark(call.forward) in str(item.get("content")):
                seen[id_of(item.get("id"))] = item
        return StepResult({}) if len(seen) >= part else None

    def _native(self, call: ForwardCall) -> str:
        created = call.results.get(CREATE)
        native = call.forward.native or (created["id"] if isinstance(created, dict) else "")
        if not native:
            raise Retry("the complaint does not stand there yet")
        return str(native)
