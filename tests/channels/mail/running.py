"""The account's session at work, and what it brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from connectors import RenewedSecret, Request
from connectors._email_session import EmailSession, Suspects, open_session
from schemas import Message
from tests.channels.recording import channel, raw, read


class Intake:
    """Stores at once, and remembers the cursor. `before` and `after` are raised once, before or after anything is
    stored; `hang_up` is called once, after that."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.cursor: str | None = None
        self.before: Exception | None = None
        self.after: Exception | None = None
        self.hang_up: Callable[[], None] | None = None
        self.changed = asyncio.Event()

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        fault, self.before = self.before, None
        if fault:
            raise fault
        self.requests += requests
        fault, self.after = self.after, None
        if fault:
            raise fault
        self.cursor = cursor or self.cursor
        hang_up, self.hang_up = self.hang_up, None
        if hang_up:
            hang_up()
        self.changed.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Returns once the condition holds."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    @property
    def items(self) -> list[Any]:
        door = channel("email")
        return [item for n, r in enumerate(self.requests) for item in read(door, raw("email", r, id=f"raw-{n}"))]

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items if isinstance(item, Message)]

    @property
    def ids(self) -> list[str]:
        return [item.id for item in self.items if isinstance(item, Message)]


@asynccontextmanager
async def session(
    server: Any, intake: Intake, suspects: Suspects | None = None, renewed: RenewedSecret | None = None, **settings: Any
) -> AsyncIterator[tuple[EmailSession, asyncio.Task[None]]]:
    """The open session, at work from the intake's cursor on."""
    own = channel("email", imap=f"imap://127.0.0.1:{server.port}", **settings).settings
    async with open_session(own, intake, intake.cursor, suspects or Suspects(), renewed) as opened:
        work = asyncio.create_task(opened.run())
        yield opened, work
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
