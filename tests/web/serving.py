"""A hub at work on a real socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from hub.opening import open_hub
from hub.running.serve import WORK, run_stages
from hub.running.status import ProcessStatus
from hub.settings import load_settings
from hub.web.server_config import server_config
from tests.web.building import app_of


@contextmanager
def serving(folder: Path, channels: str) -> Iterator[str]:
    """Its address, while it answers."""
    (folder / "channels.toml").write_text(channels)
    servers: list[uvicorn.Server] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, listener, servers)))
        thread.start()
        while thread.is_alive() and not (servers and servers[0].started):
            thread.join(0.05)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for server in servers:
                server.should_exit = True
            thread.join()


async def _serve(folder: Path, listener: socket.socket, servers: list[uvicorn.Server]) -> None:
    settings, status = load_settings({"data": str(folder), "bus": "memory://"}, {}), ProcessStatus()
    async with open_hub(settings) as opened, run_stages(settings, opened, status, WORK):
        app = app_of(settings, opened, opened.transport.intake.publish, status)
        servers.append(uvicorn.Server(server_config(app, settings.limits, settings.proxies)))
        await servers[0].serve(sockets=[listener])
