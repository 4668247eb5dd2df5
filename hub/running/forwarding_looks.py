"""Complaints that stand in other systems are looked at again and again: what is new there comes in as Raws."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from bus import fault_location
from connectors import Forwards, ProviderConnections
from hub.accounts import Accounts
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.backoff import Random
from hub.running.leases import Leases
from hub.running.taking_in import RawPublisher
from schemas import AccountFault, Reject, Retry
from sink.forwarded import Look, LookResult, due_looks, store_looks

AT_ONCE = 16
"""Looks of this process in flight at the same time."""
EVERY = 1.0
"""Seconds between two searches for looks that are due."""
SPREAD = 0.2
"""The next look comes up to this share earlier, so that looks do not stay together."""
MOST_PAGES = 50
"""A look is read in so many parts at most; the rest comes with the next one."""
AFTER_RETRY, AFTER_FAULT = 30.0, 900.0
"""Seconds to the next look: after a fault of the network, so that it is not always the first; after a bug."""
log = logging.getLogger(__name__)


class Looks:
    """Takes the looks that are due, for the accounts of `leases`."""

    def __init__(
        self, backend: Backend, accounts: Accounts, leases: Leases, health: AccountHealth,
        *, door: RawPublisher, outbound: Callable[[str], ProviderConnections], random: Random,
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._leases, self._health = backend, accounts, leases, health
        self._door, self._outbound, self._random = door, outbound, random

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            looks = await self._due()
            if looks:
                results = await asyncio.gather(*(self._look(look) for look in looks))
                await self._store([result for result in results if result is not None])
            if len(looks) < AT_ONCE:
                await self._backend.timing.sleep(EVERY)

    async def _due(self) -> list[Look]:
        open_ = [a for a in self._leases.usable() if self._follows(a) and not self._health.pause_left(a, "poll")]
        return await self._backend(due_looks, open_, AT_ONCE, self._backend.timing.now()) if open_ else []

    def _follows(self, account: str) -> bool:
        channel = self._accounts.get(account)
        return isinstance(channel, Forwards) and channel.follow_every is not None

    async def _look(self, look: Look) -> LookResult | None:
        """The result; None: the same look is taken again."""
        channel, epoch = self._accounts.get(look.account), self._leases.usable().get(look.account)
        if not isinstance(channel, Forwards) or epoch is None:
            return None
        try:
            cursor = await self._taken(channel, look)
        except Reject as fault:  # it does not stand there any more: the reconciliation shows it
            log.warning("account %s: a complaint cannot be looked at: %s", look.account, fault.reason)
            return self._result(look, epoch, look.cursor, channel)
        except (Retry, AccountFault) as fault:
            self._health.failed(look.account, "poll", fault)
            return LookResult(look, epoch, look.cursor, self._backend.timing.now() + timedelta(seconds=AFTER_RETRY))
        except Exception as error:  # a bug with one complaint must not hold up the looks at all others
            log.error("account %s: a look failed: %s", look.account, fault_location(error))
            return LookResult(look, epoch, look.cursor, self._backend.timing.now() + timedelta(seconds=AFTER_FAULT))
        self._health.worked(look.account, "poll")
        return self._result(look, epoch, cursor, channel)

    async def _taken(self, channel: Forwards, look: Look) -> str | None:
        """What is new is durable when this returns the new cursor."""
        cursor = look.cursor
        for _ in range(MOST_PAGES):
            found = await channel.follow(look.native, cursor, self._outbound(look.account))
            await self._door.take_in(channel, found.requests)
            cursor = cursor if found.cursor is None else found.cursor
            if not found.more:
                break
        return cursor

    def _result(self, look: Look, epoch: int, cursor: str | None, channel: Forwards) -> LookResult:
        every = channel.follow_every
        if every is None or look.last:
            return LookResult(look, epoch, cursor, None)
        seconds = every * (1 - self._random() * SPREAD)
        return LookResult(look, epoch, cursor, self._backend.timing.now() + timedelta(seconds=seconds))

    async def _store(self, results: list[LookResult]) -> None:
        if results:
            for account in await self._backend(store_looks, results):
                self._leases.drop(account)
