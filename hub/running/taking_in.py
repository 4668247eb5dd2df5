"""What polls and sessions bring in: stored as Raws first, then the cursor moves under the lease's epoch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain

from connectors import Channel, Gap, LeaseLost, Request
from hub.intake import split_into_raws
from hub.running.backend import Backend
from hub.running.leases import Leases
from schemas import Raw
from sink.cursors import save_cursor
from sink.leases import StaleEpoch

PUBLISH_AT_ONCE = 500
log = logging.getLogger(__name__)
Publish = Callable[[Sequence[Raw]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RawPublisher:
    """How Raws are made and published. `publish` returns once they are durable."""

    publish: Publish
    store: Callable[[bytes], Awaitable[str]]
    """A large body to the blobs; its SHA-256."""
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    async def take_in(self, channel: Channel, requests: Sequence[Request]) -> None:
        """Store what the requests hold. Raises Retry."""
        split = partial(split_into_raws, channel, store=self.store, clock=self.clock, new_id=self.new_id)
        raws = list(chain.from_iterable(await asyncio.gather(*map(split, requests))))  # large bodies side by side
        for at in range(0, len(raws), PUBLISH_AT_ONCE):
            await self.publish(raws[at : at + PUBLISH_AT_ONCE])


class AccountIntake:
    """The `Intake` of one account while this process holds it."""

    def __init__(self, backend: Backend, leases: Leases, door: RawPublisher, channel: Channel, epoch: int) -> None:
        self._backend, self._leases, self._door = backend, leases, door
        self._channel, self._epoch = channel, epoch
        self.cursor: str | None = None
        """The one that stands in the record, once it was loaded."""

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        """As `connectors.Intake`: durable first, then the cursor. Raises Retry and LeaseLost."""
        self.require_lease()
        if requests:
            await self._door.take_in(self._channel, requests)
        account = self._channel.account
        if cursor is None:
            self.require_lease()
            return
        gap = self._gap(cursor, len(requests))
        try:
            await self._backend(save_cursor, account, self._epoch, cursor, self._backend.timing.now(), gap=gap)
        except StaleEpoch:
            self._leases.drop(account)
            raise LeaseLost(account) from None
        self.cursor = cursor

    def _gap(self, cursor: str, taken: int) -> Gap | None:
        gap = self._channel.gap(self.cursor, cursor, taken) if self.cursor not in {None, cursor} else None
        if gap is not None:
            log.warning("account %s: a gap: %s: %s", self._channel.account, gap.code, gap.detail)
        return gap

    def require_lease(self) -> None:
        """Raises LeaseLost where this process does not hold the account now."""
        if self._leases.held().get(self._channel.account) != self._epoch:
            raise LeaseLost(self._channel.account)
