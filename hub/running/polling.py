"""Polls: ask the provider what is new, store it, move the cursor. In this order a crash repeats, and never skips."""

from __future__ import annotations

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
    cursor = intake.cursor = await backend(load_cursor, account)
    await backend.timing.sleep(await _first_wait(channel, backend))
    while True:
        intake.require_lease()
        try:
            polled = await channel.poll(cursor, outbound)
            await intake(polled.requests, cursor if polled.cursor is None else polled.cursor)
        except LeaseLost:
            raise
        except Exception as fault:
            _log(account, fault)
            await backend.timing.sleep(health.failed(account, "poll", fault))
            continue
        health.worked(account, "poll")
        cursor = cursor if polled.cursor is None else polled.cursor
        if not polled.more:
            await backend.timing.sleep(channel.poll_every)


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
