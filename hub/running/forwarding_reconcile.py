"""The reconciliation: our record against another system, difference by difference. What a clear rule repairs is
repaired; the rest is shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bus import fault_location
from connectors import Forwards, ProviderConnections
from hub.accounts import Accounts
from hub.running.backend import Backend
from schemas import CLOSED_STATUSES, AccountFault, Reject, Retry
from sink.action_rules import RANK
from sink.forward_claims import NEEDS_PERSON
from sink.forward_law import missing_complaints
from sink.forward_repair import ForwardLine, list_forwards, queue_recorded
from sink.forwarded import poll_soon
from sink.reconcile import Difference, OurView, forwarded_pages, twice_here
from sink.record import Record

AT_ONCE = 8
"""Questions to one system in flight at the same time."""
MOST_UNANSWERED = 16
"""Questions in a row without an answer, after which the system counts as away."""
RECENT = timedelta(days=90)
"""Complaints that changed in this time are asked about, and every open one."""
SETTLED = timedelta(minutes=2)
"""A complaint that was recorded later may not be queued yet where another process has an older edition."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reconciliation:
    """What was found for one account."""

    account: str
    differences: list[Difference] = field(default_factory=list)
    asked: int = 0
    """Complaints that the other system was asked about."""
    repaired: int = 0
    fault: str | None = None
    """Why not everything could be asked."""
    unanswered: int = 0
    """Questions in a row without an answer."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles accounts. `outbound` is what an account's channel may use."""

    backend: Backend
    accounts: Accounts
    outbound: Callable[[str], ProviderConnections]

    async def run(self, channel: Forwards, *, apply: bool, since: datetime | None = None) -> Reconciliation:
        """Of one account; with `apply` the clear ones are repaired. `since`: complaints received from then on must
        stand there too, though they came before the account. Raises Retry where our own record is unavailable."""
        found = Reconciliation(channel.account)
        found.differences += await self._missing(channel, since)
        found.differences += _undone(await self._lines(channel.account))
        found.differences += await self.backend(twice_here, channel.account)
        await self._ask(channel, found)
        if apply:
            await self._repair(channel, found)
        return found

    async def _missing(self, channel: Forwards, since: datetime | None) -> list[Difference]:
        if not channel.national and since is None:
            return []
        before, forwarding = self.backend.timing.now() - SETTLED, self.accounts.snapshot.forwarding

        def rows(record: Record) -> list[Difference]:
            missing = missing_complaints(record, channel, forwarding, before, since)
            words = "must stand there, and nothing is under way"
            return [
                Difference(channel.account, "missing", row.number, None, words, "queue it", row.id) for row in missing
            ]

        return await self.backend(rows)

    async def _lines(self, account: str) -> list[ForwardLine]:
        return await self.backend(list_forwards, ("failed", "unknown"), account)

    async def _ask(self, channel: Forwards, found: Reconciliation) -> None:
        since, limit = self.backend.timing.now() - RECENT, asyncio.Semaphore(AT_ONCE)
        pages = forwarded_pages(self.backend.record, channel.account, since)
        while found.unanswered < MOST_UNANSWERED and (page := await self.backend.io(next, pages, None)):
            answers = await asyncio.gather(*(self._compare(channel, ours, limit, found) for ours in page))
            asked = [differences for differences in answers if differences is not None]
            found.asked += len(asked)
            found.differences += [difference for differences in asked for difference in differences]

    async def _compare(
        self, channel: Forwards, ours: OurView, limit: asyncio.Semaphore, found: Reconciliation
    ) -> list[Difference] | None:
        """None: the other system cannot say how it is, or is not asked any more."""
        async with limit:
            if found.unanswered >= MOST_UNANSWERED:
                return None
            outbound = self.outbound(channel.account)
            try:
                there = await channel.status_of(ours.native, outbound)
                ids = await channel.find(ours.number, outbound) if ours.number else None
            except (Reject, NotImplementedError):
                return None
            except Retry as fault:  # one complaint that its server fails at keeps no other from being asked about
                found.fault, found.unanswered = fault.reason, found.unanswered + 1
                return None
            except AccountFault as fault:
                found.fault, found.unanswered = fault.reason, MOST_UNANSWERED
                return None
            found.unanswered = 0
        return [
            *_status(channel, ours, _as_far_as_told(channel, ours, there)),
            *_twice_there(channel.account, ours, ids or ()),
        ]

    async def _repair(self, channel: Forwards, found: Reconciliation) -> None:
        now = self.backend.timing.now()
        missing = [d.complaint for d in found.differences if d.what == "missing" and d.complaint]
        if missing:
            found.repaired += await self.backend(queue_recorded, channel, missing, now)
        stale = [
            (d.complaint, channel.account) for d in found.differences if d.what == "status" and d.repair and d.complaint
        ]
        if stale:
            await self.backend(poll_soon, stale, now)
            found.repaired += len(stale)


async def reconcile_each(reconciler: Reconciler, channels: Iterable[Forwards]) -> None:
    """All of them, with what a clear rule repairs; a fault of one keeps no other back. The log says what was found."""
    for channel in channels:
        try:
            found = await reconciler.run(channel, apply=True)
        except Exception as error:
            why = error.reason if isinstance(error, Retry) else fault_location(error)
            log.error("account %s is not reconciled: %s", channel.account, why)
            continue
        log.info("account %s: %d differences, %d repaired%s", channel.account, len(found.differences), found.repaired,
                 f"; {found.fault}" if found.fault else "")  # fmt: skip


def _undone(lines: Iterable[ForwardLine]) -> Iterable[Difference]:
    """What waits for a person."""
    for line in lines:
        if line.state == "failed":
            words = f"{line.id} failed: {line.code}: {line.reason or 'see satupintu forwards show'}"
            yield Difference(line.account, "failed", line.number, None, words)
        elif line.code == NEEDS_PERSON:
            yield Difference(line.account, "in_doubt", line.number, None, f"{line.id}: {line.reason}")


def _as_far_as_told(channel: Forwards, ours: OurView, there: str | None) -> str | None:
    same = there is not None and (there in CLOSED_STATUSES) == (ours.status in CLOSED_STATUSES)
    return ours.status if channel.tells_only_closed and same else there


def _status(channel: Forwards, ours: OurView, there: str | None) -> Iterable[Difference]:
    account, repair = channel.account, None if channel.follow_every is None else "look at it now"
    if there is None:
        words = "stands there by our record, and is not there"
        yield Difference(account, "gone", ours.number, ours.native, words)
    elif there != ours.status and RANK.get(there, -1) > RANK.get(ours.status or "", -1):
        words = f"{there} there, {ours.status} here"
        yield Difference(account, "status", ours.number, ours.native, words, repair, ours.complaint)
    elif there != ours.status:  # ours is further: LAPOR! has no call for a status, its admins set it
        yield Difference(account, "status_there", ours.number, ours.native, f"{there} there, {ours.status} here")


def _twice_there(account: str, ours: OurView, ids: Iterable[str]) -> Iterable[Difference]:
    others = [id for id in ids if id != ours.native]
    if others:
        words = f"stands there as {', '.join(others)} too: archive there what is too many"
        yield Difference(account, "twice_there", ours.number, ours.native, words)
