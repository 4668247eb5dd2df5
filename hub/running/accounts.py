"""The stage `accounts`: the holder of an account's lease polls it, holds its session, sends its replies, fetches its
files. Any number of processes share the accounts; one that dies loses them within `leases.TTL` seconds.

    leases ── which accounts are ours, renewed in bulk
      ├── account_tasks ── polling, sessions ── taking_in ── the bus
      ├── dispatch ── sending ── result_writer ── the outbox          one claim for all accounts
      ├── fetching ── the blobs
      └── scanning ── clamd, previews ── the blobs           needs no lease
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from connectors import Channel, Http, ProviderConnections
from hub.accounts import Accounts
from hub.answering import AddressPlanner
from hub.opening import WakeEvents
from hub.running.account_health import AccountHealth
from hub.running.account_tasks import AccountTasks
from hub.running.backend import Backend
from hub.running.backoff import Random
from hub.running.dispatch import ReplyDispatcher
from hub.running.fetching import AttachmentFetcher
from hub.running.leases import PRODUCTION, Leases, LeaseTimes
from hub.running.pools import RunInThread
from hub.running.result_writer import ResultWriter
from hub.running.scanning import BlobCalls, FileChecker
from hub.running.scanning_clamd import Clamd
from hub.running.sending import Render
from hub.running.sessions import Sessions
from hub.running.stuck_replies import StuckReplies
from hub.running.taking_in import RawPublisher
from hub.running.token_ends import TokenEnds
from hub.running.waking import wait_for_event
from sink.hastening import hasten_jobs, hasten_replies
from sink.outbox_results import SendResult, store_results

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the stage uses beside the record."""

    door: RawPublisher
    http: Http
    render: Render
    blobs: BlobCalls
    clamd: Clamd | None
    wake: WakeEvents
    random: Random


class AccountsStage:
    """Works for the accounts that `holder` holds. `lease_io` is a pool that no other call delays."""

    def __init__(
        self, backend: Backend, accounts: Accounts, holder: str, tools: Tools,
        *, lease_io: RunInThread | None = None, times: LeaseTimes = PRODUCTION,
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._http, self._times = backend, accounts, tools.http, times
        self._leases = Leases(backend.record, holder, lease_io or backend.io, backend.timing, times)
        self._health = AccountHealth(backend, tools.random)
        self._results = ResultWriter(self._store_results, _reply_id, backend.timing)
        self._sessions = Sessions(backend, self._health)
        self._tasks = AccountTasks(
            backend, self._leases, self._health, self._sessions, tools.door, outbound=self._outbound
        )
        self._dispatcher = ReplyDispatcher(
            backend, accounts, self._leases, self._health, self._results,
            render=tools.render, outbound=self._outbound, wake=tools.wake.replies,
        )  # fmt: skip
        self._fetching = AttachmentFetcher(
            backend, accounts, self._leases, self._health,
            outbound=self._outbound, put_blob=tools.blobs.put, wake=tools.wake.jobs,
        )  # fmt: skip
        self._checker = FileChecker(backend, tools.blobs, tools.clamd)
        self._planner = AddressPlanner(accounts)
        self._stuck = StuckReplies(backend, accounts, self._planner)
        self._token_ends = TokenEnds(backend, accounts, self._leases, self._outbound)
        self._renew_now = asyncio.Event()
        self._seen: dict[str, Channel] = {}
        self._changed: set[str] = set()
        """Accounts with a new edition, of which replies and jobs may wait for another attempt."""

    async def run(self) -> None:
        """Until cancelled; then what is on its way is finished, and the accounts are given back."""
        forever = self._backend.forever
        loops = {
            "leases": self._renew, "accounts": self._watch, "results": self._results.run, "faults": self._health.run,
            "dispatch": self._dispatcher.run, "fetch": self._fetching.run, "files": self._checker.run,
            "stuck": self._stuck.run, "token ends": self._token_ends.run,
        }  # fmt: skip
        running = {name: asyncio.create_task(forever(name, loop)) for name, loop in loops.items()}
        try:
            await asyncio.wait(running.values())
        finally:
            await self._stop(running)

    async def _store_results(self, results: list[SendResult]) -> None:
        await self._backend(store_results, results, self._planner)

    async def _renew(self) -> None:
        while True:
            self._renew_now.clear()
            wanted = self._accounts.snapshot.leased
            before = self._leases.held().keys()
            await self._leases.renew(wanted, before - self._busy())
            self._changed |= await self._health.learn(self._leases.held())
            self._sessions.show_partial_faults()
            await self._hasten()
            self._adjust()
            await wait_for_event(self._renew_now, self._times.renew_every)

    async def _hasten(self) -> None:
        changed, self._changed = self._changed, set()
        if not changed:
            return
        try:
            now = self._backend.timing.now()
            await self._backend(hasten_replies, changed, now)
            await self._backend(hasten_jobs, changed, now)
        except BaseException:
            self._changed |= changed
            raise

    def _busy(self) -> set[str]:
        return self._dispatcher.busy() | self._tasks.busy() | self._fetching.busy()

    async def _watch(self) -> None:
        """Notice at once that an edition came, or that a lease was not renewed in time."""
        known = self._accounts.snapshot.channels
        while True:
            channels = self._accounts.snapshot.channels
            if channels is not known:
                self._edited(account for account, channel in channels.items() if known.get(account) is not channel)
                known = channels
            self._adjust()
            await self._backend.timing.sleep(self._times.watch_every)

    def _edited(self, accounts: Iterable[str]) -> None:
        for account in accounts:
            self._health.edited(account)
            self._changed.add(account)
        self._renew_now.set()

    def _adjust(self) -> None:
        """Run what the leases allow, and nothing else."""
        epochs = self._leases.held()
        channels = {a: c for a, c in self._accounts.items() if a in self._accounts.snapshot.leased}
        lost = self._seen.keys() - epochs.keys()
        for account in lost:
            self._dispatcher.cancel(account)
            self._fetching.cancel(account)
        self._seen = {account: channels[account] for account in epochs if account in channels}
        self._tasks.adjust({account: epochs[account] for account in self._seen}, channels)

    def _outbound(self, account: str) -> ProviderConnections:
        return ProviderConnections(self._http, self._sessions.get(account))

    async def _stop(self, running: dict[str, asyncio.Task[None]]) -> None:
        for task in running.values():
            task.cancel()
        await asyncio.wait([running["dispatch"], running["fetch"]])
        await self._dispatcher.finish(self._times.last_sends)
        await self._tasks.finish()
        try:
            async with asyncio.timeout(self._times.last_writes):
                await self._fetching.finish()
                await self._results.finish()
                await self._leases.release()
        except (Exception, asyncio.CancelledError) as error:  # the leases lapse, and claims become `unknown`
            log.warning("the accounts were not given back (%s)", type(error).__name__)
        await asyncio.gather(*running.values(), return_exceptions=True)


def _reply_id(result: SendResult) -> str:
    return result.reply.id
