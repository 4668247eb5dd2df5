"""The account's session at work, and what it brings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

from connectors import ProviderConnections, Request
from connectors._smpp_session import open_session
from schemas import Message
from tests.channels.recording import channel, raw, read
from tests.channels.recording import reply as recorded_reply
from tests.channels.smpp.bytes import SARI

HTTP: Any = None


class Intake:
    """Stores at once, and remembers the cursor."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.cursor: str | None = None
        self.begun = asyncio.Event()
        """Set once it was called."""
        self.open = asyncio.Event()
        self.open.set()
        self.changed = asyncio.Event()

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        self.begun.set()
        await self.open.wait()
        self.requests += requests
        self.cursor = cursor or self.cursor
        self.changed.set()

    async def until(self, count: int) -> list[Any]:
        """The items, once there are so many."""
        while len(self.items) < count:
            self.changed.clear()
            await self.changed.wait()
        return self.items

    @property
    def items(self) -> list[Any]:
        door = channel("smpp")
        return [item for n, r in enumerate(self.requests) for item in read(door, raw("smpp", r, id=f"raw-{n}"))]

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items if isinstance(item, Message)]


class Clock:
    """Unix time that tests move."""

    def __init__(self) -> None:
        self.time = 1_755_482_400.0

    def __call__(self) -> float:
        return self.time


def reply(text: str = "Nomor 4719360285", **fields: Any) -> Any:
    """A reply to Sari."""
    return recorded_reply("smpp", text, **{"conversation": f"+{SARI}", "to": f"+{SARI}"} | fields)


@asynccontextmanager
async def session(*centres: Any, intake: Intake | None = None, clock: Clock | None = None, **settings: Any):
    """The account's session at work; yields the channel, its way out, and the work."""
    door = channel("smpp", hosts=[centre.host for centre in centres], **settings)
    intake = intake or Intake()
    async with open_session(door.settings, intake, intake.cursor, clock or Clock()) as opened:
        work = asyncio.create_task(opened.run())
        yield door, ProviderConnections(HTTP, opened), work
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
