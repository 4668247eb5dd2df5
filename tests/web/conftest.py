"""A hub with the whole pipeline behind its web, in a folder of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.asgi import Response, call

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from hub.running.status import ProcessStatus
    from hub.settings import Settings

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


class Site:
    """The web, and the hub behind it. `publish` may be replaced, as by a log that cannot be written."""

    def __init__(self, settings: Settings, opened: OpenHub, status: ProcessStatus | None = None) -> None:
        from tests.web.building import app_of

        self.settings = settings
        self.opened = opened
        self.publish: Any = opened.transport.intake.publish
        self.app = app_of(settings, opened, lambda raws: self.publish(raws), status)

    async def call(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        return await call(self.app, method, path, *args, **more)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Rate limits stand still, so that a slow machine refills none."""
    from hub.settings import load_settings
    from hub.web.access_proof import AccessProof
    from hub.web.limits import RateLimiter

    monkeypatch.setattr("hub.web.app.RateLimiter", partial(RateLimiter, monotonic=lambda: 0.0))
    monkeypatch.setattr("hub.web.app.AccessProof", partial(AccessProof, monotonic=lambda: 0.0))

    (tmp_path / "channels.toml").write_text(CHANNELS)
    return load_settings({"data": str(tmp_path), "bus": "memory://", "public_url": "https://lapor.test"}, {})


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    """Everything at work."""
    from hub.opening import open_hub
    from hub.running.serve import WORK, run_stages
    from hub.running.status import ProcessStatus

    status = ProcessStatus()
    async with open_hub(settings) as opened, run_stages(settings, opened, status, WORK):
        yield Site(settings, opened, status)


@pytest.fixture
async def quiet(settings: Settings) -> AsyncIterator[Site]:
    """No stage at work: what is filed stays in flight."""
    from hub.opening import open_hub

    async with open_hub(settings) as opened:
        yield Site(settings, opened)
