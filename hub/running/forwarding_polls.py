"""Complaints that stand in other systems are polled one by one: what is new there comes in as Raws."""

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
from sink.forwarded import ForwardPoll, ForwardPollResult, due_polls, store_polls

AT_ONCE = 16
"""Polls of this process in flight at the same time."""
EVERY = 1.0
"""Seconds between two searches for polls that are due."""
SPREAD = 0.2
"""The next poll comes up to this share earlier, so that polls do not stay together."""
MOST_PAGES = 50
"""A poll reads so many parts at most; the rest comes with the next one."""
AFTER_RETRY, AFTER_FAULT = 30.0, 900.0
"""Seconds to the next poll: after a fault of the network, so that it is not always the first; after a bug."""
log = logging.getLogger(__name__)


class ForwardPolls:
    """Makes the polls that are due, for the accounts of `leases`."""

    def __init__(
        self, backend: Backend, accounts: Accounts, leases: Leases, health: AccountHealth,
        *, door: RawPublisher, outbound: Callable[[str], ProviderConnections], random: Random,
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._leases, self._health = backend, accounts, leases, health
        self._door, self._outbound, self._random = door, outbound, random

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            polls = await self._due()
            if polls:
                results = await asyncio.gather(*(self._poll(poll) for poll in polls))
                await self._store([result for result in results if result is not None])
            if len(polls) < AT_ONCE:
                await self._backend.timing.sleep(EVERY)

    async def _due(self) -> list[ForwardPoll]:
        open_ = [a for a in self._leases.usable() if self._follows(a) and not self._health.pause_left(a, "poll")]
        return await self._backend(due_polls, open_, AT_ONCE, self._backend.timing.now()) if open_ else []

    def _follows(self, account: str) -> bool:
        channel = self._accounts.get(account)
        return isinstance(channel, Forwards) and channel.follow_every is not None

    async def _poll(self, poll: ForwardPoll) -> ForwardPollResult | None:
        """The result; None: the same poll is made again."""
        channel, epoch = self._accounts.get(poll.account), self._leases.usable().get(poll.account)
        if not isinstance(channel, Forwards) or epoch is None:
            return None
        try:
            cursor = await self._taken(channel, poll)
        except Reject as fault:  # it does not stand there any more: the reconciliation shows it
            log.warning("account %s: a complaint cannot be polled: %s", poll.account, fault.reason)
            return self._result(poll, epoch, poll.cursor, channel)
        except (Retry, AccountFault) as fault:
            self._health.failed(poll.account, "poll", fault)
            return self._again(poll, epoch, AFTER_RETRY)
        except Exception as error:  # a bug with one complaint must not hold up the polls of all others
            log.error("account %s: a poll of a complaint failed: %s", poll.account, fault_location(error))
            return self._again(poll, epoch, AFTER_FAULT)
        self._health.worked(poll.account, "poll")
        return self._result(poll, epoch, cursor, channel)

    async def _taken(self, channel: Forwards, poll: ForwardPoll) -> str | None:
        """What is new is durable when this returns the new cursor."""
        cursor = poll.cursor
        for _ in range(MOST_PAGES):
            found = await channel.follow(poll.native, cursor, self._outbound(poll.account))
            await self._door.take_in(channel, found.requests)
            cursor = cursor if found.cursor is None else found.cursor
            if not found.more:
                break
        return cursor

    def _result(self, poll: ForwardPoll, epoch: int, cursor: str | None, channel: Forwards) -> ForwardPollResult:
        every = channel.follow_every
        if every is None or poll.last:
            return ForwardPollResult(poll, epoch, cursor, None)
        seconds = every * (1 - self._random() * SPREAD)
        return ForwardPollResult(poll, epoch, cursor, self._backend.timing.now() + timedelta(seconds=seconds))

    def _again(self, poll: ForwardPoll, epoch: int, seconds: float) -> ForwardPollResult:
        return ForwardPollResult(poll, epoch, poll.cursor, self._backend.timing.now() + timedelta(seconds=seconds))

    async def _store(self, results: list[ForwardPollResult]) -> None:
        if results:
            for account in await self._backend(store_polls, results):
                self._leases.drop(account)
