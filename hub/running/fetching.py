"""Files that channels only refer to: brought to the blobs, a few at a time of each account."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from bus import fault_location
from connectors import Connects, Fetches
from hub.accounts import Accounts
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.dispatch import OutboundOf
from hub.running.leases import Leases
from hub.running.result_writer import ResultWriter
from hub.running.waking import wait_for_event
from schemas import AccountFault, Reject, Retry
from sink.attachments import ClaimedFetch, FetchResult, claim_fetches, store_fetches
from sink.outbox_results import next_attempt

AT_ONCE = 4
"""Fetches of one account in flight at the same time: one that hangs delays only its own account."""
POLL_EVERY = 1.0
"""Seconds between two claims where the first found nothing."""
MIN_INTERVAL = 0.05
log = logging.getLogger(__name__)


class AttachmentFetcher:
    """Claims and fetches for the accounts of `leases`. `wake` is set when there is something to fetch."""

    def __init__(
        self, backend: Backend, accounts: Accounts, leases: Leases, health: AccountHealth,
        *, outbound: OutboundOf, put_blob: Callable[[bytes], str], wake: asyncio.Event,
    ) -> None:  # fmt: skip
        self._backend, self._accounts, self._leases, self._health = backend, accounts, leases, health
        self._outbound, self._put_blob, self._wake = outbound, put_blob, wake
        self._results = ResultWriter(self._store, _job_id, backend.timing)
        self._fetching: dict[str, set[asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """For ever. Raises Retry."""
        writing = asyncio.create_task(self._results.run())
        try:
            while True:
                self._wake.clear()
                claimed = await self._claim()
                for fetch in claimed:
                    self._begin(fetch)
                if not claimed:
                    await wait_for_event(self._wake, POLL_EVERY)
                await self._backend.timing.sleep(MIN_INTERVAL)
        finally:
            writing.cancel()

    def busy(self) -> set[str]:
        """The accounts for which something is being fetched."""
        return {account for account, tasks in self._fetching.items() if tasks}

    def cancel(self, account: str) -> None:
        """Its lease ends: the next holder fetches again."""
        for task in list(self._fetching.get(account, ())):
            task.cancel()

    async def finish(self) -> None:
        """End what is being fetched, and store what was."""
        tasks = [task for tasks in self._fetching.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._results.finish()

    async def _store(self, results: list[FetchResult]) -> None:
        await self._backend(store_fetches, results, self._backend.timing.now())

    async def _claim(self) -> list[ClaimedFetch]:
        epochs = self._leases.usable()
        room = {account: free for account in epochs if (free := self._room(account)) > 0}
        if not room:
            return []
        ours = {account: epochs[account] for account in room}
        in_flight = frozenset(self._results.in_flight)
        return await self._backend(claim_fetches, ours, room, in_flight=in_flight, now=self._backend.timing.now())

    def _room(self, account: str) -> int:
        channel = self._accounts.get(account)
        if not isinstance(channel, Fetches) or self._health.pause_left(account, "fetch") > 0:
            return 0
        if isinstance(channel, Connects) and self._outbound(account).session is None:
            return 0
        slots = 1 if self._health.probing(account, "fetch") else AT_ONCE
        return slots - len(self._fetching.get(account, ()))

    def _begin(self, fetch: ClaimedFetch) -> None:
        self._results.in_flight.add(fetch.job.id)
        task = asyncio.create_task(self._fetch(fetch))
        self._fetching.setdefault(fetch.job.account, set()).add(task)
        task.add_done_callback(partial(self._ended, fetch))

    def _ended(self, fetch: ClaimedFetch, task: asyncio.Task[None]) -> None:
        self._fetching[fetch.job.account].discard(task)
        if task.cancelled():  # before it began
            self._results.put(self._again(fetch, Retry("its lease ended")))

    async def _fetch(self, fetch: ClaimedFetch) -> None:
        account = fetch.job.account
        try:
            result = await self._brought(fetch)
            self._health.worked(account, "fetch")
        except Reject as fault:
            log.info("attachment %s of account %s is refused: %s", fetch.id, account, fault.reason)
            result = FetchResult(fetch, "refused", code=fault.code, reason=fault.detail)
        except (Retry, AccountFault) as fault:
            result = self._again(fetch, fault)
            if self._health.is_own(account, "fetch", fault, fetch.id):
                log.info("attachment %s of account %s is refused: others come, this one %s", fetch.id, account, fault)
                result = result._replace(state="refused")
            else:
                self._health.failed(account, "fetch", fault)
        except asyncio.CancelledError:
            result = self._again(fetch, Retry("its lease ended"))
        except Exception as error:  # a bug in one fetch must not end the others
            log.error("attachment %s of account %s: %s", fetch.id, account, fault_location(error))
            result = self._again(fetch, error)
        self._results.put(result)
        self._wake.set()

    async def _brought(self, fetch: ClaimedFetch) -> FetchResult:
        channel = self._accounts.get(fetch.job.account)
        if not isinstance(channel, Fetches):
            raise AccountFault("no_account", "the account is gone, or its kind cannot fetch")
        file = await channel.fetch(fetch.file, self._outbound(fetch.job.account))
        try:
            sha256 = await self._backend.io(self._put_blob, file.body)
        except OSError as error:
            raise Retry(f"the blobs folder: {type(error).__name__}") from None
        return FetchResult(fetch, "fetched", sha256=sha256, size=len(file.body), media_type=file.media_type)

    def _again(self, fetch: ClaimedFetch, fault: Exception) -> FetchResult:
        if isinstance(fault, AccountFault):  # the account itself pauses
            now = self._backend.timing.now()
            return FetchResult(fetch, "retry", due_at=now, limit=None, code=fault.code, reason=fault.detail or None)
        after = fault.after if isinstance(fault, Retry) else None
        due_at = next_attempt(self._backend.timing.now(), fetch.job.attempts, after)
        return FetchResult(fetch, "retry", due_at=due_at, code=type(fault).__name__.lower())


def _job_id(result: FetchResult) -> str:
    return result.fetch.job.id
