"""The providers: Meta's Graph API, which reports on what it took, and Kannel. Both fail a little, before they take a
reply and after, and count what they took by our own reference."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from bench.drill.load import status_body
from tests.fakes.graph import Graph, error
from tests.fakes.kannel import Kannel
from tests.fakes.server import Behaviour, Fault, Received, answer


class Trouble(NamedTuple):
    """A way to fail, how often, and whether the reply was taken before."""

    share: float
    behaviour: Behaviour
    taken: bool

    @property
    def unclear(self) -> bool:
        """Can the sender not know whether it was taken?"""
        return isinstance(self.behaviour, Fault) or self.behaviour.status >= 500


TROUBLES = (
    Trouble(0.005, answer(429, "slow down", retry_after="1"), taken=False),
    Trouble(0.001, answer(500, "oops"), taken=False),
    Trouble(0.002, answer(500, "oops"), taken=True),
    Trouble(0.001, Fault.RESET, taken=False),
    Trouble(0.001, Fault.RESET, taken=True),
    Trouble(0.001, Fault.HALF, taken=True),
    Trouble(0.0005, Fault.HANG, taken=True),
    Trouble(0.0005, Fault.TRICKLE, taken=True),
)
"""Hanging and trickling hold one of an account's sixteen sends for half a minute, so they are rare."""


class Troubles:
    """Draws trouble. `unclear` are the replies with an answer from which the sender cannot know what became of them."""

    def __init__(self, seed: int, troubles: Sequence[Trouble] = TROUBLES) -> None:
        self._random, self._troubles = random.Random(seed), troubles
        self.unclear: set[str] = set()

    def next(self, reply: str) -> Trouble | None:
        """The trouble with this reply; None: none."""
        drawn = self._random.random()
        for trouble in self._troubles:
            if drawn < trouble.share:
                if trouble.unclear:
                    self.unclear.add(reply)
                return trouble
            drawn -= trouble.share
        return None


class Meta(Graph):
    """`times` counts what was taken, by reference; `report` gets reference and body of the status webhook."""

    def __init__(self, token: str, seed: int, report: Callable[[str, bytes], None]) -> None:
        super().__init__(token)
        self.received = deque(maxlen=100)  # type: ignore[assignment]
        self.times: Counter[str] = Counter()
        self.troubles, self._report, self._numbers = Troubles(seed), report, count(1)

    def _message(self, message: dict[str, Any]) -> Behaviour:
        if not message.get("text", {}).get("body"):
            return error(400, 100)
        reply = message["biz_opaque_callback_data"]
        trouble = self.troubles.next(reply)
        if trouble and not trouble.taken:
            return trouble.behaviour
        native = f"wamid.sent.{next(self._numbers)}"
        self.times[reply] += 1
        self._report(reply, status_body(reply, native, message["to"], ("sent", "delivered")))
        taken = answer(200, {"messaging_product": "whatsapp", "messages": [{"id": native}]})
        return trouble.behaviour if trouble else taken


class Gateway(Kannel):
    """`times` counts by the reference in the URL to which it would report."""

    def __init__(self, seed: int) -> None:
        super().__init__("u", "p")
        self.received = deque(maxlen=100)  # type: ignore[assignment]
        self.times: Counter[str] = Counter()
        self.troubles = Troubles(seed)

    def _respond(self, received: Received) -> Behaviour:
        trouble = self.troubles.next(_reference(received.params))
        if trouble and not trouble.taken:
            return trouble.behaviour
        behaviour = super()._respond(received)
        while self.sent:
            self.times[_reference(self.sent.pop())] += 1
        return trouble.behaviour if trouble else behaviour


def _reference(params: dict[str, str]) -> str:
    return parse_qs(urlsplit(params["dlr-url"]).query)["ref"][0]


class Providers(NamedTuple):
    """Both."""

    meta: Meta
    gateway: Gateway

    @property
    def times(self) -> dict[str, int]:
        """How often each reply was taken, by our reference."""
        return {**self.meta.times, **self.gateway.times}

    @property
    def unclear(self) -> set[str]:
        """The replies of which the sender cannot know what became of them."""
        return self.meta.troubles.unclear | self.gateway.troubles.unclear
