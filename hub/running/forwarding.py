"""The stage `forwarder`: brings complaints into other systems, and polls what is new about them there. It has leases of
its own on the accounts. Any number of processes share the accounts.

    leases ── which accounts are ours to forward for, apart from the leases to poll and to send
      ├── forwarding_work ── forwarding_steps ── forwarding_progress ── jobs, and where complaints stand
      └── forwarding_polls ── taking_in ── the bus
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors import ForwardedFile, Forwards, Http, ProviderConnections
from hub.accounts import Accounts
from hub.running.account_health import FORWARDING, AccountHealth
from hub.running.backend import Backend
from hub.running.backoff import Random
from hub.running.forwarding_polls import ForwardPolls
from hub.running.forwarding_progress import ProgressWriter
from hub.running.forwarding_reconcile import Reconciler, reconcile_each
from hub.running.forwarding_steps import NotReady, StepRunner
from hub.running.forwarding_work import Forwarder
from hub.running.leases import PRODUCTION, Leases, LeaseTimes
from hub.running.pools import RunInThread
from hub.running.taking_in import RawPublisher
from schemas import Retry
from sink.account_states import sent_since
from sink.forward_claims import POOL, forward_files
from sink.hastening import hasten_jobs
from sink.jobs import ClaimedJob

FILES_WITHIN = timedelta(minutes=15)
"""A forward waits so long for files that are still being fetched, then it goes without them."""
FILES_AGAIN = 5.0
WIB = ZoneInfo("Asia/Jakarta")
log = logging.getLogger(__name__)


def seconds_to_night(now: datetime, random: float) -> float:
    """Seconds to the next night, one to two o'clock in western Indonesia; processes do not begin all at once."""
    local = now.astimezone(WIB)
    begin = local.replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(minutes=60 * random)
    left = (begin - local).total_seconds()
    return left if left > 0 else left + 86400.0


@dataclass(frozen=True, slots=True)
class ForwarderTools:
    """What the stage uses beside the record."""

    door: RawPublisher
    http: Http
    get_blob: Callable[[str], bytes]
    wake: asyncio.Event
    random: Random
    institution: Callable[[str], int | None] = lambda office: None
    """LAPOR!'s id of an office, by the registry."""


class ForwarderStage:
    """Works for the accounts that `holder` holds. `lease_io` is a pool that no other call delays."""

    def __init__(
        self, backend: Backend, accounts: Accounts, holder: str, tools: ForwarderTools,
        *, lease_io: RunInThread | None = None, times: LeaseTimes = PRODUCTION,
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._tools, self._times = backend, accounts, tools, times
        self._leases = Leases(backend.record, holder, lease_io or backend.io, backend.timing, times, pool=POOL)
        self._health = AccountHealth(backend, tools.random, FORWARDING)
        self._progress = ProgressWriter(backend)
        runner = StepRunner(self._progress.put, self._files, backend.timing.now, self._holds, self._sent_since)
        self._forwarder = Forwarder(
            backend,
            accounts,
            self._leases,
            self._health,
            runner=runner,
            outbound=self._outbound,
            wake=tools.wake,
            institution=tools.institution,
        )
        self._polls = ForwardPolls(
            backend, accounts, self._leases, self._health,
            door=tools.door, outbound=self._outbound, random=tools.random,
        )  # fmt: skip
        self._snapshot = accounts.snapshot
        self._changed: set[str] = set()
        """Accounts with a new edition, of which jobs may wait for another attempt."""

    async def run(self) -> None:
        """Until cancelled; then the steps in hand may end, and the accounts are given back."""
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "forward leases": self._renew, "forwards": self._forwarder.run, "forward polls": self._polls.run,
            "reconcile": self._nightly, "forward progress": self._progress.run, "forward faults": self._health.run,
        }  # fmt: skip
        running = {name: asyncio.create_task(self._backend.forever(name, loop)) for name, loop in loops.items()}
        try:
            await asyncio.wait(running.values())
        finally:
            await self._stop(running)

    async def _renew(self) -> None:
        while True:
            self._cancel_lost()  # the record may have been away for longer than a lease
            wanted = [channel.account for channel in self._accounts.snapshot.forwarding]
            await self._leases.renew(wanted, self._leases.held().keys() - self._forwarder.busy())
            self._changed |= await self._health.learn(self._leases.held())
            await self._hasten()
            self._cancel_lost()
            self._tools.wake.set()
            began = self._backend.timing.monotonic()
            while self._backend.timing.monotonic() - began < self._times.renew_every and not self._edited():
                await self._backend.timing.sleep(self._times.watch_every)

    async def _hasten(self) -> None:
        if self._changed:
            await self._backend(hasten_jobs, self._changed, self._backend.timing.now())
            self._changed = set()

    async def _sent_since(self, account: str, since: datetime) -> bool:
        try:
            return await self._backend(sent_since, account, since)
        except Retry:
            return True  # the next one that is given up will tell

    def _cancel_lost(self) -> None:
        for account in self._forwarder.busy() - self._leases.held().keys():
            self._forwarder.cancel(account)

    async def _nightly(self) -> None:
        """Every night, the accounts that are held then are reconciled; what a clear rule repairs is repaired."""
        while True:
            await self._backend.timing.sleep(seconds_to_night(self._backend.timing.now(), self._tools.random()))
            held = [self._accounts.get(account) for account in sorted(self._leases.usable())]
            reconciler = Reconciler(self._backend, self._accounts, self._outbound)
            await reconcile_each(reconciler, [channel for channel in held if isinstance(channel, Forwards)])

    def _edited(self) -> bool:
        """An edition came: accounts that it changed are tried at once."""
        snapshot = self._accounts.snapshot
        if snapshot is self._snapshot:
            return False
        for account, channel in snapshot.channels.items():
            if self._snapshot.channels.get(account) is not channel:
                self._health.edited(account)
                self._changed.add(account)
        self._snapshot = snapshot
        return True

    def _holds(self, job: ClaimedJob) -> bool:
        return self._leases.held().get(job.account) == job.epoch

    def _outbound(self, account: str) -> ProviderConnections:
        return ProviderConnections(self._tools.http)

    async def _files(self, ids: Sequence[str], queued_at: datetime) -> Sequence[ForwardedFile]:
        """The files as far as they may leave. Raises NotReady while some may still come."""
        rows = await self._backend(forward_files, ids)
        pending = any(row.pending for row in rows)
        if pending and self._backend.timing.now() - queued_at < FILES_WITHIN:
            raise NotReady("files are still being fetched and checked", after=FILES_AGAIN)
        found = [(row, row.shown) for row in rows if row.shown is not None]
        try:
            bodies = [await self._backend.io(self._tools.get_blob, sha256) for _, sha256 in found]
        except OSError as error:
            raise NotReady(f"the blobs folder: {type(error).__name__}") from None
        return [
            ForwardedFile(row.name or f"lampiran-{n}", row.media_type or "application/octet-stream", body)
            for n, ((row, _), body) in enumerate(zip(found, bodies, strict=True), 1)
        ]

    async def _stop(self, running: dict[str, asyncio.Task[None]]) -> None:
        running["forwards"].cancel()
        await self._forwarder.finish(self._times.last_sends)
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        try:
            async with asyncio.timeout(self._times.last_writes):
                await self._progress.flush()
                await self._leases.release()
        except (Exception, asyncio.CancelledError) as error:  # the leases lapse, and steps in hand become `unknown`
            log.warning("the accounts were not given back (%s)", type(error).__name__)
