"""`/healthz`: alive. `/readyz`: can durably accept; a stopped stage never closes a door. `/metrics`."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.web.asgi import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from hub.running.pools import Pools

READY = ("ok", "spooling")
FREE_BYTES = 64 * 1024 * 1024
"""Must be free on the disk of the data folder."""
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
_log = logging.getLogger(__name__)


def build_inside(
    *,
    data: Path,
    pools: Pools,
    readiness: Callable[[], Awaitable[Mapping[str, object]]],
    metrics: Callable[[], Awaitable[bytes]],
) -> ASGIApp:
    """The application for operators. `readiness` says `ok` or what is wrong, by part; a part may have parts."""

    async def readyz(request: Request) -> Response:
        found = {**await readiness(), "disk": await pools.io(_disk, data)}
        ready = _is_ok(found)
        headers = {} if ready else {"Retry-After": "5"}
        return JSONResponse({"ready": ready, **found}, 200 if ready else 503, headers)

    async def scrape(request: Request) -> Response:
        return Response(await metrics(), media_type=EXPOSITION)

    routes = [Route("/healthz", _alive), Route("/readyz", readyz), Route("/metrics", scrape)]
    return Starlette(routes=routes)


def _is_ok(found: object) -> bool:
    return all(map(_is_ok, found.values())) if isinstance(found, Mapping) else found in READY


async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
    """`/healthz` alone, for a public port whose operators ask elsewhere."""
    await PlainTextResponse("ok\n")(scope, receive, send)


async def _alive(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _disk(data: Path) -> str:
    try:
        if shutil.disk_usage(data).free < FREE_BYTES:
            return "full"
        with tempfile.TemporaryFile(dir=data / "blobs") as file:
            file.write(b"ready?")
    except OSError as error:
        _log.warning("not ready: the blobs folder says %s", error.__class__.__name__)
        return "not writable"
    return "ok"
