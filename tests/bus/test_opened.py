"""What is opened for all who wait: who ends the opening does not end those who wait for it."""

from __future__ import annotations

import asyncio

import pytest

from bus._opened import Opened
from schemas import Retry


async def closing(what: object) -> None:
    pass


async def given_up() -> object:
    """As aiokafka's `close` does, called again after it was cut short: cancelled, though nobody cancelled us."""
    raise asyncio.CancelledError


async def test_an_opening_that_is_cancelled_inside_is_tried_again() -> None:
    opened = Opened(given_up, closing)
    for _ in range(2):
        with pytest.raises(Retry):
            await opened.get()


async def test_who_is_told_to_stop_stops() -> None:
    opened = Opened(lambda: asyncio.sleep(60, object()), closing)
    waiting = asyncio.create_task(opened.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await opened.close()
