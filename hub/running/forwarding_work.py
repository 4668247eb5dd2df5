"""Forwards claimed for the held accounts, a few of each account at a time; those of one complaint go one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from connectors import Forwards, ProviderConnections
from hub.accounts import Accounts
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.forwarding_steps import StepRunner
from hub.running.leases import Leases
from hub.running.waking import wait_for_event
from sink.forward_claims import REFUSED_THERE, ClaimedForward, claim_forwards
from sink.job_claims import Claimable
from sink.leases import StaleEpoch

POLL_EVERY = 0.5
"""Seconds between two claims where the first found nothing."""
MIN_INTERVAL = 0.02


def without_needless_wait(claimed: ClaimedForward, channel: Forwards) -> ClaimedForward:
    """What is said of a complaint that was refused there goes to who knows it by our number."""
    needless = claimed.waits == REFUSED_THERE and channel.knows_our_number
    return claimed._replace(waits=None) if needless else claimed


class Forwarder:
    """Claims and forwards for the accounts of `leases`. `wake` is set when there may be something to forward."""

    def __init__(
        self, backend: Backend, accounts: Accounts, leases: Leases, health: AccountHealth,
        *, runner: StepRunner, outbound: Callable[[str], ProviderConnections], wake: asyncio.Event,
        institution: Callable[[str], int | None],
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._leases, self._health = backend, accounts, leases, health
        self._runner, self._outbound, self._wake, self._institution = runner, outbound, wake, institution
        self._running: dict[str, dict[str, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            self._wake.clear()
            if not await self._claim():
                await wait_for_event(self._wake, POLL_EVERY)
            await self._backend.timing.sleep(MIN_INTERVAL)

    def busy(self) -> set[str]:
        """The accounts for which something is being forwarded."""
        return {account for account, tasks in self._running.items() if tasks}

    def cancel(self, account: str) -> None:
        """Its lease ends: the next holder finds out what became of the steps in hand."""
        for task in list(self._running.get(account, {}).values()):
            task.cancel()

    async def finish(self, within: float) -> None:
        """Let what is in hand end, for so many seconds."""
        tasks = [task for tasks in self._running.values() for task in tasks.values()]
        if tasks:
            _, hanging = await asyncio.wait(tasks, timeout=within)
            for task in hanging:
                task.cancel()

    async def _claim(self) -> bool:
        """Claim and begin what is due, first what is in doubt; whether there was anything."""
        epochs, found = self._leases.usable(), False
        states: tuple[Claimable, ...] = ("unknown", "waiting")
        for state in states:
            room = {account: free for account in epochs if (free := self._room(account)) > 0}
            if room:
                in_flight = frozenset(id for tasks in self._running.values() for id in tasks)
                ours = {account: epochs[account] for account in room}
                now = self._backend.timing.now()
                claimed = await self._backend(claim_forwards, ours, room, in_flight=in_flight, now=now, state=state)
                for forward in claimed:
                    self._begin(forward)
                found = found or bool(claimed)
        return found

    def _room(self, account: str) -> int:
        channel = self._accounts.get(account)
        if not isinstance(channel, Forwards) or self._health.pause_left(account, "forward") > 0:
            return 0
        if channel.pause(self._backend.timing.now()) > 0:
            return 0
        slots = 1 if self._health.probing(account, "forward") else channel.forwards_at_once
        return slots - len(self._running.get(account, ()))

    def _begin(self, claimed: ClaimedForward) -> None:
        job = claimed.job
        if job.id in self._running.get(job.account, {}):
            return
        task = asyncio.create_task(self._forward(claimed))
        self._running.setdefault(job.account, {})[job.id] = task
        task.add_done_callback(partial(self._ended, claimed))

    def _ended(self, claimed: ClaimedForward, task: asyncio.Task[None]) -> None:
        self._running[claimed.job.account].pop(claimed.job.id, None)
        self._wake.set()

    async def _forward(self, claimed: ClaimedForward) -> None:
        account = claimed.job.account
        channel = self._accounts.get(account)
        if not isinstance(channel, Forwards):  # an edition took it away meanwhile: the claim is handed out again
            return
        claimed = without_needless_wait(self._with_institutions(claimed), channel)
        try:
            fault = await self._runner.run(claimed, channel, self._outbound(account))
        except StaleEpoch:
            return
        if fault is not None:
            self._health.failed(account, "forward", fault)
        elif claimed.waits is None:
            self._health.worked(account, "forward")

    def _with_institutions(self, claimed: ClaimedForward) -> ClaimedForward:
        """With what the registry of offices knows now."""
        known = {office.id: self._institution(office.id) for office in claimed.forward.offices}
        found = {id: there for id, there in known.items() if there is not None}
        return claimed._replace(forward=replace(claimed.forward, institutions=found))
