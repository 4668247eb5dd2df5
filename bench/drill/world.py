"""The world outside: Meta's Graph API, which reports on what it sent, and Kannel. Both fail a little, and count every
send by our own reference."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.drill.load import status_body
from tests.fakes.graph import Graph, error
from tests.fakes.kannel import Kannel
from tests.fakes.server import Behaviour, Received, answer

FAULTS = 0.01
"""Share of sends that are refused for now, half with 500 and half with 429."""


class Trouble:
    """Says now and then that it cannot just now."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def now(self) -> Behaviour | None:
        dice = self._chance.random()
        if dice >= FAULTS:
            return None
        return answer(429, "slow down", retry_after="1") if dice < FAULTS / 2 else answer(500, "oops")


class Meta(Graph):
    """`sent` counts by reference; `report` is told reference and body of the status webhook."""

    def __init__(self, token: str, seed: int, report: Callable[[str, bytes], None]) -> None:
        super().__init__(token)
        self.received = deque(maxlen=100)  # type: ignore[assignment]
        self.times: Counter[str] = Counter()
        self._trouble, self._report, self._numbers = Trouble(seed), report, count(1)

    def _message(self, message: dict[str, Any]) -> Behaviour:
        if trouble := self._trouble.now():
            return trouble
        if not message.get("text", {}).get("body"):
            return error(400, 100)
        reply, native = message["biz_opaque_callback_data"], f"wamid.sent.{next(self._numbers)}"
        self.times[reply] += 1
        self._report(reply, status_body(reply, native, message["to"], ("sent", "delivered")))
        return answer(200, {"messaging_product": "whatsapp", "messages": [{"id": native}]})


class Gateway(Kannel):
    """`times` counts by the reference in the URL where it would report."""

    def __init__(self, seed: int) -> None:
        super().__init__("u", "p")
        self.received = deque(maxlen=100)  # type: ignore[assignment]
        self.times: Counter[str] = Counter()
        self._trouble = Trouble(seed)

    def _respond(self, received: Received) -> Behaviour:
        if trouble := self._trouble.now():
            return trouble
        behaviour = super()._respond(received)
        while self.sent:
            self.times[parse_qs(urlsplit(self.sent.pop()["dlr-url"]).query)["ref"][0]] += 1
        return behaviour
