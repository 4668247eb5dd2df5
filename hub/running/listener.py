"""The port that a process answers on: the doors and pages where it has a door, else how its stages fare."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, nullcontext

from hub.web.ingress import Receive, Scope, Send
from hub.settings import Settings, WrongCall
from hub.wiring import Hub


def bound(settings: Settings) -> socket.socket:
    """A socket that listens where we were told to. Raises WrongCall where that is taken."""
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


@asynccontextmanager
async def answering(
    hub: Hub, names: Collection[str], listener: socket.socket | None, told: asyncio.Event
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Answers on the socket, where there is one, until told or left: the task that does."""
    if listener is None:
        yield []
        return
    import uvicorn

    config = uvicorn.Config(
        _application(hub, names), lifespan="off", ws="none", http="httptools",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=5, backlog=2048,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # left to itself it raises the signal again once it is done, and nothing else is closed
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    watching = asyncio.create_task(_close(server, told))
    try:
        yield [serving]
    finally:
        server.should_exit = True
        watching.cancel()
        await asyncio.gather(serving, watching, return_exceptions=True)


def _application(hub: Hub, names: Collection[str]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    if "door" not in names:
        from hub.running.health import Health

        return Health(hub)
    from hub.web import make_asgi

    return make_asgi(hub)


async def _close(server: object, told: asyncio.Event) -> None:
    """At once, and not when everything else has left."""
    await told.wait()
    server.should_exit = True  # type: ignore[attr-defined]
