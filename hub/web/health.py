"""`/healthz`: alive. `/readyz`: can durably accept; a stopped stage never closes a door. `/metrics`."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.running.health import EXPOSITION, answers
from hub.running.metrics import Metrics

if TYPE_CHECKING:
    from hub.wiring import Hub

ROOM = 64 * 1024 * 1024
"""Bytes that must be free on the disk."""
_log = logging.getLogger(__name__)


def health(hub: Hub, metrics: Metrics) -> list[Route]:
    """The three routes."""

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        found = {"bus": await answers("bus", _bus(hub)), "disk": await hub.running.pools.disk(_disk, hub.settings.data)}
        ready = all(state == "ok" for state in found.values())
        body = msgspec.json.encode({"ready": ready, **found})
        headers = {} if ready else {"Retry-After": "5"}
        return Response(body, 200 if ready else 503, headers, media_type="application/json")

    async def scrape(request: Request) -> Response:
        return Response(await metrics.text(), media_type=EXPOSITION)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scrape)]


async def _bus(hub: Hub) -> None:
    """Goes the way of every publish, with nothing to publish. Behind a spool the bus itself may be away."""
    await hub.intake.publish([])
    if hub.intake is hub.bus:
        await hub.bus.lag()


def _disk(data: Path) -> str:
    try:
        if shutil.disk_usage(data).free < ROOM:
            return "full"
        with tempfile.TemporaryFile(dir=data / "blobs") as file:
            file.write(b"ready?")
    except OSError as error:
        _log.warning("not ready: the blobs folder says %s", error.__class__.__name__)
        return "not writable"
    return "ok"
