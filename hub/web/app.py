"""Form, API, tracking, health and metrics as one FastAPI application. All of it is public by nature."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bus import place_of
from hub.running.metrics import Metrics
from hub.web.api import problems
from hub.web.api.routes import Turns, router
from hub.web.desk import Desk
from hub.web.health import health
from hub.web.citizen.look import page
from hub.web.api.openapi import SECURITY
from hub.web.citizen.pages import Pages
from hub.web.api.problems import Problem
from hub.web.citizen.proofs import Proofs
from hub.web.citizen.words import chosen, other
from schemas import Retry

if TYPE_CHECKING:
    from hub.wiring import Hub

_log = logging.getLogger(__name__)
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}


def make_app(hub: Hub, answered: Counter[tuple[str, int]] | None = None) -> FastAPI:
    """The application. `answered` counts what was taken in or not, by account and status; the door counts there too."""
    answered = Counter() if answered is None else answered
    desk = Desk(hub, answered)
    turns, proofs = Turns(desk), Proofs(desk)
    app = FastAPI(
        title="Satu Pintu",
        version="1",
        summary="One door for citizens' reports",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        exception_handlers={Problem: _problem, HTTPException: _http, Retry: _away},
    )
    app.include_router(router(desk, turns, proofs))
    app.router.routes.extend(Pages(desk, turns, proofs, hub.settings.zone).routes())
    app.router.routes.extend(health(hub, Metrics(hub, answered)))
    _describe_security(app)
    app.add_middleware(Shell)
    return app


class Shell:
    """Around every answer: headers that keep others out, and a page or problem where we ourselves fail."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def armed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Referrer-Policy"] = _referrer(scope)
            await send(message)

        try:
            await self._app(scope, receive, armed)
        except ClientDisconnect:
            return
        except Exception as error:
            # neither its words nor the address: they may hold a citizen's words or a token
            _log.error("a page or the API failed: %s", place_of(error))
            if not begun:
                request = Request(scope, receive)
                await _answer(request, Problem(500, "fault"))(scope, receive, armed)


def _referrer(scope: Scope) -> str:
    """Addresses with a token go nowhere. Elsewhere the origin may be named to ourselves: under no-referrer a browser
    on plain http says Origin: null, and nobody could tell our own form from a stranger's."""
    return "no-referrer" if b"token" in scope["query_string"] else "same-origin"


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return _answer(request, problem)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    key = {404: "no_page", 405: "method"}.get(error.status_code, "malformed")
    return _answer(request, Problem(error.status_code, key, headers=error.headers))


async def _away(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Retry)
    _log.warning("the record is away: %s", fault.reason)
    return _answer(request, Problem(503, "away", headers={"Retry-After": "5"}))


def _answer(request: Request, problem: Problem) -> Response:
    if request.url.path.startswith("/api/"):
        return problems.answer(request, problem)
    language = chosen(request.query_params.get("lang"))
    told = {
        "title": problem.title.to(language),
        "detail": problem.detail.to(language),
        "other_title": problem.title.to(other(language)),
        "other_detail": problem.detail.to(other(language)),
    }
    answer = page(request, "lost.html", language=language, status=problem.status, switch=None, **told)
    answer.headers.update(problem.headers)
    return answer


def _describe_security(app: FastAPI) -> None:
    plain = app.openapi

    def described() -> dict[str, object]:
        schema = plain()
        schema.setdefault("components", {})["securitySchemes"] = SECURITY
        return schema

    app.openapi = described  # type: ignore[method-assign]
