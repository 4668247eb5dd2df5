"""What clients of our server of GeoReport v2 post: stored as a Raw, like everything that comes in.

The id of a report is its number, told before the report is recorded: it derives from the id of the Raw. The same words
for the same place, by the same person of the same client within ten minutes, are the same report: GeoReport v2 knows no
idempotency key, and clients that had no answer send again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from uuid_utils import uuid7

from connectors import Request
from connectors._open311_form import KEY, Form, FormFault, ReportForm, report_form, update_form
from connectors.open311 import NUMBER, Open311
from hub.intake import split_into_raws
from hub.web.ingress import STORE_WITHIN, Publish, Store, store_or_refuse
from schemas import complaint_id, message_id, without_native
from sink.public_reports import PublicScope, is_number_taken, is_public
from sink.requests import remember_for_a_while

if TYPE_CHECKING:
    from hub.running.pools import RunInThread
    from sink import Record

SAME_WITHIN = timedelta(minutes=10)
RECENT = 1_000
"""Numbers."""
RECENT_WITHIN = 2.0
"""Seconds that an update waits for its report to be recorded."""
PAUSE = 0.1


class Posts:
    """Takes reports and updates."""

    def __init__(
        self, *, publish: Publish, store: Store, record: Record, io: RunInThread, clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: str(uuid7()),
    ) -> None:  # fmt: skip
        self._publish, self._store, self._record, self._io = publish, store, record, io
        self._clock, self._new_id = clock, new_id
        self._recent: OrderedDict[str, None] = OrderedDict()

    async def report(self, channel: Open311, request: Request, codes: Collection[str]) -> str:
        """Store a report; returns its number. Raises FormFault and NotStored."""
        form = Form(request.body)
        report = report_form(form)
        if report.service_code not in codes:
            raise FormFault(404, "service_code: there is no such service")
        raw = await store_or_refuse(self._first(channel, form, report), channel.account)
        number = self._number(channel, raw)
        await store_or_refuse(self._put(channel, _stored(request, form, number), raw), channel.account)
        self._recent[number] = None
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return number

    async def update(self, channel: Open311, request: Request, scope: PublicScope) -> str:
        """Store an update; returns its id. Raises FormFault, NotStored, Retry."""
        form = Form(request.body)
        update = update_form(form)
        if not await self.is_there(scope, update.request_id, patient=True):
            raise FormFault(404, "service_request_id: there is no such request")
        await store_or_refuse(self._put(channel, _stored(request, form, ""), self._new_id()), channel.account)
        return update.update_id

    def is_recent(self, number: str) -> bool:
        """Was this number told here a moment ago?"""
        return number in self._recent

    async def is_there(self, scope: PublicScope, number: str, *, patient: bool) -> bool:
        """Is there such a report? `patient`: one that came a moment ago may be on its way still. Raises Retry."""
        for _ in range(int(RECENT_WITHIN / PAUSE) if patient else 1):
            if await self._io(partial(is_public, self._record, scope, number)):
                return True
            if patient:
                await asyncio.sleep(PAUSE)
        return False

    async def _first(self, channel: Open311, form: Form, report: ReportForm) -> str:
        """The Raw of this report, or of the one that it repeats."""
        caller = sha256(form.get(KEY).encode("utf-8", "surrogatepass")).hexdigest()
        words = msgspec.json.encode([channel.account, report], order="deterministic")
        key, since = sha256(words).hexdigest(), self._clock() - SAME_WITHIN
        new = self._new_id()
        while await self._io(partial(is_number_taken, self._record, self._number(channel, new))):
            new = self._new_id()
        return await self._io(partial(remember_for_a_while, self._record, caller, key, new, since))

    def _number(self, channel: Open311, raw: str) -> str:
        """As the matcher draws it for the first and only item of that Raw."""
        opened_by = message_id(channel.kind, channel.account, without_native(raw, 0))
        return self._record.vault.number(complaint_id(opened_by), 0)

    async def _put(self, channel: Open311, request: Request, raw: str) -> None:
        async def work() -> None:
            raws = await split_into_raws(
                channel, request, store=self._store, clock=self._clock, new_id=lambda: raw,
            )  # fmt: skip
            await self._publish(raws)

        await _in_time(work())


def _stored(request: Request, form: Form, number: str) -> Request:
    """The request as it is kept: without the key, with the number that its client is told."""
    headers = {"content-type": "application/x-www-form-urlencoded"} | ({NUMBER: number} if number else {})
    return Request("POST", request.path, "", headers, form.without(KEY))


async def _in_time(work: Awaitable[None]) -> None:
    async with asyncio.timeout(STORE_WITHIN):
        await work
