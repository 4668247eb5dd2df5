"""What callers of the actions API may do: an account of kind console each, with its region, its office and its acts."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from uuid_utils import uuid7

from connectors.console import NEEDS_OTHER, ConsoleChannel, ConsoleSettings
from hub.editions import LiveEdition
from hub.officers import IncompleteActError, Request, act_raw, officer_act
from hub.running.pools import RunInThread
from hub.web.access_proof import is_number
from hub.web.api.problems import Problem, not_stored
from hub.web.ingress import STORE_WITHIN, NotStored, Publish, store_or_refuse
from hub.web.translations import TranslatableText
from router import OfficeRegistry
from router.regions import NATION
from schemas.regions import is_inside
from sink import outcomes_of
from sink.action_targets import ActionTarget, action_target

if TYPE_CHECKING:
    from hub.accounts import Accounts
    from sink import ItemOutcome, Record

PAUSE = 0.05
"""Seconds between two looks for an outcome."""


class OfficerActs:
    """Stores acts, and finds out what became of them."""

    def __init__(
        self,
        *,
        publish: Publish,
        record: Record,
        io: RunInThread,
        clock: Callable[[], datetime],
        offices: LiveEdition[OfficeRegistry],
    ) -> None:
        self._publish, self._record, self._io, self._clock, self._offices = publish, record, io, clock, offices

    async def act(self, account: ConsoleChannel, number: str, request: Request, key: str | None) -> str:
        """Store the act; returns its raw id. The same key again is the same act. Raises Problem."""
        settings: ConsoleSettings = account.settings
        if settings.actions and request.act not in settings.actions:
            raise Problem(403, "act_forbidden", act=request.act)
        target = await self._target(account, number)
        if target is None:
            raise Problem(404, "not_found")
        if request.act in NEEDS_OTHER and request.to and await self._target(account, request.to) is None:
            raise Problem(422, "act_incomplete", reason=TranslatableText("p_act_no_other", {"number": request.to}))
        if request.acting and not settings.office and not self._may_speak_for(account, target, request.acting):
            reason = TranslatableText("p_act_other_office", {"office": request.acting})
            raise Problem(422, "act_incomplete", reason=reason)
        id, at = str(uuid7()), self._clock()
        native = id if key is None else hashlib.sha256(f"{number}\0{key}".encode()).hexdigest()
        office, person = self._office_of(account) or request.acting, request.person or account.account
        acting = request._replace(acting=office, person=person)
        try:
            act = officer_act(acting, target, self._offices.value, native, at)
        except IncompleteActError as error:
            raise Problem(422, "act_incomplete", reason=error.words) from None
        try:
            await store_or_refuse(self._stored(act_raw(act, account, target.owner, id=id, at=at)), account.account)
        except NotStored:
            raise not_stored() from None
        return id

    async def outcome(self, raw: str, within: float) -> ItemOutcome | None:
        """What became of an act, waited for so many seconds at most."""
        until = time.monotonic() + within
        while True:
            found = await self._io(partial(outcomes_of, self._record, [raw]))
            if found or time.monotonic() >= until:
                return found[0] if found else None
            await asyncio.sleep(PAUSE)

    async def _target(self, account: ConsoleChannel, number: str) -> ActionTarget | None:
        """The report of that number, where the account may act on it; what is another's is not even confirmed."""
        found = await self._io(action_target, self._record, number) if is_number(number) else None
        return found if found is not None and may_act(account, found, self._office_of(account)) else None

    def _office_of(self, account: ConsoleChannel) -> str:
        """Id of the office for which the account acts; empty: it names none."""
        named = account.settings.office
        office = self._offices.value.find(named, account.owner) if named else None
        return office.id if office else named

    def _may_speak_for(self, account: ConsoleChannel, target: ActionTarget, named: str) -> bool:
        """Does that office have, or had, the report, or lie in the account's region? One that is not known is named by
        whoever looks it up."""
        offices = self._offices.value
        office = offices.find(named, target.owner)
        if office is None or account.owner == NATION or office.id in target.offices:
            return True
        ladder = (office, *offices.ladder_up(office.id))
        return any(is_inside(code, account.owner) for above in ladder for code in above.regions)

    async def _stored(self, raw: object) -> None:
        async with asyncio.timeout(STORE_WITHIN):
            await self._publish([raw])  # type: ignore[list-item]


def may_act(account: ConsoleChannel, target: ActionTarget, office: str) -> bool:
    """Whether the report lies in the account's region, and with its office where it has one."""
    within = account.owner == NATION or is_inside(target.owner, account.owner)
    return within and (not office or office in target.offices)


def account_of_key(accounts: Accounts, key: str) -> ConsoleChannel | None:
    """The account with that key. Every key is compared, found or not."""
    found = None
    for channel in accounts.values():
        if isinstance(channel, ConsoleChannel) and accounts.state(channel.account) != "closed":
            for known in channel.settings.api_keys:
                found = channel if known.matches(key) else found
    return found
