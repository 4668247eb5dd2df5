"""The session of an account: a connection to each of its centres, or two, and what they bring and take.

It lives as long as one connection does. One that breaks while others work is opened again here, with backoff;
when none is left the session ends, and the runtime opens it again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from connectors._port import Intake, Session
from connectors._smpp_deliveries import DeliveryQueue
from connectors._smpp_link import SmppConnection, open_bound_link
from connectors._smpp_settings import BindMode, ConnectionSettings, SmppSettings
from schemas import AccountFault, Retry

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two tries to open one connection."""
log = logging.getLogger(__name__)


@asynccontextmanager
async def open_session(
    settings: SmppSettings, intake: Intake, cursor: str | None, now: Callable[[], float] = time.time
) -> AsyncIterator[SmppSession]:
    """Open the session; one connection is enough. Raises Retry or AccountFault."""
    deliveries = DeliveryQueue(settings, intake, cursor, now)
    await deliveries.store()  # texts that waited long enough, even while no centre answers
    session = SmppSession(settings, deliveries)
    try:
        await session.open()
        yield session
    finally:
        await session.close()


class SmppSession(Session):
    """The open connections of one account."""

    def __init__(self, settings: SmppSettings, deliveries: DeliveryQueue) -> None:
        self._settings, self._deliveries = settings, deliveries
        self._links: dict[ConnectionSettings, tuple[SmppConnection, AsyncExitStack]] = {}
        self._faults: dict[ConnectionSettings, AccountFault] = {}
        self._turn = 0
        self._due = 0.0
        self.reference = int(time.time()) & 0xFF
        """Of the last long text that was sent."""

    @property
    def partial_fault(self) -> AccountFault | None:
        """The first of the centres that refuse us, or answer for long no more, by its address."""
        for endpoint, fault in self._faults.items():
            return AccountFault(fault.code, f"{endpoint.host}:{endpoint.port}: {fault.detail}")
        return None

    async def open(self) -> None:
        """Open every connection. Raises the first fault where none opens."""
        endpoints = self._settings.endpoints
        results = await asyncio.gather(*map(self._open, endpoints), return_exceptions=True)
        faults = [result for result in results if isinstance(result, BaseException)]
        if len(faults) == len(endpoints):
            raise next((fault for fault in faults if isinstance(fault, AccountFault)), faults[0])
        self._faults = {e: r for e, r in zip(endpoints, results, strict=True) if isinstance(r, AccountFault)}

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._deliveries.store_forever())]
        tasks += [asyncio.create_task(self._hold(endpoint)) for endpoint in self._settings.endpoints]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Unbind everywhere at the same time."""
        stacks = [stack for _, stack in self._links.values()]
        self._links.clear()
        await asyncio.gather(*(stack.aclose() for stack in stacks), return_exceptions=True)

    def link_to_send(self) -> SmppConnection:
        """A connection that takes messages, each in its turn. Raises Retry."""
        links = [link for link, _ in self._links.values() if link.role != BindMode.RECEIVER and link.is_open]
        if not links:
            raise Retry("no connection that sends")
        self._turn += 1
        return links[self._turn % len(links)]

    async def pace(self) -> None:
        """Wait until the next part is due at the rate that was agreed."""
        if self._settings.rate:
            now = asyncio.get_running_loop().time()
            self._due = max(self._due, now) + 1 / self._settings.rate
            await asyncio.sleep(self._due - 1 / self._settings.rate - now)

    def next_reference(self) -> int:
        """For the parts of the next long text."""
        self.reference = (self.reference + 1) & 0xFF
        return self.reference

    def sent(self, id: str) -> None:
        """A response gave this id: receipts will name it."""
        self._deliveries.sent.add(id)

    async def _open(self, endpoint: ConnectionSettings) -> None:
        stack = AsyncExitStack()
        link = await stack.enter_async_context(open_bound_link(endpoint, self._settings, self._deliveries.put))
        self._links[endpoint] = (link, stack)
        self._faults.pop(endpoint, None)

    async def _hold(self, endpoint: ConnectionSettings) -> None:
        """Open the connection again whenever it breaks. Raises its fault where no other is open."""
        pause = FIRST_PAUSE
        while True:
            if found := self._links.get(endpoint):
                link, stack = found
                fault: Exception = await asyncio.shield(link.ended)
                pause = FIRST_PAUSE
                del self._links[endpoint]
                await stack.aclose()
                if not any(link.is_open for link, _ in self._links.values()):
                    raise fault
                log.warning("a connection to %s:%d: %s", endpoint.host, endpoint.port, fault)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await self._open(endpoint)
            except (Retry, AccountFault) as error:
                log.warning("no connection to %s:%d: %s", endpoint.host, endpoint.port, error)
                if isinstance(error, AccountFault):
                    self._faults[endpoint] = error
                elif pause == LONGEST_PAUSE:
                    self._faults[endpoint] = AccountFault("unreachable", error.reason)
