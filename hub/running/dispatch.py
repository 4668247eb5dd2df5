"""The way out: owed replies are claimed for all held accounts at once, and sent account by account.

One claim serves every account that has room: free slots, tokens of its rate, no pause after a failure, and a session
where its kind needs one. A slow account fills its own slots and no others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from connectors import Channel, Connects, ProviderConnections, Speaks
from hub.accounts import Accounts
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.leases import Leases
from hub.running.rate import TokenBucket
from hub.running.result_writer import ResultWriter
from hub.running.send_starts import SendStart, StartWriter
from hub.running.sending import Render, SendOutcome, lease_ended_result, own_fault_result, send_reply
from hub.running.waking import wait_for_event
from sink.outbox_claims import OwedReply, SenderFacts, claim_replies
from sink.outbox_results import SendResult
from sink.outbox_starts import start_replies

POLL_EVERY = 0.25
"""Seconds between two claims where the first found nothing."""
MIN_INTERVAL = 0.005
"""Seconds between two claims, so that free slots find company."""
LAST_CLAIM = 2.0
"""Seconds that a claim has to end when the process stops."""
OutboundOf = Callable[[str], ProviderConnections]
"""What the channel of an account may use now."""


class ReplyDispatcher:
    """Claims and sends for the accounts of `leases`. `wake` is set when a reply is owed, or a slot is free."""

    def __init__(
        self, backend: Backend, accounts: Accounts, leases: Leases, health: AccountHealth,
        results: ResultWriter[SendResult], *, render: Render, outbound: OutboundOf, wake: asyncio.Event,
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._leases = backend, accounts, leases
        self._health, self._results = health, results
        self._render, self._outbound, self._wake = render, outbound, wake
        self._starts = StartWriter(partial(backend, start_replies))
        self._sending: dict[str, set[asyncio.Task[None]]] = {}
        self._rates: dict[str, tuple[Channel, TokenBucket]] = {}

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            self._wake.clear()
            claimed = await self._claim_whole()
            for owed in claimed:
                self._begin(owed)
            if not claimed:
                await wait_for_event(self._wake, POLL_EVERY)
            await self._backend.timing.sleep(MIN_INTERVAL)

    def busy(self) -> set[str]:
        """The accounts for which something is being sent."""
        return {account for account, tasks in self._sending.items() if tasks}

    def cancel(self, account: str) -> None:
        """Its lease ends: what is being sent becomes `unknown`."""
        for task in list(self._sending.get(account, ())):
            task.cancel()

    async def finish(self, within: float) -> None:
        """Wait for what is being sent; what takes longer becomes `unknown`."""
        tasks = [task for tasks in self._sending.values() for task in tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=within)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _claim_whole(self) -> list[OwedReply]:
        """A claim that is cut off is waited for, and given back: it would end as `unknown`."""
        claim = asyncio.create_task(self._claim())
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            await asyncio.wait([claim], timeout=LAST_CLAIM)
            if claim.done() and not claim.cancelled() and not claim.exception():
                for owed in claim.result():
                    self._give_back(owed)
            raise

    async def _claim(self) -> list[OwedReply]:
        epochs = self._leases.usable()
        room = {account: free for account in epochs if (free := self._room(account)) > 0}
        if not room:
            return []
        speaking = {a: c for a in room if isinstance(c := self._accounts.get(a), Speaks)}
        return await self._backend(
            claim_replies, {account: epochs[account] for account in room}, room,
            in_flight=frozenset(self._results.in_flight), now=self._backend.timing.now(),
            facts=SenderFacts(
                carries_reference={account for account, channel in speaking.items() if channel.carries_reference},
                takes_once={account for account, channel in speaking.items() if channel.takes_once},
                marks_start={account for account, channel in speaking.items() if channel.marks_start},
                probed={account for account in room if self._health.probing(account, "send")},
            ),
        )  # fmt: skip

    def _room(self, account: str) -> int:
        channel = self._accounts.get(account)
        if account not in self._accounts.speaking or not isinstance(channel, Speaks):
            return 0
        if isinstance(channel, Connects) and self._outbound(account).session is None:
            return 0
        if self._health.pause_left(account, "send") > 0:
            return 0
        slots = 1 if self._health.probing(account, "send") else channel.send_at_once
        free = slots - len(self._sending.get(account, ()))
        rate = self._rate(account, channel)
        return min(free, rate.available(self._backend.timing.monotonic())) if rate else free

    def _rate(self, account: str, channel: Speaks) -> TokenBucket | None:
        limit = channel.sends_a_second
        if limit is None:
            return None
        known = self._rates.get(account)
        if known is None or known[0] is not channel:
            known = self._rates[account] = channel, TokenBucket(limit, self._backend.timing.monotonic())
        return known[1]

    def _begin(self, owed: OwedReply) -> None:
        if self._leases.held().get(owed.account) != owed.epoch:
            self._give_back(owed)  # the claim took longer than the lease
            return
        self._results.in_flight.add(owed.id)
        if owed.account in self._rates:
            self._rates[owed.account][1].take(1)
        task = asyncio.create_task(self._send(owed))
        self._sending.setdefault(owed.account, set()).add(task)
        task.add_done_callback(partial(self._ended, owed))

    def _give_back(self, owed: OwedReply) -> None:
        self._results.in_flight.add(owed.id)
        self._results.put(lease_ended_result(owed, self._backend.timing.now()))

    async def _send(self, owed: OwedReply) -> None:
        channel = self._accounts.get(owed.account)
        outbound, now = self._outbound(owed.account), self._backend.timing.now
        start = None
        if isinstance(channel, Speaks) and channel.marks_start:
            start = SendStart(owed, self._starts)
            outbound = replace(outbound, before_arrival=start)
        sending = await send_reply(owed, channel, self._render, outbound, now, start=start)
        if self._health.is_own(owed.account, "send", sending.fault, owed.id, owed.template):
            sending = SendOutcome(own_fault_result(sending.result))
        if sending.fault is not None:
            self._health.failed(owed.account, "send", sending.fault, owed.id)
        elif sending.result.state == "sent":
            self._health.worked(owed.account, "send", owed.template)
        self._results.put(sending.result)
        self._wake.set()

    def _ended(self, owed: OwedReply, task: asyncio.Task[None]) -> None:
        self._sending[owed.account].discard(task)
        if task.cancelled():  # before it began
            self._give_back(owed)
