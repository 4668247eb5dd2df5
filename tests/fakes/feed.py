"""The provider of the made-up channel `feed`: news by HTTP, at most so many at once."""

from __future__ import annotations

from typing import Any

from connectors import HttpResponse
from tests.fakes.server import Received, Server, answer


class FeedServer(Server):
    """`with FeedServer() as feed`: settings take `feed.url`. News stands in `feed.items`, positions count from 1."""

    def __init__(self, token: str = "rahasia-umpan", at_most: int = 100) -> None:
        super().__init__(self._respond)
        self.items: list[dict[str, Any]] = []
        self._token = token
        self._at_most = at_most

    def _respond(self, received: Received) -> HttpResponse:
        if received.headers.get("authorization") != f"Bearer {self._token}":
            return answer(401, "")
        after = int(received.params["after"])
        some = self.items[after : after + self._at_most]
        reached = after + len(some)
        return answer(200, {"items": some, "reached": str(reached), "more": reached < len(self.items)})
