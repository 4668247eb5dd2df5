"""The web door: `/in/ACCOUNT` goes to the bare `Door`, everything else to the pages and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.web.ingress import PREFIX, Door, Receive, Scope, Send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hub.wiring import Hub


def make_asgi(hub: Hub) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application of this hub."""
    from hub.web.app import make_app

    door = Door(hub.accounts, hub.intake.publish, hub.blobs, hub.clock)
    pages = make_app(hub, door.answered)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        answering = door if scope["type"] == "http" and scope["path"].startswith(PREFIX) else pages
        await answering(scope, receive, send)

    return dispatch
