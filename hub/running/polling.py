"""Polls: ask the provider what is new, store it, move the cursor. In this order a crash repeats, and never skips."""

from __future__ import annotations

import asyncio
import logging

from bus import fault_location
from connectors import LeaseLost, Polls, ProviderConnections
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.taking_in import AccountIntake
from schemas import AccountFault, Retry
from sink.account_states import list_account_states
from sink.cursors import load_cursor

log = logging.getLogger(__name__)


async def poll_forever(
    channel: Polls, intake: AccountIntake, outbound: ProviderConnections, backend: Backend, health: AccountHealth
) -> None:
    """Until cancelled. Raises LeaseLost, and Retry at the beginning; later faults cause a pause."""
    account = channel.account
    intake.cursor = await backend(load_cursor, account)
    await backend.timing.sleep(await _first_wait(channel, backend))
    async with channel.new_items(outbound) as wake:
        while True:
            intake.require_lease()
            try:
                polled = await channel.poll(intake.cursor, outbound)
                await intake(polled.requests, intake.cursor if polled.cursor is None else polled.cursor)
            except LeaseLost:
                raise
            except Exception as fault:
                _log(account, fault)
                await backend.timing.sleep(health.failed(account, "poll", fault))
                continue
            health.worked(account, "poll")
            if not polled.more:
                await _until_next(channel.poll_every, wake, backend)


async def _until_next(seconds: float, wake: asyncio.Event | None, backend: Backend) -> None:
    if wake is None:
        await backend.timing.sleep(seconds)
        return
    waiting = [asyncio.ensure_future(one) for one in (wake.wait(), backend.timing.sleep(seconds))]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
    wake.clear()


async def _first_wait(channel: Polls, backend: Backend) -> float:
    """Seconds: the holder before us may have polled a moment ago, and polls may cost money."""
    state = (await backend(list_account_states)).get(channel.account)
    if state is None or state.cursor_at is None:
        return 0.0
    since = (backend.timing.now() - state.cursor_at).total_seconds()
    return max(0.0, channel.poll_every - max(since, 0.0))


def _log(account: str, fault: Exception) -> None:
    if isinstance(fault, Retry):
        log.warning("account %s: a poll failed: %s", account, fault.reason)
    elif not isinstance(fault, AccountFault):
        log.error("account %s: a poll failed: %s", account, fault_location(fault))
