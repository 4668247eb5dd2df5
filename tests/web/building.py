"""The web as a process with an ingress builds it, over a hub that is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from hub.clock import Clock
from hub.opening import OpenHub
from hub.running.health import ingress_readiness
from hub.running.metrics import Metrics
from hub.running.status import ProcessStatus
from hub.settings import Settings
from hub.web import WebParts, build_app
from hub.web.asgi import ASGIApp
from hub.web.health import build_inside
from hub.web.ingress import Publish


def app_of(
    settings: Settings, opened: OpenHub, publish: Publish, status: ProcessStatus | None = None,
    clock: Callable[[], datetime] | None = None,
) -> ASGIApp:  # fmt: skip
    """The application, with the pages for operators on the same port."""
    answered: Counter[tuple[str, int]] = Counter()
    inside = build_inside(
        data=settings.data,
        pools=opened.outside.pools,
        readiness=ingress_readiness(opened),
        metrics=Metrics(opened, status or ProcessStatus(), answered, data=settings.data).text,
    )
    parts = WebParts(opened=opened, settings=settings, publish=publish, clock=clock or Clock(), answered=answered)
    return build_app(parts, inside)
