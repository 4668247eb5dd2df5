"""Processes of the stage `forwarder` beside a running hub: each may die at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from uuid_utils import uuid7

from hub.clock import TimeSource, utc_now
from hub.running.backend import Backend
from hub.running.forwarding import ForwarderStage, ForwarderTools
from hub.running.leases import LeaseTimes
from hub.running.taking_in import RawPublisher
from schemas import Raw, Retry
from tests.flow.running_hub import RunningHub

TIMES = LeaseTimes(ttl=1.0, renew_every=0.2, watch_every=0.05, margin=0.3, last_sends=1.0, last_writes=0.5)
"""As in production, fifteen times as fast."""


class ForwarderProcess:
    """A process. `kill` ends it at once: no call of it reaches the record or the bus any more, and the answers to what
    it has asked LAPOR! are lost."""

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub
        self._dead = False
        timing = TimeSource(utc_now, lambda: asyncio.get_running_loop().time(), asyncio.sleep)
        door = RawPublisher(self._publish, self._store, utc_now, lambda: str(uuid7()))
        storage, _, current, outside = hub.opened
        tools = ForwarderTools(door, outside.http, storage.blobs.get, asyncio.Event(), Random(1).random)
        backend = Backend(hub.record, self._io, timing)
        stage = ForwarderStage(backend, current.accounts, str(uuid7()), tools, times=TIMES)
        self._task = asyncio.create_task(stage.run())

    def kill(self) -> None:
        self._dead = True

    async def end(self) -> None:
        """As SIGTERM does it; of one that was killed nothing is stored."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _io(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self._alive()
        found = await self._hub.opened.outside.pools.io(call, *args, **kwargs)
        self._alive()
        return found

    async def _publish(self, raws: Sequence[Raw]) -> None:
        self._alive()
        await self._hub.bus.publish(raws)

    async def _store(self, body: bytes) -> str:
        return await self._hub.opened.outside.pools.io(self._hub.opened.storage.blobs.put, body)

    def _alive(self) -> None:
        if self._dead:
            raise Retry("this process is dead")
