"""The wait between two polls, where the provider itself tells of new items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors import PollResult
from hub.running.polling import poll_forever


class Waking:
    """A channel whose provider wakes the poll; it counts its polls. `every` of so many seconds never comes."""

    account, poll_every = "rekam", 1e9

    def __init__(self) -> None:
        self.polls: asyncio.Queue[None] = asyncio.Queue()
        self.wake = asyncio.Event()
        self.open = False

    @asynccontextmanager
    async def new_items(self, outbound: Any) -> AsyncIterator[asyncio.Event]:
        self.open = True
        yield self.wake
        self.open = False

    async def poll(self, cursor: str | None, outbound: Any) -> PollResult:
        self.polls.put_nowait(None)
        return PollResult((), None)


class Intake:
    """It holds the lease and takes everything."""

    cursor: str | None = None

    def require_lease(self) -> None:
        pass

    async def __call__(self, requests: Any, cursor: str | None = None) -> None:
        pass


class Backend:
    """No record; sleep is real."""

    def __init__(self) -> None:
        self.timing = self
        self.sleep = asyncio.sleep

    async def __call__(self, call: Any, *args: Any) -> Any:
        return None if args else {}


class Health:
    def worked(self, account: str, ability: str) -> None:
        pass


async def test_a_poll_follows_what_the_provider_tells_and_ends_with_the_account() -> None:
    channel: Any = Waking()
    backend: Any = Backend()
    intake: Any = Intake()
    health: Any = Health()
    outbound: Any = None
    polling = asyncio.create_task(poll_forever(channel, intake, outbound, backend, health))
    for _ in range(3):
        await asyncio.wait_for(channel.polls.get(), 20)
        channel.wake.set()
    await asyncio.wait_for(channel.polls.get(), 20)
    assert channel.polls.empty()
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert not channel.wake.is_set()
