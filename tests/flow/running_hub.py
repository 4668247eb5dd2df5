"""A whole hub inside the test: a real ingress on a real socket, real stages, fake providers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import requests

from hub.ledger import read_ledger
from hub.opening import OpenHub, open_hub
from hub.running.listener import bind_socket, serve_http
from hub.running.serve import WORK, run_stages
from hub.running.status import ProcessStatus
from hub.settings import Settings, load_settings
from hub.stages import TABLE
from sink.export import export
from sink.outbox_queries import list_replies
from tests.fakes.graph import Graph
from tests.fakes.kannel import Kannel
from tests.flow.account_processes import until
from tests.programs import API_KEY, SMS_TOKEN, channels, signed, whatsapp_body
from tests.services.ports import free_port


class RunningHub:
    """Send requests to it, query its record, see what the providers got."""

    def __init__(
        self, settings: Settings, opened: OpenHub, status: ProcessStatus, graph: Graph, kannel: Kannel
    ) -> None:
        self.settings, self.opened, self.status = settings, opened, status
        self.graph, self.kannel = graph, kannel
        self.bus, self.record = opened.transport.bus, opened.storage.record

    async def io(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.opened.outside.pools.io(call, *args, **kwargs)

    async def request(self, method: str, path: str, **more: Any) -> requests.Response:
        return await asyncio.to_thread(requests.request, method, self.settings.url + path, timeout=20, **more)

    async def whatsapp(self, native: str, phone: str, text: str) -> requests.Response:
        return await self.webhook(whatsapp_body(native, phone, text))

    async def webhook(self, body: bytes) -> requests.Response:
        return await self.request("POST", "/in/whatsapp", data=body, headers=signed(body))

    async def sms(self, phone: str, text: str, **more: str) -> requests.Response:
        query = {"token": SMS_TOKEN, "from": phone, "to": "1708", "text": text, **more}
        return await self.request("GET", "/in/sms", params=query)

    async def report(self, fields: dict[str, Any], **headers: str) -> requests.Response:
        known = {"Authorization": f"Bearer {API_KEY}", **headers}
        return await self.request("POST", "/api/v1/reports", json=fields, headers=known)

    async def ledger(self) -> dict[str, int]:
        return (await read_ledger(self.record, self.bus, self.opened.outside.pools))["all"]

    async def settled(self, within: float = 30.0) -> dict[str, int]:
        """The ledger, once nothing is in flight."""
        return await self.until(self._settled, "the pipeline to be empty", within)

    async def _settled(self) -> dict[str, int] | None:
        behind = any(lag.behind for lag in await self.bus.lag())
        ledger = await self.ledger()
        return ledger if not behind and not ledger["in_flight"] and not ledger["lost"] else None

    async def has_groups(self, groups: Collection[str]) -> bool:
        """Until then a lag of nothing does not mean that nothing waits."""
        return {lag.group for lag in await self.bus.lag()} >= set(groups)

    async def complaints(self) -> list[dict[str, Any]]:
        await self.settled()
        rows = await self.io(lambda: list(export(self.record, None)))
        return [json.loads(json.dumps(row, default=str)) for row in rows]

    async def replies(self, **which: Any) -> list[Any]:
        return await self.io(list_replies, self.record, **which)

    async def until(self, done: Callable[[], Any], what: str, within: float = 30.0) -> Any:
        return await until(done, what, within)


@asynccontextmanager
async def running_hub(
    folder: Path, bus: str, record: str | None = None, names: Collection[str] = WORK
) -> AsyncIterator[RunningHub]:
    """A hub on that bus and record (URLs), with the named stages, answering on a free port."""
    folder.mkdir(parents=True, exist_ok=True)
    with Graph("tests-access") as graph, Kannel("u", "p") as kannel:
        (folder / "channels.toml").write_text(channels(kannel.send_url, graph.graph_url))
        settings = load_settings(
            {"data": str(folder), "listen": f"127.0.0.1:{free_port()}", "bus": bus, "record": record}, {}
        )
        status, stop = ProcessStatus(), asyncio.Event()
        sockets = bind_socket(settings.host, settings.port, "listen"), None
        async with (
            open_hub(settings, ingress=True) as opened,
            serve_http(settings, opened, status, ingress=True, sockets=sockets, stop=stop),
            run_stages(settings, opened, status, names),
        ):
            hub = RunningHub(settings, opened, status, graph, kannel)
            groups = {row.name for row in TABLE if row.run in names}
            await hub.until(lambda: hub.has_groups(groups), "the consumer groups to be formed")
            yield hub
