"""Sessions: connect, receive, connect again after a pause."""

from __future__ import annotations

import logging

from bus import fault_location
from connectors import Connects, LeaseLost, Session
from hub.renewed_secret import AccountSecret
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.taking_in import AccountIntake
from schemas import AccountFault, Retry
from sink.cursors import load_cursor

STABLE = 30.0
"""Seconds after which a session counts as working: one that ends sooner is a failure."""
log = logging.getLogger(__name__)


class Sessions:
    """The open sessions of this process by account: replies are sent over them."""

    def __init__(self, backend: Backend, health: AccountHealth) -> None:
        self._backend, self._health = backend, health
        self._open: dict[str, Session] = {}
        self._partial: dict[str, str] = {}
        """Of each open session the partial fault that was last shown."""

    def get(self, account: str) -> Session | None:
        """None while it is down."""
        return self._open.get(account)

    def show_partial_faults(self) -> None:
        """Show in the account's health where a part of an open session does not work, or does again."""
        for account, session in self._open.items():
            fault = session.partial_fault
            if self._partial.get(account) != (shown := fault.reason if fault else ""):
                self._partial[account] = shown
                self._health.set_fault(account, "connection", fault)

    async def hold(self, channel: Connects, intake: AccountIntake) -> None:
        """Hold the account's session until cancelled. Raises LeaseLost, and Retry where the record is unavailable."""
        while True:
            intake.require_lease()
            cursor = intake.cursor = await self._backend(load_cursor, channel.account)
            began = self._backend.timing.monotonic()
            fault: Exception = Retry("the session ended")
            try:
                await self._once(channel, intake, cursor)
            except LeaseLost:
                raise
            except Exception as error:
                fault = error
            if self._backend.timing.monotonic() - began >= STABLE:
                self._health.worked(channel.account, "session")
            _log(channel.account, fault)
            await self._backend.timing.sleep(self._health.failed(channel.account, "session", fault))

    async def _once(self, channel: Connects, intake: AccountIntake, cursor: str | None) -> None:
        renewed = AccountSecret(self._backend, channel.account, self._backend.timing.sleep)
        async with channel.connect(intake, cursor, renewed) as session:
            self._open[channel.account] = session
            try:
                self._health.mended(channel.account, "session")
                await session.run()
            finally:
                self._open.pop(channel.account, None)
                self._partial.pop(channel.account, None)


def _log(account: str, fault: Exception) -> None:
    if isinstance(fault, Retry):
        log.warning("account %s: its session: %s", account, fault.reason)
    elif not isinstance(fault, AccountFault):
        log.error("account %s: its session: %s", account, fault_location(fault))
