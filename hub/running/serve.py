"""Running it: the web door and the stages, until somebody says stop.

A stopped stage never closes a door: what comes in is durable, and is worked on when the stage is back.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NamedTuple

from bus import Stopped, place_of, pump
from hub.running.status import AtWork, Doing
from hub.running.listener import answering, bound
from hub.settings import Settings
from hub.wiring import Hub, Loop, open_hub
from hub.running.workers import children, has_parent, tell_parent
from schemas import Retry

__all__ = ["STAGES", "WORK", "children", "repeat", "serve", "work_of", "working"]

log = logging.getLogger(__name__)

WORK = ("reader", "matcher", "router", "sink", "speakers")
STAGES = ("door", *WORK)


class Work(NamedTuple):
    """A pump or a loop, by name; it runs until it is cancelled."""

    name: str
    run: Callable[[], Awaitable[None]]
    doing: Doing


def work_of(hub: Hub, names: Collection[str]) -> list[Work]:
    """Every pump and loop of the named stages."""
    stages = [s for n, of in hub.stages.items() if n in names for s in of]
    loops = [x for n, of in hub.loops.items() if n in names for x in of]
    pumps = [Work(s.name, partial(pump, hub.bus, s), Doing(s.counts)) for s in stages]
    return pumps + [Work(x.name, partial(repeat, x), Doing()) for x in loops]


@asynccontextmanager
async def working(hub: Hub, names: Collection[str]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """The named stages at work while the context lasts; what they hold in hand is finished before it ends."""
    todo = work_of(hub, names)
    hub.running.status.here.update((work.name, work.doing) for work in todo)
    tasks = [asyncio.create_task(_reported(work), name=work.name) for work in todo]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve(
    settings: Settings, names: Collection[str], workers: int = 0, told: asyncio.Event | None = None
) -> None:
    """Run the named stages here, and `workers` processes beside with all stages but the door; until `told`.

    A stage that its guard stopped stays so, and those beside it go on; where nobody can ask us (no port, no parent)
    this ends with `Stopped` instead. Whatever else ends a stage ends a process without a door, to be started again.
    Raises WrongCall where the port is taken.
    """
    told = told or asyncio.Event()
    at_work = AtWork()
    if has_parent():
        tell_parent(at_work)
    listener = bound(settings) if "door" in names or settings.listens else None
    async with (
        open_hub(settings, at_work, door="door" in names) as hub,
        answering(hub, names, listener, told) as server,
        working(hub, names) as tasks,
        children(settings, WORK, workers, at_work.workers),
    ):
        _announce(hub, names)
        asked = listener is not None or has_parent()
        await _until(told, server, () if "door" in names else tasks, patient=asked)


async def repeat(loop: Loop) -> None:
    """Step while there is work, at its pace; else look again when woken, or after a while."""
    while True:
        loop.wake.clear()
        try:
            done = await loop.step()
        except Retry as error:
            log.warning("%s: %s; trying again", loop.name, error.reason)
            done = 0
        except Exception as error:  # one bad row shall not end the work on all others
            log.error("%s: %s; trying again", loop.name, place_of(error))
            done = 0
        if not done:
            with suppress(TimeoutError):
                await asyncio.wait_for(loop.wake.wait(), loop.every)
        await asyncio.sleep(loop.pace)


async def _reported(work: Work) -> None:
    """Raises what ended it; RuntimeError where what it uses was cancelled, and nobody told it to stop."""
    us = asyncio.current_task()
    try:
        await work.run()
    except (Exception, asyncio.CancelledError) as error:
        cancelled = isinstance(error, asyncio.CancelledError)
        if cancelled and us and us.cancelling():
            raise
        why = str(error) if isinstance(error, Stopped) else place_of(error)
        work.doing.stopped = why
        log.critical(
            "stage %s stopped (%s); what comes in is kept, and waits. Look at `satupintu dead list`, mend the cause, "
            "start again",
            work.name, why,
        )  # fmt: skip
        if cancelled:
            raise RuntimeError(f"{work.name} was cancelled by what it uses") from error
        raise


def _announce(hub: Hub, names: Collection[str]) -> None:
    if "door" in names:
        # the socket listens already, so whoever comes now only waits for the loop
        print(f"Satu Pintu: {hub.settings.url}/  (Ctrl-C stops)", file=sys.stderr, flush=True)  # noqa: T201 - words for people
    elif not has_parent():  # which says so itself
        log.info("at work: %s", ", ".join(hub.running.status.here))


async def _until(
    told: asyncio.Event, server: Collection[asyncio.Task[None]], tasks: Collection[asyncio.Task[None]], *, patient: bool
) -> None:
    """Until told, or the door or a stage fails. `patient`: one that its guard stopped is shown, and ends nothing."""
    waiting = asyncio.create_task(told.wait())
    left, ends = set(tasks), {waiting, *server}
    try:
        while True:
            done, _ = await asyncio.wait({*ends, *left}, return_when=asyncio.FIRST_COMPLETED)
            if done & ends:
                return
            left -= done
            for task in done:
                if not (patient and isinstance(task.exception(), Stopped)):
                    task.result()
    finally:
        waiting.cancel()
