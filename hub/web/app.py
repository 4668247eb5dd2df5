"""Form, API and tracking as one FastAPI application. All of it is public by nature."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI

from hub.web.access_proof import AccessProof
from hub.web.api.actions import router as actions
from hub.web.api.description import TAGS, DescribedApi, operation_id
from hub.web.api.devices import router as devices
from hub.web.api.routes import router as api
from hub.web.api.statistics import Statistics
from hub.web.api.statistics import router as numbers
from hub.web.citizen.form import router as form
from hub.web.citizen.pages import router as pages
from hub.web.citizen.supplement import router as supplement
from hub.web.counter import router as counter
from hub.web.errors import add_exception_handlers
from hub.web.limits import RateLimiter
from hub.web.middleware import ErrorMiddleware, HeadMiddleware
from hub.web.origins import OriginsMiddleware
from hub.web.uploads_routes import router as uploads_router
from hub.web.widget import router as widget

if TYPE_CHECKING:
    from hub.accounts import Accounts
    from hub.settings import Settings
    from hub.web.officers import OfficerActs
    from hub.web.reports import WebReports
    from hub.web.uploads import CallerUploads


def build_pages_and_api(
    *,
    accounts: Accounts,
    reports: WebReports,
    officers: OfficerActs,
    statistics: Statistics,
    uploads: CallerUploads,
    settings: Settings,
    clock: Callable[[], datetime],
) -> FastAPI:
    """The application without `/in/…`."""
    app = build_routes()
    app.state.accounts = accounts
    app.state.settings = settings
    app.state.clock = clock
    app.state.reports = reports
    app.state.officers = officers
    app.state.statistics = statistics
    app.state.uploads = uploads
    app.state.rate_limiter = RateLimiter(settings.limits)
    app.state.access_proof = AccessProof(reports, settings.limits)
    add_exception_handlers(app)
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(OriginsMiddleware)
    app.add_middleware(HeadMiddleware)
    return app


def build_routes() -> FastAPI:
    """What there is, and how it is described, without what the routes depend on."""
    app = DescribedApi(
        title="Satu Pintu",
        version="1",
        summary="One door for citizens' reports",
        openapi_tags=TAGS,
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
    )
    app.include_router(api)
    app.include_router(devices)
    app.include_router(actions)
    app.include_router(numbers)
    app.include_router(uploads_router)
    app.include_router(form)
    app.include_router(pages)
    app.include_router(supplement)
    app.include_router(widget)
    app.include_router(counter)
    return app
