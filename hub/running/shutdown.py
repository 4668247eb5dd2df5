"""When to leave, and that one does: SIGTERM and SIGINT ask, and whatever hangs then holds the process no longer."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from contextlib import suppress

WITHIN = 9.5
"""Seconds from the first signal until the process is gone, come what may: what it held is uncommitted, and done again
by the next. Who starts it may count on ten."""
log = logging.getLogger(__name__)


def asked_to_leave() -> asyncio.Event:
    """Set by SIGTERM or SIGINT, the second of which changes nothing. Call it once, in the main thread."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    waits, rings = os.pipe()
    os.set_blocking(rings, False)

    def hear(*_: object) -> None:
        # no lock is taken here: the signal may have come while the main thread held it
        with suppress(BlockingIOError):
            os.write(rings, b".")
        with suppress(RuntimeError):  # the loop is closed: we are nearly gone
            loop.call_soon_threadsafe(told.set)

    threading.Thread(target=_see_off, args=(waits,), name="leaving", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    return told


def _see_off(waits: int) -> None:
    os.read(waits, 1)
    time.sleep(WITHIN)
    log.warning("left with work in hand: it is not committed, and will be done again")
    os._exit(0)
