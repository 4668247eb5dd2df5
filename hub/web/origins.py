"""Which apps in a browser, or in the WebView of a phone, may call the API: those whose origin an account of kind `app`
names. To every other origin the answers say nothing, and its browser keeps them from the page."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.app import AppChannel
from hub.accounts import Accounts
from hub.web.uploads_headers import CLIENT_HEADERS, HUB_HEADERS

PATHS = ("/api/v1/devices", "/api/v1/reports", "/api/v1/uploads")
"""What an app calls. None of their answers may be stored by a cache, so none has to vary by origin."""


class OriginsMiddleware:
    """Answers preflights of allowed origins, and marks the answers that they may read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._marked = _AllowedOrigin(
            app,
            allow_methods=["GET", "HEAD", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Prefer", "X-API-Key", *CLIENT_HEADERS],
            expose_headers=["Location", "Preference-Applied", "Retry-After", *HUB_HEADERS],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._marked if scope["type"] == "http" and _is_allowed(scope) else self._app
        await app(scope, receive, send)


class _AllowedOrigin(CORSMiddleware):
    def is_allowed_origin(self, origin: str) -> bool:
        return True  # it was asked before


def _is_allowed(scope: Scope) -> bool:
    origin = Headers(scope=scope).get("origin")
    return origin is not None and scope["path"].startswith(PATHS) and _names(scope["app"].state.accounts, origin)


def _names(accounts: Accounts, origin: str) -> bool:
    """Does an open account name it?"""
    return any(
        origin in channel.settings.origins
        for name, channel in accounts.items()
        if isinstance(channel, AppChannel) and accounts.state(name) != "closed"
    )
