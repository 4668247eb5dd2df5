"""A hub with the whole road at work behind its door, in a folder of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.running.serve import WORK, working
from hub.settings import Settings, load
from hub.web import make_asgi
from hub.wiring import Hub, open_hub
from tests.web.asgi import Heard, call

KEY = "kunci-api-untuk-uji"
CHANNELS = f"""
[web]
kind = "web"
owner = "32.73"
rate = 20
api_keys = ["{KEY}"]

[web-kedua]
kind = "web"
owner = "32.77"
api_keys = ["kunci-kedua"]
"""


@dataclass
class House:
    hub: Hub
    app: Any

    async def call(self, method: str, path: str, *args: Any, **more: Any) -> Heard:
        return await call(self.app, method, path, *args, **more)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(CHANNELS)
    return load({"data": str(tmp_path), "bus": "memory://"}, {})


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    """Everything at work."""
    async with open_hub(settings) as hub, working(hub, WORK):
        yield House(hub, make_asgi(hub))


@pytest.fixture
async def quiet(settings: Settings) -> AsyncIterator[House]:
    """Doors open, nobody at work: what is filed stays on the road."""
    async with open_hub(settings) as hub:
        yield House(hub, make_asgi(hub))
