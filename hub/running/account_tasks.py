"""Polls and sessions of the held accounts: begun when an account is held, ended before its lease ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from connectors import Channel, Connects, LeaseLost, Polls, ProviderConnections
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.leases import Leases
from hub.running.polling import poll_forever
from hub.running.sessions import Sessions
from hub.running.taking_in import AccountIntake, RawPublisher

CLOSE_WITHIN = 2.0
"""Seconds that a session has to close; less than what is left of a lease when it is no longer used."""
log = logging.getLogger(__name__)


class _Running(NamedTuple):
    channel: Channel
    epoch: int
    tasks: tuple[asyncio.Task[None], ...]


class AccountTasks:
    """One poll loop and one session for each held account of such a kind."""

    def __init__(
        self, backend: Backend, leases: Leases, health: AccountHealth, sessions: Sessions, door: RawPublisher,
        *, outbound: Callable[[str], ProviderConnections],
    ) -> None:  # fmt: skip
        self._backend, self._leases, self._health = backend, leases, health
        self._sessions, self._door, self._outbound = sessions, door, outbound
        self._running: dict[str, _Running] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}

    def adjust(self, epochs: Mapping[str, int], channels: Mapping[str, Channel]) -> None:
        """Begin what should run and does not, and end what should not. Call it whenever leases or accounts change."""
        for account, running in list(self._running.items()):
            if (channels.get(account), epochs.get(account)) != (running.channel, running.epoch):
                self._end(account)
        for account in epochs.keys() - self._running.keys() - self._ending.keys():
            if tasks := self._begin(channels[account], epochs[account]):
                self._running[account] = _Running(channels[account], epochs[account], tasks)

    def busy(self) -> set[str]:
        """Accounts with a session, open or being closed."""
        return {a for a, r in self._running.items() if isinstance(r.channel, Connects)} | self._ending.keys()

    async def finish(self) -> None:
        """End all of them."""
        for account in list(self._running):
            self._end(account)
        await asyncio.gather(*self._ending.values(), return_exceptions=True)

    def _begin(self, channel: Channel, epoch: int) -> tuple[asyncio.Task[None], ...]:
        intake = AccountIntake(self._backend, self._leases, self._door, channel, epoch)
        loops: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = []
        if isinstance(channel, Polls) and channel.polling:
            outbound = self._outbound(channel.account)
            loops.append(("poll", lambda: poll_forever(channel, intake, outbound, self._backend, self._health)))
        if isinstance(channel, Connects):
            loops.append(("session", lambda: self._sessions.hold(channel, intake)))
        return tuple(asyncio.create_task(self._until_lost(f"{channel.account}, {n}", run)) for n, run in loops)

    async def _until_lost(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def once() -> None:
            try:
                await run()
            except LeaseLost:
                log.info("%s: the lease ended", name)

        await self._backend.forever(name, once)

    def _end(self, account: str) -> None:
        running = self._running.pop(account)
        self._ending[account] = asyncio.create_task(self._ended(account, running.tasks))

    async def _ended(self, account: str, tasks: tuple[asyncio.Task[None], ...]) -> None:
        for task in tasks:
            task.cancel()
        _, hanging = await asyncio.wait(tasks, timeout=CLOSE_WITHIN)
        for task in hanging:
            log.warning("account %s: its session does not close; it is abandoned", account)
            task.cancel()
        self._ending.pop(account, None)
