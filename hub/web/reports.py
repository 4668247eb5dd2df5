"""Where a report is filed, from the form and from the API alike: files first, then the Raw, then perhaps a number."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec
from uuid_utils import uuid7

from connectors._report import Report, ReportChannel, ReportFile
from hub.limits import WebLimits
from hub.web.api.problems import Problem, not_stored
from hub.web.devices import Device, device_key, device_of_key
from hub.web.idempotency import Caller, IdempotencyKey, drawn_key, first_of_key, report_digest
from hub.web.ingress import STORE_WITHIN, NotStored, Publish, store_or_refuse
from schemas import Body, Raw, Retry
from sink import TrackedReport, give_back_proof_attempt, outcomes_of, take_proof_attempt, track_report
from sink.own_reports import OwnReport, reports_of_counter, reports_of_device

if TYPE_CHECKING:
    from connectors import Channel
    from hub.running.pools import Pools
    from sink import Blobs, Record

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
DAY = 86_400
FIRST_PAUSE = 0.03
LONGEST_PAUSE = 0.5
"""Seconds between two looks for a number."""
RECENT = 10_000
ASK_WITHIN = 3.0
"""Seconds that a form waits for the record to say whether it came before."""


class UploadedFile(Protocol):
    """A file that was uploaded."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class FiledReport(NamedTuple):
    """A report that is safe with us."""

    id: str
    """The raw id."""
    token: str
    """Shows its words."""
    repeated: bool = False
    """The same report came before, by the same key."""


