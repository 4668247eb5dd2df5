"""The provider of an account: takes replies and remembers each attempt, brings receipts, news and files.

It fails in every way that the port knows, and it remembers the truth: whether a reply that failed was taken.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from schemas import AccountFault, Reject, Reply, Retry, Unanswered
from tests.simulation.faults import Faults
from tests.simulation.process import OWNER

AT_MOST = 100
"""Items in the answer to a poll."""
GIVEN_AGAIN = 15.0
"""Seconds until what a session did not acknowledge is given again, perhaps to another session."""
HANGS = 25.0
"""Seconds until our side gives up."""
End = Literal["open", "sent", "not taken", "refused", "unanswered"]


@dataclass
class Attempt:
    """One call to send a reply, as the provider saw it."""

    reply: Reply
    process: str
    began: float
    ended: float | None = None
    taken: bool = False
    end: End = "open"
    """What our side was told; `open`: its process died before it heard."""
    may_arrive: bool = True
    """False: the channel had not passed the mark from which on it may."""


class Provider:
    """One account's provider. `deliver` brings items to a door, where the account listens."""

    def __init__(self, account: str, faults: Faults, random: Random, clock: Callable[[], float]) -> None:
        self.account = account
        self.attempts: list[Attempt] = []
        self.items: list[Any] = []
        """What it has for those who poll or hold a session, in order."""
        self.acknowledged: set[int] = set()
        self.taken_over: Callable[[int], None] = lambda position: None
        """Called when a session acknowledges the item at that position."""
        self.deliver: Callable[[Any], None] = self.items.append
        self.heard: Callable[[Reply], None] = lambda reply: None
        """Called with a reply that reached its person."""
        self.is_polled = False
        """Its cursor counts its items."""
        self.holds_sessions = False
        self.carries_reference = False
        """Its receipts bring back our own id of the reply."""
        self.mended = False
        """The channel reads odd messages."""
        self.mended_at = 0.0
        self.notice: Callable[[str], None] = lambda line: None
        self._faults, self._random, self._clock = faults, random, clock
        self._tasks: list[asyncio.Task[None]] = []
        self._given: dict[int, float] = {}
        """When each position was given to a session."""

    async def send(
        self, reply: Reply, *, connected: bool = True, before_arrival: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[str, ...]:
        """Take a reply; the provider's ids for it."""
        process = OWNER.get()
        attempt = Attempt(reply, str(process), self._clock(), may_arrive=before_arrival is None)
        self.attempts.append(attempt)
        self.notice(f"{reply.template} {reply.id} to {reply.conversation}")
        try:
            await self._reach(attempt.reply, connected)
            if before_arrival is not None:
                await before_arrival()
                attempt.may_arrive = True
            return await self._try(attempt)
        except Unanswered:
            attempt.end = "unanswered"
            raise
        except (Retry, AccountFault):
            attempt.end = "not taken"
            raise
        except Reject:
            attempt.end = "refused"
            raise
        finally:
            attempt.ended = self._clock()
            self.notice(f"{reply.template} {reply.id} to {reply.conversation}: {attempt.end}, taken {attempt.taken}")

    async def _reach(self, reply: Reply, connected: bool) -> None:
        await self._travel()
        if not connected or self._faults("no connection"):
            raise Retry("no connection")
        self._refuse(reply)

    async def _try(self, attempt: Attempt) -> tuple[str, ...]:
        faults = self._faults
        if faults("500, not taken"):
            raise Unanswered("answered with 500")
        if faults("connection lost, not taken"):
            raise Unanswered("the connection broke")
        native = self._take(attempt)
        if faults("500, taken"):
            raise Unanswered("answered with 500")
        if faults("connection lost, taken"):
            raise Unanswered("the connection broke")
        if faults("provider hangs"):
            await asyncio.sleep(HANGS)
            raise Unanswered("the answer did not end in time")
        await self._travel()
        attempt.end = "sent"
        return (native,)

    def _refuse(self, reply: Reply) -> None:
        faults = self._faults
        if faults("busy (429)"):
            raise Retry("answered with 429", after=faults.between(1, 20))
        if faults("code says not taken"):
            raise Retry("code 131016: not sent")
        if faults("account at fault"):
            self.mended_at = self._clock() + faults.between(5, 25)
        if self._clock() < self.mended_at and not faults.over:
            raise AccountFault("token_expired", "renew it", after=10)
        if faults("address refused"):
            raise Reject("address_refused", "no such number")

    def _take(self, attempt: Attempt) -> str:
        attempt.taken = True
        native = f"{self.account}-{attempt.reply.id[:8]}-{len(self.attempts)}"
        self.heard(attempt.reply)
        for state in ("delivered", "read"):
            self._bring_receipt(native, state, attempt.reply.id)
        return native

    def _bring_receipt(self, native: str, state: str, reference: str) -> None:
        faults = self._faults
        receipt = {"receipt": native, "state": state, "reference": reference if self.carries_reference else None}
        after = 0.0 if faults("receipt early") else faults.between(5, 20) if faults("receipt late") else 2.0
        times = 2 if faults("receipt repeated") else 1
        for _ in range(times):
            self._later(after, lambda: self.deliver(receipt))

    def _later(self, after: float, work: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(after)
            work()

        token = OWNER.set(None)
        self._tasks.append(asyncio.get_running_loop().create_task(wait()))
        OWNER.reset(token)

    @property
    def busy(self) -> bool:
        """Are receipts still to come?"""
        return any(not task.done() for task in self._tasks)

    async def file(self, name: str) -> bytes:
        """The bytes of a photo."""
        await self._travel()
        if self._faults("no connection"):
            raise Retry("no connection")
        return b"photo " + name.encode()

    async def news(self, after: int) -> tuple[bytes | None, int, bool]:
        """What came after that position: a request's bytes, the position reached, and whether there is more."""
        await self._travel()
        if self._faults("poll refused"):
            raise Retry("answered with 503")
        first = max(0, after - 2) if self._faults("poll repeats") else after
        some = self.items[first : first + max(AT_MOST, after - first)]
        reached = max(after, first + len(some))
        return (_request(some) if some else None), reached, reached < len(self.items)

    async def connect(self) -> None:
        """A session begins: what was not acknowledged is given again."""
        await self._travel()
        if self._faults("no connection"):
            raise Retry("no connection")
        self._given.clear()

    async def packet(self) -> tuple[int, bytes]:
        """The next item of the session."""
        while True:
            if self._faults("session ends"):
                raise Retry("the connection broke")
            for position, item in enumerate(self.items, 1):
                given = self._given.get(position, float("-inf"))
                if position not in self.acknowledged and given < self._clock() - GIVEN_AGAIN:
                    self._given[position] = self._clock()
                    return position, _request([item])
            await asyncio.sleep(1.0)

    def acknowledge(self, position: int) -> None:
        """The session has taken it over: it is not given again."""
        self.taken_over(position)
        self.acknowledged.add(position)

    async def _travel(self) -> None:
        await asyncio.sleep(self._faults.between(0.5, 20) if self._faults("provider slow") else 0.005)


def _request(items: Sequence[Any]) -> bytes:
    return json.dumps({"items": list(items)}).encode()
