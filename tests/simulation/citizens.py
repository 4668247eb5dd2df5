"""The people of a seed: citizens who write and hear, an office that moves statuses, a sender of webhooks that insists.

All that was written is remembered as the truth that the laws compare the record with.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from schemas import Reply
from tests.simulation.faults import Faults
from tests.simulation.provider import Provider

NUMBER = re.compile(r"\b\d{10}\b")
PATIENCE = 10.0
"""Seconds that a webhook's sender waits for an answer."""
Post = Callable[[str, bytes], Awaitable[int | None]]
"""Account and body to a door: the status, or None where the connection broke."""
STATUSES = ("verified", "in_progress", "done")


@dataclass
class Written:
    """All that was written, as the laws need it."""

    acknowledged: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Account and item of each request that a door answered with yes."""
    personal: set[str] = field(default_factory=set)
    """Phones and words that may stand in no log."""
    statuses: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    """By complaint number, what the office said."""


class Webhooks:
    """Brings items to a door, again and again until it says yes; at times several in a request, or twice."""

    def __init__(self, post: Post, faults: Faults, random: Random, written: Written) -> None:
        self._post, self._faults, self._random, self._written = post, faults, random, written
        self._waiting: dict[str, list[Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def bring(self, account: str, item: Any) -> asyncio.Future[None]:
        """Bring it, soon; the future is done when a door said yes."""
        done = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(account, [])
        waiting.append((item, done))
        if len(waiting) == 1:
            self._start(self._gather(account))
        return done

    @property
    def busy(self) -> bool:
        return any(not task.done() for task in self._tasks)

    def _start(self, work: Any) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _gather(self, account: str) -> None:
        await asyncio.sleep(self._random.random())
        waiting = self._waiting.pop(account)
        await self._insist(account, waiting)

    async def _insist(self, account: str, waiting: list[Any]) -> None:
        items = [item for item, _ in waiting]
        body = json.dumps({"items": items}).encode()
        while not await self._try(account, body):
            await asyncio.sleep(0.5 + self._random.random() * 3)
        for item, done in waiting:
            self._written.acknowledged.append((account, item))
            done.set_result(None)
        if self._faults("request repeated"):
            await asyncio.sleep(self._random.random() * 5)
            await self._try(account, body)

    async def _try(self, account: str, body: bytes) -> bool:
        patience = 0.01 if self._faults("request given up") else PATIENCE
        try:
            async with asyncio.timeout(patience):
                return await self._post(account, body) == 200
        except TimeoutError:
            return False


class Citizen:
    """A person with one account: writes a few things, remembers the number that comes back."""

    def __init__(
        self, name: str, phone: str, provider: Provider, written: Written, *, random: Random, faults: Faults
    ) -> None:
        self.name, self.phone, self.provider = name, phone, provider
        self._written, self._random, self._faults = written, random, faults
        self._bring: Callable[[Any], Awaitable[None]] = self._leave
        self._numbers: list[str] = []
        self._sent: list[dict[str, Any]] = []
        written.personal.add(phone)

    def by(self, webhooks: Webhooks) -> None:
        """The account listens: what is written is brought there."""
        self._bring = lambda item: webhooks.bring(self.provider.account, item)

    def hear(self, reply: Reply) -> None:
        """A reply came."""
        self._numbers += NUMBER.findall(reply.text)

    async def live(self) -> None:
        """Write what there is to write, one after the other."""
        for _ in range(self._random.randint(1, 4)):
            await asyncio.sleep(self._random.random() ** 2 * 12)
            await self._bring(self._next())
            while self._faults("rubbish"):
                await self._bring(self._rubbish())

    async def _leave(self, item: Any) -> None:
        self.provider.items.append(item)

    def _next(self) -> dict[str, Any]:
        made = self._random.choice(
            (self._report, self._report, self._addition, self._addition, self._question, self._follow_up,
             self._edit, self._photo, self._same_again)
        )()  # fmt: skip
        item = {"id": f"{self.name}-{len(self._sent)}", "from": self.name, "phone": self.phone, **made}
        self._written.personal.add(item["text"])
        self._sent.append(item)
        return item

    def _rubbish(self) -> dict[str, Any]:
        number = self._random.randrange(10**6)
        if self._random.random() < 0.5:
            return {"rubbish": number, "from": self.name}
        text = self._words()
        self._written.personal.add(text)
        return {"odd": True, "id": f"{self.name}-odd-{number}", "from": self.name, "phone": self.phone, "text": text}

    def _words(self) -> str:
        return f"Lampu jalan mati di depan rumah {self.name} nomor {self._random.randrange(10**6)}"

    def _report(self) -> dict[str, Any]:
        return {"text": f"LAPOR {self._words()}"}

    def _addition(self) -> dict[str, Any]:
        return {"text": self._words()}

    def _question(self) -> dict[str, Any]:
        return {"text": f"CEK {self._number()}"}

    def _follow_up(self) -> dict[str, Any]:
        return {"text": f"TL {self._number()} {self._words()}"}

    def _edit(self) -> dict[str, Any]:
        return {"text": self._words(), "kind": "edit", "refers_to": self._earlier("id")}

    def _photo(self) -> dict[str, Any]:
        return {"text": self._words(), "kind": "image", "files": [f"{self.name}-{self._random.randrange(10**6)}"]}

    def _same_again(self) -> dict[str, Any]:
        return {"text": self._earlier("text")}

    def _number(self) -> str:
        return self._random.choice(self._numbers) if self._numbers else "1234567890"

    def _earlier(self, what: str) -> str:
        return str(self._random.choice(self._sent)[what]) if self._sent else self._words()


class Office:
    """Moves the statuses of the complaints that it hears of; its reports come in any order, and again."""

    def __init__(self, bring: Callable[[Any], object], written: Written, random: Random) -> None:
        self._bring, self._written, self._random = bring, written, random

    async def handle(self, number: str, now: Callable[[], datetime]) -> None:
        """All statuses of that complaint."""
        acts = []
        for status in STATUSES[: self._random.randint(1, len(STATUSES))]:
            await asyncio.sleep(0.1 + self._random.random())
            at = now()
            self._written.statuses.setdefault(number, []).append((at, status))
            acts.append({"act": f"{number}-{status}", "number": number, "status": status, "at": at.isoformat()})
        for act in self._in_some_order(acts):
            await asyncio.sleep(self._random.random() * 3)
            self._bring(act)

    def _in_some_order(self, acts: list[Any]) -> Iterable[Any]:
        shuffled = [*acts, *self._random.sample(acts, self._random.randint(0, len(acts)))]
        self._random.shuffle(shuffled)
        return shuffled
