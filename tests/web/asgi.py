"""A caller of ASGI applications, without a socket: the client's address and a broken connection can be chosen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Response:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    parts_left: int = 0
    """Of the request's body, how many parts were not read."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


async def call(
    app: Any,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] = b"",
    headers: dict[str, str] | None = None,
    client: str = "203.0.113.7",
    breaks: bool = False,
    hangs: bool = False,
    pause: float = 0.0,
) -> Response:
    """One request. A body of parts comes part by part; with `breaks` the caller leaves after them, with `hangs` it
    stays and sends nothing more. `pause`: seconds before each part."""
    path, _, query = path.partition("?")
    parts = [body] if isinstance(body, bytes) else list(body)
    messages = [{"type": "http.request", "body": p, "more_body": True} for p in parts]
    if not (breaks or hangs):
        messages[-1]["more_body"] = False
    response = Response()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        if hangs and not messages:
            await asyncio.Event().wait()
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            response.status = message["status"]
            response.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            response.body += message.get("body", b"")

    sent = {"host": "hub.test", **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in sent.items()],
        "client": (client, 40000), "server": ("hub.test", 80), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    response.parts_left = len(messages)
    return response
