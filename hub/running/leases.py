"""The accounts that this process holds, as the record confirmed last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hub.clock import TimeSource
from hub.running.pools import RunInThread
from sink.leases import lease_name, release_leases, renew_leases
from sink.record import Record


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds, all of them."""

    ttl: float = 15.0
    """After this an account whose lease was not renewed is free for other processes."""
    renew_every: float = 5.0
    watch_every: float = 0.5
    """Between two checks whether a lease ended, or an edition came."""
    margin: float = 3.0
    """Before its end a lease is no longer used: what runs for the account has so long to stop."""
    last_sends: float = 4.0
    """That replies on their way have when the process is stopped."""
    last_writes: float = 2.0
    """That results have then to be stored."""


PRODUCTION = LeaseTimes()


class Leases:
    """Renews the leases of one holder. `io` is a thread pool that no other call delays; `pool` is the work that the
    leases are for: each has leases of its own."""

    def __init__(
        self, record: Record, holder: str, io: RunInThread, timing: TimeSource, times: LeaseTimes, *, pool: str = ""
    ) -> None:
        self.holder, self._times, self._pool = holder, times, pool
        self._record, self._io, self._timing = record, io, timing
        self._epochs: dict[str, int] = {}
        self._until = float("-inf")
        self._offered: frozenset[str] = frozenset()

    async def renew(self, wanted: Collection[str], idle: Collection[str] = ()) -> None:
        """Renew, take what is free up to this process's share, and give back a surplus of the `idle`, which begin
        nothing meanwhile. Raises Retry: what is held stays until its end."""
        if not wanted:  # nothing to share: what was held lapses
            self._epochs = {}
            return
        began = self._timing.monotonic()
        self._offered = frozenset(idle)
        try:
            epochs = await self._io(
                renew_leases,
                self._record,
                self.holder,
                [lease_name(account, self._pool) for account in wanted],
                now=self._timing.now(),
                ttl=self._times.ttl,
                idle=[lease_name(account, self._pool) for account in self._offered],
                pool=self._pool,
            )
            self._epochs = {name.rpartition("/")[2]: epoch for name, epoch in epochs.items()}
            self._until = began + self._times.ttl - self._times.margin
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
