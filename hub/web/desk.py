"""Where a report is filed, from the form and from the API alike: files first, then the Raw, then perhaps a number."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from uuid_utils import uuid7

from connectors.web import Report, ReportFile, WebSettings
from hub.web.ingress import STORE_WITHIN, NotStored, safely
from hub.web.api.problems import Problem, busy
from hub.web.citizen.receive import Upload
from schemas import Raw, Retry
from sink import Tracked, fates, remember_request, track

if TYPE_CHECKING:
    from connectors import Channel
    from hub.wiring import Hub

T = TypeVar("T")
V = TypeVar("V")
FIRST_LOOK = 0.03
SLOWEST_LOOK = 0.5
"""Seconds between two looks for a number."""
RECENT = 10_000
ASK_WITHIN = 3.0
"""Seconds that a form waits for the record to say whether it came before."""


class Caller(NamedTuple):
    """Who files, and through which account. `name` is the API key or the address, never shown."""

    name: str
    account: Channel


class Key(NamedTuple):
    """What makes a report sent twice one report."""

    said: str
    drawn: bool = False
    """Drawn by ourselves at random, so that nobody else has it: it will do where the record cannot be asked."""


class Filed(NamedTuple):
    """A report that is safe with us."""

    id: str
    """The raw id."""
    token: str
    """Shows its words to whoever has it."""


class Desk:
    """Files reports and tells what became of them."""

    def __init__(self, hub: Hub, answered: Counter[tuple[str, int]]) -> None:
        self._hub = hub
        self._answered = answered
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._drawn: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def door(self) -> Channel:
        """The account of the form and of callers without a key. Raises Problem where there is none."""
        found = self._hub.accounts.first("web")
        if found is None:
            raise Problem(503, "no_door", headers={"Retry-After": "60"})
        return found

    def of_key(self, key: str) -> Channel | None:
        """The account that an API key belongs to; every key is compared, found or not."""
        found = None
        for channel in self._hub.accounts.values():
            if isinstance(channel.settings, WebSettings):
                for known in channel.settings.api_keys:
                    found = channel if known.matches(key) else found
        return found

    async def file(self, caller: Caller, fields: Mapping[str, Any], files: Sequence[Upload], key: Key | None) -> Filed:
        """Store the report; `key` is the caller's Idempotency-Key or the form's. Raises Problem."""
        account = caller.account.account
        try:
            filed = await self._file(caller, fields, files, key)
        except NotStored:
            self._answered[account, 503] += 1
            raise busy() from None
        self._answered[account, 202] += 1
        return filed

    async def _file(self, caller: Caller, fields: Mapping[str, Any], files: Sequence[Upload], key: Key | None) -> Filed:
        account, raw = caller.account, str(uuid7())
        kept = await _in_time(self._keep(files), account.account)
        report = Report(native=raw, files=kept, **fields)
        if key is not None:
            once = await _in_time(self._first(caller.name, key, report), account.account)
            if once is None:
                raise Problem(422, "key_reused")
            raw, report = once
        if raw not in self._recent:
            await _in_time(self._hub.intake.publish([_raw(raw, account, report, self._hub.clock())]), account.account)
            _remember(self._recent, raw, None)
        return Filed(raw, self._hub.vault.token(raw))

    async def _keep(self, files: Sequence[Upload]) -> tuple[ReportFile, ...]:
        put = self._hub.blobs.put
        names = [await self._hub.threads.disk(put, file.body) for file in files]
        return tuple(
            ReportFile(sha256=name, name=file.name, media_type=file.media_type, size=len(file.body))
            for name, file in zip(names, files, strict=True)
        )

    async def _first(self, caller: str, key: Key, report: Report) -> tuple[str, Report] | None:
        """As `_once`. Of a drawn key this process knows the first too: a record that is away closes no form."""
        body = _hash(report)
        asked = self._hub.threads.disk(self._once, caller, key.said, report)
        if not key.drawn:
            return await asked
        try:
            async with asyncio.timeout(ASK_WITHIN):
                once = await asked
        except (Retry, TimeoutError):
            raw, known = self._drawn.get(key.said, (report.native, body))
            once = (raw, msgspec.structs.replace(report, native=key.said)) if known == body else None
        if once is not None:
            _remember(self._drawn, key.said, (once[0], body))
        return once

    def _once(self, caller: str, key: str, report: Report) -> tuple[str, Report] | None:
        """This caller's first report of that key, by its raw id; None: its body was another.

        The key is the native id as it stands for whoever used it first, and marked for the next caller with the same.
        """
        vault, record = self._hub.vault, self._hub.record
        who = vault.digest("caller", caller).hex()
        raw, same = remember_request(record, who, key, _hash(report), report.native)
        if not same:
            return None
        first, _ = remember_request(record, "", key, "", raw)
        return raw, msgspec.structs.replace(report, native=key if first == raw else f"{key}~{who[:8]}")

    async def number(self, raw: str, within: float) -> str | None:
        """The number, waited for so many seconds at most. A record that is away is no reason to call it unfiled."""
        until, pause = time.monotonic() + within, FIRST_LOOK
        with suppress(Retry):
            while True:
                ends = await self._hub.threads.disk(fates, self._hub.record, [raw])
                left = until - time.monotonic()
                if ends or left <= 0:
                    return ends[0].number if ends else None
                await asyncio.sleep(min(pause, left))
                pause = min(pause * 1.5, SLOWEST_LOOK)
        return None

    async def find(
        self, number: str | None = None, raw: str | None = None, token: str | None = None, last4: str | None = None
    ) -> Tracked | None:
        """What is told of a report, as much as is proven."""
        return await self._hub.threads.disk(track, self._hub.record, number=number, raw=raw, token=token, last4=last4)

    def waits(self, raw: str, token: str | None) -> bool:
        """A report that is safe with us and not on the record yet."""
        return raw in self._recent or self.opens(raw, token)

    def opens(self, raw: str, token: str | None) -> bool:
        """Whether the token is the one given out with that raw id: told without the record."""
        return token is not None and compare_digest(token.encode(), self._hub.vault.token(raw).encode())

    def today(self) -> date:
        """The day, where the hub stands."""
        return datetime.now(self._hub.settings.zone).date()


def is_id(reference: str) -> bool:
    """A raw id as we write it."""
    try:
        return str(UUID(reference)) == reference
    except ValueError:
        return False


def _hash(report: Report) -> str:
    said = msgspec.json.encode(msgspec.structs.replace(report, native="-"), order="deterministic")
    return hashlib.sha256(said).hexdigest()


def _remember(known: OrderedDict[str, V], name: str, value: V) -> None:
    known[name] = value
    if len(known) > RECENT:
        known.popitem(last=False)


async def _in_time(storing: Awaitable[T], account: str) -> T:
    async def limited() -> T:
        async with asyncio.timeout(STORE_WITHIN):
            return await storing

    return await safely(limited(), account)


def _raw(raw: str, account: Channel, report: Report, at: datetime) -> Raw:
    return Raw(
        id=raw,
        account=account.account,
        channel=account.kind,
        owner=account.owner,
        received_at=at,
        conversation=report.native,
        headers={"content-type": "application/json"},
        body=msgspec.json.encode(report),
    )
