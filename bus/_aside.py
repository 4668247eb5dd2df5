"""Accounts that a stage puts aside: their events wait in the topic `aside`, in order, while all others go on.

An account that the guard condemns (`_guard.py`) gets a row in the `AsideStore`, and from then on its events of that
stage are diverted (`_lane.py`, which says why nothing is reordered) into a lane named `STAGE@ACCOUNT@SINCE`. Each lane
has a consumer group of that name, so that no account waits for another's release, and a worker in every process of the
stage (`_aside_workers.py`). While the account is held, the worker waits with the first of its events in hand. Once the
store says that it is released, the worker runs the stage on the lane, in order; newer events of the account are
diverted behind them until the lane is empty. An account that dies on goes aside again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from bus._aside_store import AsideAccount, AsideStore
from bus._lane import SideLane, uncommitted_events
from bus._port import Bus, StoredEvent
from bus._values import account_of, stored_key
from bus._work import StageWork, TimeSource
from schemas import Aside, Body, Event


async def keys_of_waiting_events(bus: Bus, store: AsideStore, stage: str) -> set[str]:
    """Keys of the events that wait in any lane of the stage. A stage that diverts into the topic of that one asks this
    after it has asked for the events behind on the topic: they move from there to here. Raises Retry."""
    lanes = [lane_name(stage, account, row.since) for account, row in (await store.accounts(stage)).items()]
    return {key for lane in lanes async for key in _keys_in(bus, lane)}


def lane_name(stage: str, account: str, since: datetime) -> str:
    """Of a lane and its group. Without dots: adapters divide their own names by them."""
    return f"{stage}@{quote(account, safe='').replace('.', '%2E')}@{since:%Y%m%dT%H%M%S}"


async def _keys_in(bus: Bus, lane: str) -> AsyncIterator[str]:
    async for stored in uncommitted_events(bus, Aside.topic, lane):
        if stored.key == stored_key(lane):
            event = stored.event()
            assert isinstance(event, Aside)
            yield event.event_key


class StageAsides:
    """The accounts that one stage has put aside, as one process sees them."""

    def __init__(self, bus: Bus, stage: str, store: AsideStore, work: StageWork, timing: TimeSource) -> None:
        self.store = store
        self.lane = SideLane(self._diverted, timing.monotonic)
        self.known: Mapping[str, AsideAccount] = {}
        """The rows of the store, as last looked up."""
        self.refreshed = asyncio.Event()
        """Set, and replaced by a new one, by every look at the store."""
        self.condemned = asyncio.Event()
        """Set when an account was put aside here."""
        self._bus, self._stage, self._guard, self._timing = bus, stage, work.guard, timing
        self._lanes: dict[str, str] = {}
        """Names of the lanes of the accounts that are diverted."""
        work.divert, work.settle = self._divert, self._put_aside

    async def refresh(self) -> None:
        """Ask the store. Raises Retry."""
        self.known = await self.store.accounts(self._stage)
        self.refreshed.set()
        self.refreshed = asyncio.Event()

    def held(self, account: str) -> bool:
        """Is the account put aside, and not released?"""
        row = self.known.get(account)
        return row is not None and row.released_at is None

    def name(self, account: str, row: AsideAccount) -> str:
        """Of the account's lane and its group."""
        return lane_name(self._stage, account, row.since)

    async def waits(self, lane: str) -> bool:
        """Does the lane hold events that its group has still to commit? Raises Retry."""
        async for stored in uncommitted_events(self._bus, Aside.topic, lane):
            if stored.key == stored_key(lane):
                return True
        return False

    async def _diverted(self) -> set[str]:
        """The accounts that are held, and those whose lane is not empty yet."""
        await self.refresh()
        lanes = {account: self.name(account, row) for account, row in self.known.items()}
        self._lanes = {a: lane for a, lane in lanes.items() if self.held(a) or await self.waits(lane)}
        return set(self._lanes)

    def _divert(self, batch: Sequence[StoredEvent]) -> tuple[Sequence[StoredEvent], Sequence[Event]]:
        here, diverted = self.lane.divide(batch, lambda stored: account_of(stored.value))
        return here, [self._wrapped(stored) for stored in diverted]

    def _wrapped(self, stored: StoredEvent) -> Aside:
        account = account_of(stored.value)
        return Aside(
            lane=self._lanes[account],
            stage=self._stage,
            account=account,
            of_topic=stored.topic,
            of_partition=stored.partition,
            of_offset=stored.offset,
            of_at=stored.at,
            event_key=stored.key,
            event=Body(stored.value),
        )

    async def _put_aside(self) -> None:
        """Those whom the guard has condemned. Raises Retry: it is called again."""
        for account, verdict in list(self._guard.verdicts.items()):
            await self.store.put_aside(self._stage, account, *verdict, self._timing.clock())
            await self.refresh()
            self._lanes[account] = self.name(account, self.known[account])
            self.lane.keys.add(account)
            self._guard.verdicts.pop(account, None)
            self.condemned.set()
