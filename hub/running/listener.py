"""The ports that a process answers on: the public one, and one for operators where `SATUPINTU_INSIDE` is set."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from hub.clock import Clock
from hub.opening import OpenHub
from hub.running.health import ingress_readiness, stage_readiness
from hub.running.metrics import Metrics
from hub.running.status import ProcessStatus
from hub.settings import Settings, UsageError

if TYPE_CHECKING:
    from hub.web.asgi import ASGIApp

BACKLOG = 2048


def bind_socket(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens at that host and port. Raises UsageError where that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {host}:{port} ({error.strerror}): {_advice(error, host, port, setting)}"
        ) from None
    return listener


def _advice(error: OSError, host: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"stop what uses it, or choose another with --{setting} {host}:{port + 1}"
    if error.errno == errno.EACCES:
        return f"only root may take ports below 1024: use --{setting} {host}:8080, and a proxy before it"
    return f"it is no address of this machine: use one that `ip address` shows, or --{setting} 127.0.0.1:{port}"


@asynccontextmanager
async def serve_http(
    settings: Settings,
    opened: OpenHub,
    status: ProcessStatus,
    *,
    ingress: bool,
    sockets: tuple[socket.socket | None, socket.socket | None],
    stop: asyncio.Event,
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Answers on the public socket and on the one inside, where there are such, until `stop`; the tasks that do."""
    public, inside = sockets
    if public is None and inside is None:
        yield []
        return
    from hub.web.server_config import raise_descriptor_limit

    raise_descriptor_limit()
    answered: Counter[tuple[str, int]] = Counter()
    operators = _operators(settings, opened, status, answered, ingress=ingress)
    async with AsyncExitStack() as stack:
        tasks = []
        if public is not None:
            app = _public(settings, opened, answered, None if inside else operators) if ingress else operators
            tasks.append(await stack.enter_async_context(_server(app, settings, public, stop)))
        if inside is not None:
            tasks.append(await stack.enter_async_context(_server(operators, settings, inside, stop)))
        yield tasks


@asynccontextmanager
async def _server(
    app: ASGIApp, settings: Settings, listener: socket.socket, stop: asyncio.Event
) -> AsyncIterator[asyncio.Task[None]]:
    import uvicorn

    from hub.web.server_config import server_config

    server = uvicorn.Server(server_config(app, settings.limits, settings.proxies))
    # left to itself it raises the signal again once it is done, and nothing else is closed
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    closing = asyncio.create_task(_close(server, stop))
    try:
        yield running
    finally:
        server.should_exit = True
        closing.cancel()
        await asyncio.gather(running, closing, return_exceptions=True)


def _public(settings: Settings, opened: OpenHub, answered: Counter[tuple[str, int]], inside: ASGIApp | None) -> ASGIApp:
    from hub.web import WebParts, build_app

    publish, clock = opened.transport.intake.publish, Clock(settings.data / "clock")
    return build_app(
        WebParts(opened=opened, settings=settings, publish=publish, clock=clock, answered=answered), inside
    )


def _operators(
    settings: Settings, opened: OpenHub, status: ProcessStatus, answered: Counter[tuple[str, int]], *, ingress: bool
) -> ASGIApp:
    from hub.web.health import build_inside

    metrics = Metrics(opened, status, answered, data=settings.data)
    return build_inside(
        data=settings.data,
        pools=opened.outside.pools,
        readiness=ingress_readiness(opened) if ingress else stage_readiness(opened, status),
        metrics=metrics.text,
    )


async def _close(server: object, stop: asyncio.Event) -> None:
    """At once, and not only when everything else has ended."""
    await stop.wait()
    server.should_exit = True  # type: ignore[attr-defined]
