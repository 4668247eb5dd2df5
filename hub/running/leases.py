"""The accounts that this process holds, as the record confirmed last."""

from __future__ import annotations

from collections.abc import Collection

from hub.clock import Timing
from hub.reading import InThread
from sink.leases import release_leases, renew_leases
from sink.record import Record

TTL = 15.0
"""Seconds after which an account that was not renewed is free for other processes."""
RENEW_EVERY = 5.0
MARGIN = 3.0
"""Seconds before its end at which a lease is no longer used: what runs for the account has to stop before the end."""


class Leases:
    """Renews the leases of one holder. `io` is a pool that no other call delays."""

    def __init__(self, record: Record, holder: str, io: InThread, timing: Timing) -> None:
        self.holder = holder
        self._record, self._io, self._timing = record, io, timing
        self._epochs: dict[str, int] = {}
        self._until = float("-inf")
        self._offered: frozenset[str] = frozenset()

    async def renew(self, wanted: Collection[str], idle: Collection[str] = ()) -> None:
        """Renew, take what is free up to this process's share, and give back a surplus of the `idle`, which begin
        nothing meanwhile. Raises Retry: what is held stays until its end."""
        began = self._timing.monotonic()
        self._offered = frozenset(idle)
        try:
            epochs = await self._io(
                renew_leases, self._record, self.holder, wanted, now=self._timing.now(), ttl=TTL, idle=self._offered
            )
            self._epochs, self._until = dict(epochs), began + TTL - MARGIN
        finally:
            self._offered = frozenset()

    def held(self) -> dict[str, int]:
        """Epoch by account, of the leases that are valid now."""
        return self._epochs if self._timing.monotonic() < self._until else {}

    def usable(self) -> dict[str, int]:
        """As `held`, without accounts that may be given back at this moment: nothing may begin for these."""
        return {account: epoch for account, epoch in self.held().items() if account not in self._offered}

    def drop(self, account: str) -> None:
        """The record says that another process has it."""
        self._epochs.pop(account, None)

    async def release(self) -> None:
        """Give all of them back. Raises Retry."""
        self._epochs = {}
        await self._io(release_leases, self._record, self.holder)
