"""The end of a process: SIGTERM and SIGINT ask for it, and nothing that hangs delays it for long."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from contextlib import suppress

WITHIN = 9.5
"""Seconds from the first signal until the process ends, also with work in hand: that is uncommitted, and done
again by the next. Supervisors may count on ten."""
log = logging.getLogger(__name__)


def stop_on_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; a second signal changes nothing. Call it once, in the main thread."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)

    def on_signal(*_: object) -> None:
        # no lock is taken here: the main thread may hold it at this moment
        with suppress(BlockingIOError):
            os.write(write_end, b".")
        with suppress(RuntimeError):  # the loop is closed: the process is nearly gone
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=_end_in_time, args=(read_end,), name="shutdown", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop


def _end_in_time(read_end: int) -> None:
    os.read(read_end, 1)
    time.sleep(WITHIN)
    log.warning("ended with work in hand: it is not committed, and will be done again")
    os._exit(0)
