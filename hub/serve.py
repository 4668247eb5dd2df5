"""Running it: the web door and the stages, until somebody says stop.

A stopped stage never closes a door: what comes in is durable, and is worked on when the stage is back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from bus import Stopped, pump
from hub.discreet import place_of
from hub.settings import PREFIX, Settings, WrongCall
from hub.wiring import Hub, Loop, open_hub
from schemas import Retry

log = logging.getLogger(__name__)

WORK = ("reader", "matcher", "router", "sink", "speakers")
STAGES = ("door", *WORK)
PARENT = "_SATUPINTU_PARENT"
"""In the environment of a child: the process that it belongs to."""


class Work(NamedTuple):
    """A pump or a loop, by name; it runs until it is cancelled."""

    name: str
    run: Callable[[], Awaitable[None]]


def work_of(hub: Hub, names: Collection[str]) -> list[Work]:
    """Every pump and loop of the named stages."""
    pumps = [Work(s.name, partial(pump, hub.bus, s)) for n, of in hub.stages.items() if n in names for s in of]
    return pumps + [Work(x.name, partial(repeat, x)) for n, of in hub.loops.items() if n in names for x in of]


@asynccontextmanager
async def working(hub: Hub, names: Collection[str]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """The named stages at work while the context lasts; what they hold in hand is finished before it ends."""
    tasks = [asyncio.create_task(_reported(work), name=work.name) for work in work_of(hub, names)]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve(settings: Settings, names: Collection[str], workers: int = 0) -> None:
    """Run the named stages here, and `workers` processes beside with all stages but the door; until SIGTERM or SIGINT.

    Raises WrongCall where the port is taken, and the stage's own error where one that runs without a door gave up.
    """
    listener = _bind(settings) if "door" in names else None
    async with open_hub(settings) as hub, working(hub, names) as tasks, children(settings, WORK, workers):
        if listener:
            await _listen(hub, listener)
        else:
            await _until_told(tasks)


async def repeat(loop: Loop) -> None:
    """Step while there is work; else look again when woken, or after a while."""
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
            try:
                await asyncio.wait_for(loop.wake.wait(), loop.every)
            except TimeoutError:
                continue


async def _reported(work: Work) -> None:
    try:
        await work.run()
    except Exception as error:
        why = str(error) if isinstance(error, Stopped) else place_of(error)
        log.critical("stage %s stopped (%s); what comes in is kept, and waits until it runs again", work.name, why)
        raise


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise WrongCall(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            f"stop what uses it, or choose another with --listen {settings.host}:{settings.port + 1}"
        ) from None
    return listener


async def _listen(hub: Hub, listener: socket.socket) -> None:
    """Answer on the socket until a signal comes."""
    import uvicorn

    from hub.web import make_asgi

    config = uvicorn.Config(
        make_asgi(hub), lifespan="off", ws="none", http="httptools",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=5, backlog=2048,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # left to itself it raises the signal again once it is done, and nothing else is closed
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    _when_told(lambda: setattr(server, "should_exit", True))
    # the socket listens already, so whoever comes now only waits for the loop
    print(f"Satu Pintu: {hub.settings.url}/  (Ctrl-C stops)", file=sys.stderr, flush=True)  # noqa: T201 - words for people
    await server.serve(sockets=[listener])


async def _until_told(tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait for a signal; a stage that gives up ends the wait with its error."""
    told = asyncio.Event()
    _when_told(told.set)
    waiting = asyncio.create_task(told.wait() if PARENT not in os.environ else _orphaned(told))
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        task.result()


async def _orphaned(told: asyncio.Event) -> None:
    """Until told, or until whoever started us is gone without a word."""
    while not told.is_set() and os.getppid() == int(os.environ[PARENT]):
        try:
            await asyncio.wait_for(told.wait(), 1.0)
        except TimeoutError:
            continue


def _when_told(stop: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


@asynccontextmanager
async def children(settings: Settings, names: Collection[str], workers: int) -> AsyncIterator[None]:
    """So many processes more with the named stages; one that dies is started again."""
    keepers = [asyncio.create_task(_child(settings, names)) for _ in range(workers)]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _child(settings: Settings, names: Collection[str]) -> None:
    pause = 0.5
    while True:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "run", *names,
            env={**os.environ, **_told(settings), PARENT: str(os.getpid())},
            start_new_session=True,  # a terminal's Ctrl-C is for us; we tell the child
        )  # fmt: skip
        try:
            code = await child.wait()
        except asyncio.CancelledError:
            child.terminate()
            await child.wait()
            raise
        log.error("a worker ended with %s; another is started in %s s", code, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 30.0)


def _told(settings: Settings) -> Mapping[str, str]:
    """The settings as environment, so that a child hears the same whatever the flags said."""
    return {
        PREFIX + "DATA": str(settings.data),
        PREFIX + "BUS": settings.bus,
        PREFIX + "RECORD": settings.record,
        PREFIX + "CHANNELS": str(settings.channels),
        PREFIX + "KEYS": str(settings.keys),
        PREFIX + "ZONE": settings.zone.key,
        PREFIX + "LISTEN": f"{settings.host}:{settings.port}",
        PREFIX + "PARTITIONS": str(settings.partitions),
        PREFIX + "RETENTION": str(settings.retention / timedelta(days=1)),
        PREFIX + "SPOOL_LIMIT": str(settings.spool_limit / 2**20),
        PREFIX + "GUARD_RUN": str(settings.guard_run),
        PREFIX + "GUARD_SHARE": str(settings.guard_share),
    }
