"""Running it: the ingress and the stages, until it is stopped.

A stopped stage never closes the ingress: what comes in is durable, and is worked on when the stage is back.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from bus import StageStopped, fault_location
from hub.opening import OpenHub, open_hub
from hub.running.listener import bind_socket, serve_http
from hub.running.pipeline import RunningWork, build_work
from hub.running.status import ProcessStatus
from hub.running.workers import has_parent, report_to_parent, worker_processes
from hub.settings import Settings
from hub.stages import STAGES, WORK

__all__ = ["STAGES", "WORK", "run_stages", "serve", "worker_processes"]

log = logging.getLogger(__name__)


@asynccontextmanager
async def run_stages(
    settings: Settings, opened: OpenHub, status: ProcessStatus, names: Collection[str]
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """The named stages at work while the context lasts; they finish the batch in hand before it ends."""
    work = build_work(settings, opened, status, names)
    status.here.update((item.name, item.status) for item in work)
    tasks = [asyncio.create_task(run_reported(item), name=item.name) for item in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve(
    settings: Settings, names: Collection[str], workers: int = 0, stop: asyncio.Event | None = None
) -> None:
    """Run the named stages here, and `workers` processes beside with all stages but the ingress; until `stop`.

    A stage that stopped itself stays so, and those beside it go on; where nothing can query this process (no port, no
    parent) it ends with `StageStopped` instead. Any other end of a stage ends a process without an ingress, so that it
    is started again. Raises UsageError where the port is taken.
    """
    stop, status = stop or asyncio.Event(), ProcessStatus()
    if has_parent():
        report_to_parent(status)
    ingress = "door" in names
    listener = bind_socket(settings.host, settings.port, "listen") if ingress or settings.listens else None
    inside = bind_socket(*settings.inside, "inside") if settings.inside and not has_parent() else None
    async with (
        open_hub(settings, ingress=ingress) as opened,
        serve_http(settings, opened, status, ingress=ingress, sockets=(listener, inside), stop=stop) as servers,
        run_stages(settings, opened, status, names) as tasks,
        worker_processes(settings, WORK, workers, status.workers),
    ):
        _announce(settings, status, ingress=ingress)
        queried = listener is not None or inside is not None or has_parent()
        await _until(stop, servers, () if ingress else tasks, patient=queried)


async def run_reported(work: RunningWork) -> None:
    """Run it, and put down why it ended. Raises what ended it; RuntimeError where something that it uses was cancelled
    and it was not."""
    us = asyncio.current_task()
    try:
        await work.run()
    except (Exception, asyncio.CancelledError) as error:
        cancelled = isinstance(error, asyncio.CancelledError)
        if cancelled and us and us.cancelling():
            raise
        why = str(error) if isinstance(error, StageStopped) else fault_location(error)
        work.status.stopped = why
        log.critical(
            "stage %s stopped (%s); what comes in is stored, and waits: see `satupintu dead list`, mend the cause, "
            "start again",
            work.name, why,
        )  # fmt: skip
        if cancelled:
            raise RuntimeError(f"{work.name} was cancelled by what it uses") from error
        raise


def _announce(settings: Settings, status: ProcessStatus, *, ingress: bool) -> None:
    if ingress:
        # the socket listens already, so a request that comes now only waits for the loop
        print(f"Satu Pintu: {settings.url}/  (Ctrl-C stops)", file=sys.stderr, flush=True)  # noqa: T201 - words for people
    elif not has_parent():  # a parent logs it
        log.info("at work: %s", ", ".join(status.here))


async def _until(
    stop: asyncio.Event,
    servers: Collection[asyncio.Task[None]],
    tasks: Collection[asyncio.Task[None]],
    *,
    patient: bool,
) -> None:
    """Until `stop`, or a server or a stage fails. `patient`: a stage that stopped itself is shown, and ends nothing."""
    stopping = asyncio.create_task(stop.wait())
    running, ends = set(tasks), {stopping, *servers}
    try:
        while True:
            done, _ = await asyncio.wait({*ends, *running}, return_when=asyncio.FIRST_COMPLETED)
            if done & ends:
                return
            running -= done
            for task in done:
                if not (patient and isinstance(task.exception(), StageStopped)):
                    task.result()
    finally:
        stopping.cancel()
