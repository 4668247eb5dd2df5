"""Around every answer: headers that keep other sites out, a page or problem where the hub itself fails, and HEAD."""

from __future__ import annotations

import logging

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bus import fault_location
from hub.repeated_lines import RepeatedLines
from hub.web.api.problems import Problem
from hub.web.errors import respond
from hub.web.widget_frame import frame_ancestors, is_embedded

_lines = RepeatedLines(logging.getLogger(__name__))
UPLOADS = "/api/v1/uploads/"
_NO_FRAME = "frame-ancestors 'none'"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; " + _NO_FRAME
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}


class HeadMiddleware:
    """Answers HEAD as GET, without the body: monitors ask so. Uploads have a HEAD of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


class ErrorMiddleware:
    """Answers what no handler answered, and logs where it failed: neither its words nor the URL, which may hold a
    citizen's words or a token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Referrer-Policy"] = _referrer_policy(scope)
                if is_embedded(scope["path"]):
                    _allow_frames(headers, scope)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return
        except Exception as error:
            _lines.write(logging.ERROR, f"a page or the API failed: {fault_location(error)}")
            if not started:
                request = Request(scope, receive)
                await respond(request, Problem(500, "fault"))(scope, receive, send_with_headers)


def _allow_frames(headers: MutableHeaders, scope: Scope) -> None:
    """On the sites that the account of the form names."""
    account = scope["app"].state.accounts.first("web")
    ancestors = frame_ancestors(account.settings.sites if account else ())
    headers["Content-Security-Policy"] = _POLICY.replace(_NO_FRAME, f"frame-ancestors {ancestors}")
    if "'none'" not in ancestors:
        del headers["X-Frame-Options"]  # it knows no list of sites, and older browsers prefer it


def _referrer_policy(scope: Scope) -> str:
    """A URL with a token is named to nobody, not even in our own proxy's log. The origin may be: under no-referrer a
    browser on plain http says Origin: null, and our own form would look like another site's."""
    return "strict-origin" if b"token" in scope["query_string"] else "same-origin"
