"""Processes of the stage `accounts` on one record and one bus, inside the test: each may die, or stand still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import aiohttp  # noqa: F401 - loaded with the first request, it would outlast a lease of one second
from uuid_utils import uuid7

from bus import MemoryBus, Turnstile
from connectors import Http, PollResult, ProviderConnections
from hub.accounts import Accounts
from hub.clock import TimeSource, utc_now
from hub.opening import WakeEvents
from hub.running.accounts import AccountsStage, Tools
from hub.running.backend import Backend
from hub.running.leases import LeaseTimes
from hub.running.pools import Pools, open_pools
from hub.running.scanning import BlobCalls
from hub.running.taking_in import RawPublisher
from schemas import Raw, Retry
from sink.blobs import Blobs
from sink.outbox import Recipient, ReplyAddress, enqueue_replies, new_reply
from sink.outbox_queries import list_replies
from sink.record import Record
from sink.vault import Vault

TIMES = LeaseTimes(ttl=1.0, renew_every=0.2, watch_every=0.05, margin=0.3, last_sends=1.0, last_writes=0.5)
"""As in production, fifteen times as fast."""
UNHURRIED = replace(TIMES, ttl=60.0, margin=3.0)
"""For a process that nobody takes over: its leases outlast a busy machine."""


class World(NamedTuple):
    """What the processes share."""

    record: Record
    bus: MemoryBus
    blobs: Blobs
    pools: Pools
    http: Http

    def process(self, accounts: Accounts) -> AccountProcess:
        """One more process."""
        return AccountProcess(self, accounts)

    async def owe(self, account: str, person: str, *names: str, channel: str = "kiosk") -> None:
        """Owe replies to one person, in this order."""
        await self.pools.io(self._owe, account, person, names, channel)

    def _owe(self, account: str, person: str, names: Sequence[str], channel: str) -> None:
        to = Recipient("32.73", account, channel, ReplyAddress(person, person), person)
        vault = self.record.vault
        replies = [
            new_reply(vault, to, f"{account}/{person}/{name}", "officer_answer", automatic=False) for name in names
        ]
        with self.record.write() as connection:
            enqueue_replies(connection, replies, utc_now() - timedelta(seconds=1), UTC)

    async def states(self, account: str | None = None) -> list[str]:
        """Of the replies, the oldest first."""
        rows = [row for s in STATES for row in await self.pools.io(list_replies, self.record, s, account)]
        return [row.state for row in sorted(rows, key=lambda row: row.created_at)]

    async def raws(self) -> list[Raw]:
        """What came in."""
        return [s.event() async for s in self.bus.read("raw", datetime(2000, 1, 1, tzinfo=UTC))]  # type: ignore[misc]


STATES = ("owed", "claimed", "sent", "unknown", "failed", "moved", "delivered", "read", "suppressed")


class AccountProcess:
    """A process. `kill` ends it at once: no call of it reaches the record, the bus or its provider any more."""

    def __init__(self, world: World, accounts: Accounts) -> None:
        self._world = world
        self.accounts, self.wake = accounts, WakeEvents()
        self.before: dict[str, Callable[[], Any]] = {}
        """By name of a function of the record: what happens before this process calls it."""
        self.after: dict[str, Callable[[], Any]] = {}
        """What happens after that, before it gets the answer."""
        self.times = TIMES
        self.clock_ahead = 0.0
        """Seconds by which its monotonic clock has jumped, as after a pause."""
        self._dead = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> AccountProcess:
        timing = TimeSource(utc_now, lambda: asyncio.get_running_loop().time() + self.clock_ahead, asyncio.sleep)
        backend = Backend(self._world.record, self._io, timing)
        door = RawPublisher(self._publish, self._store, utc_now, lambda: str(uuid7()))
        tools = Tools(
            door, self._world.http, lambda owed, channel: f"Jawaban {owed.id}",
            BlobCalls(self._world.blobs.get, self._world.blobs.put), None, self.wake, Random(1).random,
        )  # fmt: skip
        stage = AccountsStage(backend, self.accounts, str(uuid7()), tools, times=self.times)
        self._task = asyncio.create_task(stage.run())
        return self

    def kill(self) -> None:
        self._dead = True

    async def stop(self) -> None:
        """As SIGTERM does it."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _io(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        name = getattr(call, "__name__", "")
        self._done(self.before, name)
        answer = await self._world.pools.io(call, *args, **kwargs)
        self._done(self.after, name)
        return answer

    async def _publish(self, raws: Sequence[Raw]) -> None:
        self._done({}, "publish")
        await self._world.bus.publish(raws)

    async def _store(self, body: bytes) -> str:
        return await self._world.pools.io(self._world.blobs.put, body)

    def _done(self, hooks: dict[str, Callable[[], Any]], name: str) -> None:
        if hook := hooks.get(name):
            hook()
        if self._dead:
            raise Retry("this process is dead")


@asynccontextmanager
async def account_world(folder: Path) -> AsyncIterator[World]:
    """A record on SQLite and a bus in memory."""
    with (
        Record.open(
            f"sqlite:///{folder / 'record.db'}", Vault.create(folder / "keys.toml"), Turnstile(folder / "record.db")
        ) as record,
        open_pools() as pools,
    ):
        async with MemoryBus() as bus, Http() as http:
            yield World(record, bus, Blobs(folder / "blobs"), pools, http)


async def until(condition: Callable[[], Any], what: str, within: float = 30.0) -> Any:
    """Returns what the condition gives once that is true."""
    try:
        async with asyncio.timeout(within):
            while True:
                found = condition()
                found = await found if asyncio.iscoroutine(found) else found
                if found:
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited {within} s for {what}") from None


def killed_before_its_cursor(world: World, door: Any, saves: int) -> AccountProcess:
    """It dies between the publish of news and the cursor, after so many polls of that channel that brought some."""
    process, left, poll, brought = world.process(Accounts.of(door)), iter(range(saves)), door.poll, 0

    async def poll_and_count(cursor: str | None, outbound: ProviderConnections) -> PollResult:
        nonlocal brought
        polled: PollResult = await poll(cursor, outbound)
        brought = len(polled.requests)
        return polled

    def die_in_time() -> None:
        if brought and next(left, None) is None:
            process.kill()

    door.poll = poll_and_count
    process.before["save_cursor"] = die_in_time
    return process
