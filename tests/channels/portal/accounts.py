"""Accounts of the made-up portal, and what they take in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import PollResult, ProviderConnections, Request, Secret
from connectors.portal import Portal, PortalSettings
from hub.intake import split_at_once
from schemas import AccountFault, Action, Message, Retry
from tests.channels.recording import read

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MANIFEST = (Path(__file__).parent / "portal.toml").as_posix()


def account(url: str, manifest: str = MANIFEST, **settings: Any) -> Portal:
    secrets = {"username": Secret("satupintu"), "password": Secret("sandi-portal")}
    given = {"manifest": manifest, "url": url, "secrets": secrets} | settings
    door = Portal("rekam", "32.73", PortalSettings(**given))
    door.now = lambda: NOW
    return door


async def sweep(door: Portal, cursor: str | None, outbound: ProviderConnections) -> tuple[list[Request], str | None]:
    """Poll until nothing more is there, again after each fault."""
    found: list[Request] = []
    polled = PollResult((), cursor, more=True)
    for _ in range(1000):
        try:
            polled = await door.poll(polled.cursor, outbound)
        except (Retry, AccountFault):
            continue
        found += polled.requests
        if not polled.more:
            return found, polled.cursor
    raise AssertionError("the sweep does not end")


def items(door: Portal, requests: list[Request]) -> list[Message | Action]:
    """As they are read of what is stored: no header more."""
    stored = [
        raw
        for request in requests
        for raw in split_at_once(door, request, clock=lambda: NOW, new_id=lambda: "01", sibling=lambda _: None) or ()
    ]
    found = [item for raw in stored for item in read(door, raw)]
    assert all(isinstance(item, Message | Action) for item in found)
    return found  # type: ignore[return-value]
