"""Group commit at the ingress: the Raws of requests that arrive within one turn of the loop are published together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from schemas import Raw, Retry

if TYPE_CHECKING:
    from hub.web.ingress import Publish

SIBLINGS = 4
"""Requests in the last group from which on the next one waits for more (as PostgreSQL's commit_siblings)."""
DELAY = 0.001
"""Seconds of that wait. The writer of the log waits likewise, but it sees one publish for many requests."""
Published = Callable[[Exception | None], None]
"""Called once: None when the Raws are durable, else what kept them from it."""


class GroupPublisher:
    """`publish` is called once for each turn of the loop in which something was added; where many come, once for all of
    a millisecond."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._waiting: list[tuple[Sequence[Raw], Published]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_group = 0

    def add(self, raws: Sequence[Raw], published: Published) -> None:
        """Publish these Raws after those that were added before."""
        if not self._waiting:
            loop = asyncio.get_running_loop()
            if self._last_group < SIBLINGS:
                loop.call_soon(self._start)
            else:
                loop.call_later(DELAY, self._start)
        self._waiting.append((raws, published))

    def _start(self) -> None:
        group, self._waiting = self._waiting, []
        self._last_group = len(group)
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
        for _, published in group:
            loop.call_soon(published, fault)  # each by itself: a fault in one keeps no other from its answer
