"""Processes beside this one: started, started again when they die, asked to leave when we leave.

Parent and worker hold the two ends of a socket. The worker says on it every second how it fares; its end of file tells
the worker that the parent is gone, however that came, and the parent that the worker is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import msgspec

from hub.running.status import AtWork, Report
from hub.settings import DEFAULTS, PREFIX, Settings

SOCKET = "_SATUPINTU_PARENT"
"""In the environment of a worker: the number of its end."""
EVERY = 1.0
SHORTEST, LONGEST = 0.5, 30.0
"""Seconds before a dead worker is started again: doubled each time, and the shortest for one that lived a while."""
A_WHILE = 60.0
_LINE = 2**20
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Report).decode


@asynccontextmanager
async def children(
    settings: Settings, names: Collection[str], workers: int, reports: MutableMapping[str, Report] | None = None
) -> AsyncIterator[None]:
    """So many processes more with the named stages; one that dies is started again. `reports` is kept up to date."""
    kept = {} if reports is None else reports
    keepers = [asyncio.create_task(_keep(settings, names, str(n), kept)) for n in range(1, workers + 1)]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep(settings: Settings, names: Collection[str], worker: str, reports: MutableMapping[str, Report]) -> None:
    pause = SHORTEST
    while True:
        began = time.monotonic()
        try:
            code: int | str = await _live(settings, names, worker, reports)
        except OSError as error:  # no memory, no file descriptors: it may be otherwise in a while
            code = type(error).__name__
        if worker in reports:
            for doing in reports[worker].doing.values():
                doing.stopped = "its worker ended"
        if time.monotonic() - began > A_WHILE:
            pause = SHORTEST
        log.error("worker %s ended with %s; another is started in %s s", worker, code, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST)


async def _live(settings: Settings, names: Collection[str], worker: str, reports: MutableMapping[str, Report]) -> int:
    """One worker's life; its exit code."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub", "run", *names,
                env=_environment(settings) | {SOCKET: str(theirs.fileno())}, pass_fds=[theirs.fileno()],
                start_new_session=True,  # a terminal's Ctrl-C is for us; we tell the worker
            )  # fmt: skip
        listening = asyncio.create_task(_listen(ours, worker, process.pid, reports))
        try:
            return await process.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    finally:
        ours.close()


async def _listen(ours: socket.socket, worker: str, pid: int, reports: MutableMapping[str, Report]) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_LINE)
    begun = False
    try:
        async for line in reader:
            report = reports[worker] = _decode(line)
            if report.doing and not begun:
                log.info("worker %s, process %d, at work: %s", worker, pid, ", ".join(report.doing))
                begun = True
    finally:
        writer.close()


def _environment(settings: Settings) -> dict[str, str]:
    """Ours, with the settings as we have them, so that a worker hears the same whatever flags and file said. It is not
    told where to listen: that is ours."""
    names = {PREFIX + key.upper() for key in (*DEFAULTS, "config")}
    return {name: value for name, value in os.environ.items() if name not in names} | dict(_told(settings))


def _told(settings: Settings) -> Mapping[str, str]:
    return {
        PREFIX + "DATA": str(settings.data),
        PREFIX + "BUS": settings.bus,
        PREFIX + "RECORD": settings.record,
        PREFIX + "CHANNELS": str(settings.channels),
        PREFIX + "KEYS": str(settings.keys),
        PREFIX + "ZONE": settings.zone.key,
        PREFIX + "PARTITIONS": str(settings.partitions),
        PREFIX + "RETENTION": str(settings.retention / timedelta(days=1)),
        PREFIX + "SPOOL_LIMIT": str(settings.spool_limit / 2**20),
        PREFIX + "GUARD_RUN": str(settings.guard_run),
        PREFIX + "GUARD_SHARE": str(settings.guard_share),
    }


def has_parent() -> bool:
    """Is this process a worker?"""
    return SOCKET in os.environ


def tell_parent(at_work: AtWork) -> None:
    """In a worker: say every second how it fares, and leave as told by SIGTERM when nobody listens any more."""
    ours = socket.socket(fileno=int(os.environ[SOCKET]))
    threading.Thread(target=_tell, args=(ours, at_work), name="parent", daemon=True).start()


def _tell(ours: socket.socket, at_work: AtWork) -> None:
    with ours, suppress(OSError):
        while not _gone(ours):
            ours.sendall(_encode(at_work.report()) + b"\n")
    os.kill(os.getpid(), signal.SIGTERM)


def _gone(ours: socket.socket) -> bool:
    """Has the parent closed its end, a second from now at the latest?"""
    return bool(select.select([ours], [], [], EVERY)[0])
