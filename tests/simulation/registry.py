"""Another system in which complaints stand: it takes the steps of a forward, and an office there answers.

A call that has left its process arrives though the process dies, or gives up waiting. The registry remembers the truth:
what each call did there. In some seeds it cannot be asked what became of a call.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Literal

from schemas import AccountFault, PipelineError, Reject, Retry, Unanswered
from tests.simulation.faults import Faults
from tests.simulation.process import OWNER

LATEST = 20.0
"""Seconds after which a call that left has arrived, or never will."""
PATIENCE = 10.0
"""Seconds that our side waits for an answer."""
MOST_NEWS = 2
"""Of one complaint."""
AT_ONCE = 1
"""News in one part of a look: so few that it has several."""
End = Literal["open", "done", "not done", "refused", "in doubt"]


@dataclass
class Call:
    """One call to do a step, as the registry saw it."""

    step: str
    reference: str
    process: str
    left_at: float
    arrived: bool = False
    """It has arrived there, or never will."""
    done: bool = False
    end: End = "open"
    """What our side was told; `open`: its process died, or gave up, before it heard."""


class Registry:
    """The far side of one account. `askable`: it can be asked what stands there."""

    def __init__(
        self, account: str, faults: Faults, random: Random, clock: Callable[[], float],
        *, now: Callable[[], datetime], askable: bool,
    ) -> None:  # fmt: skip
        self.account, self.askable = account, askable
        self.calls: list[Call] = []
        self.created: list[tuple[str, str]] = []
        """Our number and the id there, in order."""
        self.handed_on: list[str] = []
        """Ids of complaints that got their office, in order."""
        self.added: dict[str, list[str]] = defaultdict(list)
        """By the complaint's id, our references of what was said later, in order."""
        self.news: dict[str, list[dict[str, Any]]] = defaultdict(list)
        """By the complaint's id, what an office there said."""
        self.decided: set[str] = set()
        """References of forwards about which a person said what became of them."""
        self.notice: Callable[[str], None] = lambda line: None
        self._faults, self._random, self._clock, self._now = faults, random, clock, now
        self._tasks: list[asyncio.Task[Any]] = []
        self._mended_at = 0.0

    # -- the steps

    async def create(self, number: str) -> str:
        """The complaint's id there."""

        def create() -> str:
            native = f"{self.account}-{len(self.created) + 1}"
            self.created.append((number, native))
            return native

        return str(await self._call("create", number, create))

    async def hand_on(self, number: str, native: str) -> None:
        """The complaint gets its office, which will answer."""

        def hand_on() -> None:
            self.handed_on.append(native)
            for n in range(self._random.randint(0, MOST_NEWS)):
                self._later(2.0 + self._random.random() * 15, lambda n=n: self._answer(native, n))  # type: ignore[misc]

        await self._call("hand_on", number, hand_on)

    async def add(self, reference: str, native: str) -> None:
        """Something that was said later."""
        await self._call("add", reference, lambda: self.added[native].append(reference))

    # -- what our side can ask

    async def number_of(self, number: str) -> str | None:
        """The id of the complaint that has our number."""
        await self._asked()
        return next((native for known, native in self.created if known == number), None)

    async def stands(self, step: str, reference: str, native: str) -> bool:
        """Was this done for the complaint?"""
        await self._asked()
        return native in self.handed_on if step == "hand_on" else reference in self.added[native]

    async def look(self, native: str, after: int) -> tuple[list[dict[str, Any]], int]:
        """Some of what came after that position, and the position reached."""
        await self._asked()
        first = max(0, after - 1) if self._faults("poll repeats") else after
        some = self.news[native][first : after + AT_ONCE]
        return some, max(after, first + len(some))

    async def _asked(self) -> None:
        await asyncio.sleep(0.005)
        if self._faults("poll refused"):
            raise Retry("answered with 503")

    # -- what a person sees there

    def on_its_way(self, reference: str) -> bool:
        """May a call still arrive?"""
        return any(not call.arrived for call in self.calls if call.reference == reference)

    def was_done(self, step: str, reference: str) -> bool:
        """Did a call do it?"""
        return any(call.done for call in self.calls if (call.step, call.reference) == (step, reference))

    @property
    def busy(self) -> bool:
        """Is a call on its way, or an answer to come?"""
        return any(not task.done() for task in self._tasks)

    # -- a call on its way

    async def _call(self, step: str, reference: str, act: Callable[[], Any]) -> Any:
        if self._faults("no connection"):
            raise Retry("no connection")
        call = Call(step, reference, str(OWNER.get()), self._clock())
        self.calls.append(call)
        self.notice(f"{step} of {reference} leaves")
        answer = asyncio.get_running_loop().create_future()
        self._later(self._travel(), lambda: self._arrive(call, act, answer))
        try:
            async with asyncio.timeout(PATIENCE):
                result = await asyncio.shield(answer)
        except TimeoutError:
            call.end = "in doubt"
            raise Unanswered("the answer did not come in time") from None
        except PipelineError as fault:
            call.end = _end(fault)
            raise
        call.end = "done"
        return result

    def _travel(self) -> float:
        return self._faults.between(0.5, LATEST) if self._faults("provider slow") else 0.005

    def _arrive(self, call: Call, act: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        call.arrived = True
        fault = self._refusal()
        result = None
        if fault is None:
            result, call.done = act(), True
            fault = self._lost_answer()
        self.notice(f"{call.step} of {call.reference}: done {call.done}, {fault!r}")
        if answer.done():
            return
        if fault is not None:
            answer.set_exception(fault)
            answer.exception()  # our side may have given up: nobody need look at it
        else:
            answer.set_result(result)

    def _refusal(self) -> PipelineError | None:
        faults = self._faults
        if faults("busy (429)"):
            return Retry("answered with 429", after=faults.between(1, 20))
        if faults("account at fault"):
            self._mended_at = self._clock() + faults.between(5, 25)
        if self._clock() < self._mended_at and not faults.over:
            return AccountFault("token_expired", "renew it", after=10)
        if faults("step refused"):
            return Reject("step_refused", "no such category")
        lost = faults("500, not taken") or faults("connection lost, not taken")
        return Unanswered("answered with 500") if lost else None

    def _lost_answer(self) -> Unanswered | None:
        lost = self._faults("500, taken") or self._faults("connection lost, taken")
        return Unanswered("the connection broke") if lost else None

    def _answer(self, native: str, n: int) -> None:
        words = f"Petugas {native} sudah datang, catatan {n} {self._random.randrange(10**6)}"
        item = {"answer": f"{native}-{n}", "of": native, "text": words, "at": self._now().isoformat()}
        self.news[native].append(item)

    def _later(self, after: float, work: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(after)
            work()

        token = OWNER.set(None)
        self._tasks.append(asyncio.get_running_loop().create_task(wait()))
        OWNER.reset(token)


def _end(fault: PipelineError) -> End:
    if isinstance(fault, Unanswered):
        return "in doubt"
    return "refused" if isinstance(fault, Reject) else "not done"
