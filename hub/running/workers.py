"""Worker processes: started, restarted when they die, stopped with their parent.

Parent and worker hold the two ends of a socket. The worker sends its report on it every second; end of file tells each
of them that the other is gone.
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

from hub.running.status import ProcessReport, ProcessStatus
from hub.settings import DEFAULTS, PREFIX, Settings

SOCKET = "_SATUPINTU_PARENT"
"""In the environment of a worker: the number of its end."""
EVERY = 1.0
SHORTEST, LONGEST = 0.5, 30.0
"""The backoff, in seconds, before a dead worker is restarted: doubled each time, the shortest for one that lived
`LONG_LIFE`."""
LONG_LIFE = 60.0
_LINE = 2**20
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ProcessReport).decode


@asynccontextmanager
async def worker_processes(
    settings: Settings, names: Collection[str], workers: int, reports: MutableMapping[str, ProcessReport] | None = None
) -> AsyncIterator[None]:
    """So many worker processes with the named stages; one that dies is restarted. `reports` gets their reports."""
    newest = {} if reports is None else reports
    tasks = [asyncio.create_task(_supervise(settings, names, str(n), newest)) for n in range(1, workers + 1)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _supervise(
    settings: Settings, names: Collection[str], worker: str, reports: MutableMapping[str, ProcessReport]
) -> None:
    pause = SHORTEST
    while True:
        began = time.monotonic()
        try:
            code: int | str = await _run(settings, names, worker, reports)
        except OSError as error:  # no memory, no file descriptors: that may pass
            code = type(error).__name__
        if worker in reports:
            for stage in reports[worker].stages.values():
                stage.stopped = "its worker ended"
        if time.monotonic() - began > LONG_LIFE:
            pause = SHORTEST
        log.error("worker %s ended with %s; another is started in %s s", worker, code, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST)


async def _run(
    settings: Settings, names: Collection[str], worker: str, reports: MutableMapping[str, ProcessReport]
) -> int:
    """One worker's life; its exit code."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub", "run", *names,
                env=_environment(settings) | {SOCKET: str(theirs.fileno())}, pass_fds=[theirs.fileno()],
                start_new_session=True,  # a terminal's Ctrl-C goes to the parent, which stops its workers
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


async def _listen(ours: socket.socket, worker: str, pid: int, reports: MutableMapping[str, ProcessReport]) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_LINE)
    begun = False
    try:
        async for line in reader:
            report = reports[worker] = _decode(line)
            if report.stages and not begun:
                log.info("worker %s, process %d, at work: %s", worker, pid, ", ".join(report.stages))
                begun = True
    finally:
        writer.close()


def _environment(settings: Settings) -> dict[str, str]:
    """The parent's, with its settings, wherever they came from; without those about listening: workers do not."""
    names = {PREFIX + key.upper() for key in (*DEFAULTS, "config")}
    return {name: value for name, value in os.environ.items() if name not in names} | dict(_passed_on(settings))


def _passed_on(settings: Settings) -> Mapping[str, str]:
    return {
        PREFIX + "DATA": str(settings.data),
        PREFIX + "BUS": settings.bus,
        PREFIX + "RECORD": settings.record,
        PREFIX + "CHANNELS": str(settings.channels),
        PREFIX + "KEYS": str(settings.keys),
        PREFIX + "ZONE": settings.zone.key,
        PREFIX + "PUBLIC_URL": settings.public_url,
        PREFIX + "CLAMD": settings.clamd,
        PREFIX + "ARCHIVE_DAYS": str(settings.archive_days),
        PREFIX + "PARTITIONS": str(settings.partitions),
        PREFIX + "RETENTION": str(settings.retention / timedelta(days=1)),
        PREFIX + "SPOOL_LIMIT": str(settings.spool_limit / 2**20),
        PREFIX + "GUARD_RUN": str(settings.guard_run),
        PREFIX + "GUARD_SHARE": str(settings.guard_share),
    }


def has_parent() -> bool:
    """Is this process a worker?"""
    return SOCKET in os.environ


def report_to_parent(status: ProcessStatus) -> None:
    """In a worker: send a report every second, and stop as by SIGTERM when the parent is gone."""
    ours = socket.socket(fileno=int(os.environ[SOCKET]))
    threading.Thread(target=_report, args=(ours, status), name="parent", daemon=True).start()


def _report(ours: socket.socket, status: ProcessStatus) -> None:
    with ours, suppress(OSError):
        while not _closed(ours):
            ours.sendall(_encode(status.report()) + b"\n")
    os.kill(os.getpid(), signal.SIGTERM)


def _closed(ours: socket.socket) -> bool:
    """Has the parent closed its end? Answers within `EVERY` seconds."""
    return bool(select.select([ours], [], [], EVERY)[0])
