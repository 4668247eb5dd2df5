"""Meta's Graph API, as far as pages and Instagram accounts use it: messages, private replies, comments, token facts."""

from __future__ import annotations

from typing import Any

from tests.fakes.graph import error
from tests.fakes.server import Behaviour, Received, Server, answer

VERSION = "/v25.0"
WINDOW_CLOSED = error(403, 10, 2018278)
PRIVATE_REPLY_USED = error(400, 10900)


class PageGraph(Server):
    """`with PageGraph() as graph`: settings take `graph.graph_url`. What was sent stands in `graph.sent`."""

    def __init__(self, token: str = "token-graph") -> None:
        super().__init__(self._respond)
        self.token = token
        self.late: set[str] = set()
        """People who last wrote more than 24 hours ago."""
        self.human_agent = True
        """Has Meta granted the app the feature?"""
        self.sent: list[dict[str, Any]] = []
        self.comments: list[tuple[str, str]] = []
        """Comments of ours: below which one, and its words."""
        self.nodes: dict[str, Any] = {}
        """Answers to GET, by path."""
        self._answered: set[str] = set()

    @property
    def graph_url(self) -> str:
        return self.url + VERSION

    def _respond(self, received: Received) -> Behaviour:
        if received.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, 190)
        path = received.path.removeprefix(VERSION).strip("/")
        if received.method == "GET":
            return answer(200, self.nodes[path]) if path in self.nodes else error(400, 100, 33)
        node, _, edge = path.partition("/")
        if edge == "messages":
            return self._message(received.json)
        if edge in {"comments", "replies"}:
            self.comments.append((node, received.json["message"]))
            return answer(200, {"id": f"{node}_{len(self.comments)}"})
        return error(400, 100)

    def _message(self, message: dict[str, Any]) -> Behaviour:
        recipient, words = message.get("recipient", {}), message.get("message", {}).get("text", "")
        if not recipient or not words or len(words.encode()) > 2000:
            return error(400, 100)
        if post := recipient.get("comment_id") or recipient.get("post_id"):
            if post in self._answered:
                return PRIVATE_REPLY_USED
            self._answered.add(post)
        if recipient.get("id") in self.late and not (message.get("tag") == "HUMAN_AGENT" and self.human_agent):
            return error(403, 10) if message.get("tag") else WINDOW_CLOSED
        self.sent.append(message)
        return answer(200, {"recipient_id": recipient.get("id", "1"), "message_id": f"m_sent.{len(self.sent)}"})
