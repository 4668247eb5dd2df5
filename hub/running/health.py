"""How a process without a door fares: `/healthz`, `/readyz`, `/metrics`, as bare ASGI.

`/readyz` is 200 while every pump and loop of this process runs and bus and record answer; else 503, and its JSON names
what is missing: `{"ready": false, "stages": {"reader": "ok"}, "bus": "ok", "record": "not answering"}`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import text

from hub.web.ingress import Receive, Scope, Send
from hub.running.metrics import of_stages

if TYPE_CHECKING:
    from hub.running.status import AtWork
    from hub.wiring import Hub
    from sink import Record

WITHIN = 3.0
"""Seconds for bus and record to answer."""
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
_log = logging.getLogger(__name__)


class _Said(NamedTuple):
    status: int
    body: bytes
    media_type: str = "text/plain; charset=utf-8"


class Health:
    """The three pages of a process without a door."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Stages(hub.running.status))
        ProcessCollector(registry=self._registry)
        self._pages = {"/healthz": self._alive, "/readyz": self._ready, "/metrics": self._figures}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"])
        said = await page() if page else _Said(404, b"only /healthz, /readyz and /metrics: this stage has no door\n")
        headers = [
            (b"content-type", said.media_type.encode("ascii")),
            (b"content-length", b"%d" % len(said.body)),
        ]
        await send({"type": "http.response.start", "status": said.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else said.body})

    async def _alive(self) -> _Said:
        return _Said(200, b"ok\n")

    async def _ready(self) -> _Said:
        stages = {name: doing.stopped or "ok" for name, doing in self._hub.at_work.here.items()}
        bus, record = await asyncio.gather(answers("bus", self._hub.bus.lag()), answers("record", self._record()))
        ready = all(state == "ok" for state in (*stages.values(), bus, record))
        body = msgspec.json.encode({"ready": ready, "stages": stages, "bus": bus, "record": record})
        return _Said(200 if ready else 503, body, "application/json")

    async def _record(self) -> None:
        await self._hub.threads.disk(_ask, self._hub.record)

    async def _figures(self) -> _Said:
        return _Said(200, generate_latest(self._registry), EXPOSITION)


async def answers(what: str, asked: Awaitable[object]) -> str:
    """`ok`, or `not answering`."""
    try:
        async with asyncio.timeout(WITHIN):
            await asked
    except Exception as error:  # whatever it is: it cannot be worked with
        _log.warning("not ready: the %s says %s", what, error.__class__.__name__)
        return "not answering"
    return "ok"


def _ask(record: Record) -> None:
    with record.read() as connection:
        connection.execute(text("SELECT 1"))


class _Stages(Collector):
    def __init__(self, at_work: AtWork) -> None:
        self._at_work = at_work

    def describe(self) -> list[Metric]:
        """Nothing is told ahead."""
        return []

    def collect(self) -> Iterator[Metric]:
        return of_stages(self._at_work)
