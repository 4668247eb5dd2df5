"""Group commit at the ingress: the Raws of requests that arrive together are published together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from schemas import Raw, Retry

if TYPE_CHECKING:
    from hub.web.ingress import Publish

SIBLINGS = 4
"""Requests in hand at once from which on a group waits for more (as PostgreSQL's commit_siblings)."""
DELAY = 0.004
"""Seconds that it waits at most, from its first request on."""
Published = Callable[[Exception | None], None]
"""Called once: None when the Raws are durable, else what kept them from it."""


class GroupPublisher:
    """`publish` is called once for each group. A group is complete when it has as many requests as were lately in hand
    at once: those who send them wait for its answers, so nobody is left who could add one. Where few send, a group is
    what came in one turn of the loop."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._waiting: list[tuple[Sequence[Raw], Published]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        """Requests that were added and are not answered yet."""
        self._at_once = 0
        """The most of them lately; half of it counts after each group."""
        self._starting: asyncio.Handle | None = None

    def add(self, raws: Sequence[Raw], published: Published) -> None:
        """Publish these Raws after those that were added before."""
        self._waiting.append((raws, published))
        self._in_hand += 1
        self._at_once = max(self._at_once, self._in_hand)
        if self._at_once < SIBLINGS or len(self._waiting) >= self._at_once:
            self._start_by(asyncio.get_running_loop().call_soon(self._start))
        elif self._starting is None:
            self._start_by(asyncio.get_running_loop().call_later(DELAY, self._start))

    def _start_by(self, handle: asyncio.Handle) -> None:
        if self._starting is not None:
            self._starting.cancel()
        self._starting = handle

    def _start(self) -> None:
        group, self._waiting, self._starting = self._waiting, [], None
        self._at_once = max(self._in_hand, self._at_once // 2)
        task = asyncio.get_running_loop().create_task(self._run(group))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, group: Sequence[tuple[Sequence[Raw], Published]]) -> None:
        fault: Exception | None = None
        try:
            await self._publish([raw for raws, _ in group for raw in raws])
        except Exception as error:
            if len(group) > 1 and not isinstance(error, Retry):  # one of them may be at fault, and no other one
                for one in group:
                    await self._run([one])
                return
            fault = error
        loop = asyncio.get_running_loop()
        self._in_hand -= len(group)
        for _, published in group:
            loop.call_soon(published, fault)  # each by itself: a fault in one keeps no other from its answer