class WebReports:
    """Reports by form and API: files them, and finds out what became of them."""

    def __init__(
        self,
        *,
        publish: Publish,
        blobs: Blobs,
        record: Record,
        pools: Pools,
        clock: Callable[[], datetime],
        answered: Counter[tuple[str, int]],
        attempts_a_day: float = WebLimits().proofs_number,
    ) -> None:
        self._publish = publish
        self._blobs = blobs
        self._record = record
        self._pools = pools
        self._clock = clock
        self._answered = answered
        self._attempts: dict[str, Any] = {"most": int(attempts_a_day), "refill": DAY / attempts_a_day}
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._drawn: OrderedDict[tuple[str, str], tuple[str, Report]] = OrderedDict()

    async def file(
        self, caller: Caller, fields: Mapping[str, Any], files: Sequence[UploadedFile], key: IdempotencyKey | None
    ) -> FiledReport:
        """Store the report. Raises Problem."""
        account = caller.account.account
        try:
            filed = await self._file(caller, fields, files, key)
        except NotStored:
            self._answered[account, 503] += 1
            raise not_stored() from None
        self._answered[account, 202] += 1
        return filed

    async def file_form(
        self, caller: Caller, fields: Mapping[str, Any], files: Sequence[UploadedFile], once: object
    ) -> FiledReport:
        """Store what a form holds. `once`: the key that it was shown with. A form sent twice by an impatient finger is
        filed once; the same form with other words is another report. Raises Problem."""
        return await self.file(caller, fields, files, drawn_key(once))

    async def _file(
        self, caller: Caller, fields: Mapping[str, Any], files: Sequence[UploadedFile], key: IdempotencyKey | None
    ) -> FiledReport:
        account, drawn = caller.account, str(uuid7())
        raw = drawn
        stored = await _in_time(self._store_files(files), account.account)
        report = Report(native=raw, **{**fields, "files": (*fields.get("files", ()), *stored)})
        if key is not None:
            first = await _in_time(self._first_of_key(caller, key, report), account.account)
            if first is None:
                raise Problem(422, "key_reused")
            raw, report = first
        if raw not in self._recent:
            event = _raw(raw, account, report, self._clock())
            await _in_time(self._publish([event]), account.account)
            _remember(self._recent, raw, None)
        return FiledReport(raw, self._record.vault.token(raw), repeated=raw != drawn)

    async def _store_files(self, files: Sequence[UploadedFile]) -> tuple[ReportFile, ...]:
        names = [await self._pools.io(self._blobs.put, file.body) for file in files]
        return tuple(
            ReportFile(sha256=name, name=file.name, media_type=file.media_type, size=len(file.body))
            for name, file in zip(names, files, strict=True)
        )

    async def _first_of_key(self, caller: Caller, key: IdempotencyKey, report: Report) -> tuple[str, Report] | None:
        """As `first_of_key`. Of a drawn key this process knows the first too: a record that is unavailable
        closes no form."""
        body = report_digest(report)
        asked = self._pools.io(first_of_key, self._record, caller, key, report, body)
        if not key.drawn:
            return await asked
        try:
            async with asyncio.timeout(ASK_WITHIN):
                first = await asked
        except (Retry, TimeoutError):
            own = report.native, msgspec.structs.replace(report, native=key.value)
            first = self._drawn.get((key.value, body), own)
        if first is not None:
            _remember(self._drawn, (key.value, body), first)
        return first

    async def number(self, raw: str, within: float) -> str | None:
        """The number, waited for so many seconds at most; None also where the record is unavailable."""
        until, pause = time.monotonic() + within, FIRST_PAUSE
        with suppress(Retry):
            while True:
                outcomes = await self._pools.io(outcomes_of, self._record, [raw])
                left = until - time.monotonic()
                if outcomes or left <= 0:
                    return outcomes[0].number if outcomes else None
                await asyncio.sleep(min(pause, left))
                pause = min(pause * 1.5, LONGEST_PAUSE)
        return None

    async def find(
        self,
        number: str | None = None,
        raw: str | None = None,
        token: str | None = None,
        last4: str | None = None,
        key: str | None = None,
    ) -> TrackedReport | None:
        """A report, as much of it as is proven. `key`: of the conversation of a device that has shown its key."""
        proofs = {"token": token, "last4": last4, "key": key}
        return await self._pools.io(track_report, self._record, number=number, raw=raw, **proofs)

    async def of_device(self, device: Device, before: str | None, most: int) -> Sequence[OwnReport]:
        """The reports of a device, the newest first."""
        return await self._pools.io(reports_of_device, self._record, device.conversation, before, most)

    async def of_counter(self, account: str, since: datetime, most: int) -> Sequence[OwnReport]:
        """What a counter entered since then, the newest first."""
        return await self._pools.io(reports_of_counter, self._record, account, since, most)

    def proof_of(self, words: str) -> str:
        """What only this hub can write of these words."""
        return self._record.vault.token(words)

    def new_device(self, account: Channel) -> tuple[str, str]:
        """The id and the key of a new device."""
        id = str(uuid7())
        return id, device_key(self._record.vault, Device(account.account, id))

    def device_of(self, key: str) -> Device | None:
        """The device that has this key; None: no key of ours."""
        return device_of_key(self._record.vault, key)

    async def file_bytes(self, sha256: str) -> bytes:
        """A file of a report."""
        return await self._pools.io(self._blobs.get, sha256)

    async def take_proof_attempt(self, number: str) -> float:
        """Seconds until last four digits may be tried for that report; 0: now, and the attempt is counted."""
        return await self._pools.io(take_proof_attempt, self._record, number, now=self._clock(), **self._attempts)

    async def give_back_proof_attempt(self, number: str) -> None:
        """The attempt was right."""
        await self._pools.io(give_back_proof_attempt, self._record, number, now=self._clock(), **self._attempts)

    def is_pending(self, raw: str, token: str | None) -> bool:
        """A report that is safe with us and not on the record yet."""
        return raw in self._recent or self.is_token_of(raw, token)

    def is_token_of(self, raw: str, token: str | None) -> bool:
        """Was this token given out with that raw id? The record is not asked."""
        return token is not None and compare_digest(token.encode(), self._record.vault.token(raw).encode())


def is_raw_id(reference: str) -> bool:
    """A raw id as we write it."""
    try:
        return str(UUID(reference)) == reference
    except ValueError:
        return False


def _remember(known: OrderedDict[K, V], name: K, value: V) -> None:
    known[name] = value
    if len(known) > RECENT:
        known.popitem(last=False)


async def _in_time(work: Awaitable[T], account: str) -> T:
    async def limited() -> T:
        async with asyncio.timeout(STORE_WITHIN):
            return await work

    return await store_or_refuse(limited(), account)


def _raw(raw: str, account: Channel, report: Report, at: datetime) -> Raw:
    return Raw(
        id=raw,
        account=account.account,
        channel=account.kind,
        owner=account.owner,
        received_at=at,
        conversation=account.conversation_of(report) if isinstance(account, ReportChannel) else report.native,
        headers={"content-type": "application/json"},
        body=Body(msgspec.json.encode(report)),
    )
