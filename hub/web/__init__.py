"""The web: `/in/ACCOUNT` is answered by the bare `Ingress`, everything else by pages and API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hub.web.asgi import INGRESS_PREFIX, ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from hub.settings import Settings
    from hub.web.ingress import Ingress, Publish

INSIDE = frozenset({"/healthz", "/readyz", "/metrics"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """What the public port is built from."""

    opened: OpenHub
    settings: Settings
    publish: Publish
    """Returns once the Raws are durable."""
    clock: Callable[[], datetime]
    answered: Counter[tuple[str, int]]
    """Answers by account and status."""


def build_app(parts: WebParts, inside: ASGIApp | None = None) -> ASGIApp:
    """The ASGI application of the public port. `inside` answers `/readyz` and `/metrics` where no other port does."""
    return PublicApp(_ingress(parts), _pages_and_api(parts), inside)


class PublicApp:
    """See `build_app`."""

    def __init__(self, ingress: Ingress, pages_and_api: ASGIApp, inside: ASGIApp | None) -> None:
        from hub.web.health import healthz

        self._ingress, self._pages_and_api = ingress, pages_and_api
        self._inside = dict.fromkeys(INSIDE, inside or pages_and_api)
        if inside is None:
            self._inside["/healthz"] = healthz
        self.take_whole = ingress.take_whole
        """Of requests to the ingress that have arrived whole (`whole_requests.py`)."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope["path"] if scope["type"] == "http" else ""
        app = self._ingress if path.startswith(INGRESS_PREFIX) else self._inside.get(path, self._pages_and_api)
        return app(scope, receive, send)


def _ingress(parts: WebParts) -> Ingress:
    from hub.web.bodies import BodyBudget
    from hub.web.ingress import Ingress
    from hub.web.open311 import Open311Server
    from hub.web.open311_posts import Posts

    (storage, _, current, outside), settings = parts.opened, parts.settings
    record, io, clock = storage.record, outside.pools.io, parts.clock

    async def store(body: bytes) -> str:
        return await io(storage.blobs.put, body)

    posts = Posts(publish=parts.publish, store=store, record=record, io=io, clock=clock)
    servers = {"open311": Open311Server(posts=posts, record=record, io=io, clock=clock, url=settings.public_url)}
    budget = BodyBudget(settings.limits.bodies * 2**20, settings.proxies)
    return Ingress(
        current.accounts, parts.publish, store,
        clock=clock, answered=parts.answered, budget=budget, servers=servers,
    )  # fmt: skip


def _pages_and_api(parts: WebParts) -> ASGIApp:
    from hub.web.app import build_pages_and_api
    from hub.web.officers import OfficerActs
    from hub.web.reports import WebReports
    from hub.web.uploads import CallerUploads
    from hub.web.uploads_store import UploadStore
    from sink.statistics import statistics

    (storage, _, current, outside), settings = parts.opened, parts.settings
    record, blobs, pools, clock = storage.record, storage.blobs, outside.pools, parts.clock
    waiting = UploadStore(settings.data / "uploads", int(settings.limits.upload_waiting * 2**20))
    return build_pages_and_api(
        accounts=current.accounts,
        reports=WebReports(
            publish=parts.publish, blobs=blobs, record=record, pools=pools, clock=clock, answered=parts.answered,
            attempts_a_day=settings.limits.proofs_number,
        ),
        officers=OfficerActs(
            publish=parts.publish, record=record, io=pools.io, clock=clock, offices=current.offices
        ),
        uploads=CallerUploads(waiting, blobs=blobs, record=record, pools=pools, clock=clock),
        statistics=partial(pools.io, statistics, record),
        settings=settings,
        clock=clock,
    )  # fmt: skip
