"""A whole hub inside the test: real door on a real socket, real stages, fake providers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import requests
import uvicorn

from hub.ledger import look
from hub.running.serve import WORK, working
from hub.settings import load
from hub.web import make_asgi
from hub.wiring import Hub, open_hub
from sink import export
from tests.fakes.graph import Graph
from tests.fakes.kannel import Kannel
from tests.programs import API_KEY, SMS_TOKEN, channels, free_port, signed, whatsapp_body


class House:
    """What a test may do with the hub: knock, look at the record, see what the providers were told."""

    def __init__(self, hub: Hub, graph: Graph, kannel: Kannel) -> None:
        self.hub, self.graph, self.kannel = hub, graph, kannel
        self.url = hub.settings.url

    async def knock(self, method: str, path: str, **more: Any) -> requests.Response:
        return await asyncio.to_thread(requests.request, method, self.url + path, timeout=20, **more)

    async def whatsapp(self, native: str, phone: str, text: str) -> requests.Response:
        return await self.webhook(whatsapp_body(native, phone, text))

    async def webhook(self, body: bytes) -> requests.Response:
        return await self.knock("POST", "/in/whatsapp", data=body, headers=signed(body))

    async def sms(self, phone: str, text: str, **more: str) -> requests.Response:
        told = {"token": SMS_TOKEN, "from": phone, "to": "1708", "text": text, **more}
        return await self.knock("GET", "/in/sms", params=told)

    async def report(self, said: dict[str, Any], **headers: str) -> requests.Response:
        known = {"Authorization": f"Bearer {API_KEY}", **headers}
        return await self.knock("POST", "/api/v1/reports", json=said, headers=known)

    async def settled(self) -> dict[str, int]:
        """The ledger, once nothing is on the road and nothing is owed."""
        return await self.until(self._settled, "the road to be empty")

    async def _settled(self) -> dict[str, int] | None:
        lags = await self.hub.bus.lag()  # first: a look taken before it may be old
        behind = sum(lag.behind for lag in lags)
        groups = {stage.group for room in self.hub.stages.values() for stage in room}
        if not groups <= {lag.group for lag in lags}:  # a group that has yet to begin has everything behind it
            return None
        ledger = (await look(self.hub))["all"]
        return ledger if not behind and not ledger["on_the_road"] and not ledger["lost"] else None

    async def complaints(self) -> list[dict[str, Any]]:
        await self.settled()
        rows = await self.hub.running.pools.disk(lambda: list(export(self.hub.record, None)))
        return [json.loads(json.dumps(row, default=str)) for row in rows]

    async def until(self, done: Callable[[], Any], what: str, within: float = 30.0) -> Any:
        async with asyncio.timeout(within):
            while True:
                found = done()
                found = await found if asyncio.iscoroutine(found) else found
                if found:
                    return found
                await asyncio.sleep(0.02)
        raise AssertionError(what)


@asynccontextmanager
async def house(folder: Path, bus: str, record: str | None = None) -> AsyncIterator[House]:
    """A hub on that bus and record (URLs), answering on a free port."""
    folder.mkdir(parents=True, exist_ok=True)
    with Graph("tests-access") as graph, Kannel("u", "p") as kannel:
        (folder / "channels.toml").write_text(channels(kannel.send_url, graph.graph_url))
        settings = load({"data": str(folder), "listen": f"127.0.0.1:{free_port()}", "bus": bus, "record": record}, {})
        async with open_hub(settings, door=True) as hub, working(hub, WORK), _answering(hub):
            yield House(hub, graph, kannel)


@asynccontextmanager
async def _answering(hub: Hub) -> AsyncIterator[None]:
    config = uvicorn.Config(
        make_asgi(hub), host=hub.settings.host, port=hub.settings.port, log_config=None, lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # signals belong to pytest
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task
