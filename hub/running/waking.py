"""Waiting that something else can cut short."""

from __future__ import annotations

import asyncio


async def wait_for_event(event: asyncio.Event, within: float) -> None:
    """Returns once the event is set, or so many seconds are over."""
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        pass
