"""uvicorn's configuration for every port that answers HTTP, and the limits of the process around it."""

from __future__ import annotations

import gc
import resource
from collections.abc import Sequence
from typing import TYPE_CHECKING

import uvicorn

from hub.limits import WebLimits
from hub.web.client_address import Network
from hub.web.connections import ConnectionLimit
from hub.web.server import BoundedHttpProtocol
from hub.web.whole_requests import IngressHttpProtocol

if TYPE_CHECKING:
    from hub.web.asgi import ASGIApp

DESCRIPTORS_FOR_OTHERS = 200
"""Open files that are no connections: databases, blobs, logs."""


def server_config(app: ASGIApp, limits: WebLimits | None = None, proxies: Sequence[Network] = ()) -> uvicorn.Config:
    """The configuration of a port; one whose application takes whole requests gets them without ASGI."""
    limits = limits or WebLimits()
    most = max(16, min(int(limits.connections), _descriptors() - DESCRIPTORS_FOR_OTHERS))
    limit = ConnectionLimit(most, int(limits.connections_address), proxies)
    kind: type[BoundedHttpProtocol] = IngressHttpProtocol if hasattr(app, "take_whole") else BoundedHttpProtocol
    protocol = type("Connection", (kind,), {"limit": limit, "ingress": app})
    return uvicorn.Config(
        app, interface="asgi3", lifespan="off", ws="none", http=protocol, log_config=None, access_log=False,
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=5, backlog=2048,
    )  # fmt: skip


def raise_descriptor_limit() -> None:
    """Let this process open as many files as the system allows it: each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if wanted > _descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def tune_garbage_collection() -> None:
    """Settings by measure (`docs/performance.md`): loaded code is never looked at again, young garbage seldom, and old
    garbage often enough that a flood of connections is given back."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 5)


def _descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
