"""The web: `/in/ACCOUNT` is answered by the bare `Ingress`, everything else by pages and API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hub.web.asgi import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from hub.accounts import Accounts
    from hub.editions import LiveEdition
    from hub.running.pools import Pools
    from hub.settings import Settings
    from hub.web.ingress import Publish
    from router import OfficeRegistry
    from sink import Blobs, Record

INSIDE = frozenset({"/healthz", "/readyz", "/metrics"})


def build_app(
    *,
    accounts: Accounts,
    publish: Publish,
    record: Record,
    blobs: Blobs,
    pools: Pools,
    clock: Callable[[], datetime],
    settings: Settings,
    answered: Counter[tuple[str, int]] | None = None,
    inside: ASGIApp | None = None,
    offices: LiveEdition[OfficeRegistry] | None = None,
) -> ASGIApp:
    """The ASGI application of the public port. `publish` returns once the Raws are durable; `answered` counts answers
    by account and status; `inside` answers `/readyz` and `/metrics` where no other port does."""
    from hub.editions import LiveEdition
    from hub.web.app import build_pages_and_api
    from hub.web.bodies import BodyBudget
    from hub.web.health import healthz
    from hub.web.ingress import PREFIX, Ingress
    from hub.web.officers import OfficerService
    from hub.web.open311 import Open311Server
    from hub.web.open311_posts import Posts
    from hub.web.reports import ReportService
    from hub.web.uploads import UploadService
    from hub.web.uploads_store import UploadStore
    from router import OfficeRegistry
    from sink.statistics import statistics

    answered = Counter() if answered is None else answered

    async def store(body: bytes) -> str:
        return await pools.io(blobs.put, body)

    budget = BodyBudget(settings.limits.bodies * 2**20, settings.proxies)
    posts = Posts(publish=publish, store=store, record=record, io=pools.io, clock=clock)
    open311 = Open311Server(posts=posts, record=record, io=pools.io, clock=clock, url=settings.public_url)
    servers = {"open311": open311}
    ingress = Ingress(accounts, publish, store, clock=clock, answered=answered, budget=budget, servers=servers)
    reports = ReportService(
        publish=publish,
        blobs=blobs,
        record=record,
        pools=pools,
        clock=clock,
        answered=answered,
        attempts_a_day=settings.limits.proofs_number,
    )
    officers = OfficerService(
        publish=publish, record=record, io=pools.io, clock=clock,
        offices=offices or LiveEdition(OfficeRegistry()),
    )  # fmt: skip
    waiting = int(settings.limits.upload_waiting * 2**20)
    uploads = UploadService(
        UploadStore(settings.data / "uploads", waiting), blobs=blobs, record=record, pools=pools, clock=clock
    )
    pages_and_api = build_pages_and_api(
        accounts=accounts,
        reports=reports,
        officers=officers,
        uploads=uploads,
        statistics=partial(pools.io, statistics, record),
        settings=settings,
    )

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        app: ASGIApp = ingress if path.startswith(PREFIX) else pages_and_api
        if path in INSIDE:
            app = inside or (healthz if path == "/healthz" else pages_and_api)
        await app(scope, receive, send)

    return dispatch
