"""LINE's Messaging API: reply tokens that work once, pushes with a retry key and a quota, files that take a while."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from connectors import HttpResponse
from tests.fakes.server import Received, Server, answer


class LineServer(Server):
    """`with LineServer() as line`: settings take `line.url` twice. Sent messages stand in `line.sent`."""

    def __init__(self, token: str = "token-line", quota: int = 200) -> None:
        super().__init__(self._respond)
        self._token = token
        self.quota, self.pushed = quota, 0
        self.reply_tokens = {"token-1"}
        """Those that still work."""
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, bytes | None] = {}
        """By message id; None: still being prepared."""
        self.info = {"displayName": "Aduan Kota", "basicId": "@aduan", "chatMode": "bot"}
        self.webhook = {"endpoint": "https://aduan.example.go.id/in/rekam", "active": True}
        self._accepted: dict[str, HttpResponse] = {}

    def _respond(self, received: Received) -> HttpResponse:
        if received.headers.get("authorization") != f"Bearer {self._token}":
            return refusal(401, "Authentication failed due to the following reason: invalid token")
        path = received.path.removeprefix("/v2/bot/")
        if path == "message/reply":
            return self._reply(received)
        if path == "message/push":
            return self._push(received)
        if path.endswith("/content"):
            return self._content(path.split("/")[1])
        known = {
            "info": self.info, "channel/webhook/endpoint": self.webhook,
            "message/quota": {"type": "limited", "value": self.quota},
            "message/quota/consumption": {"totalUsage": self.pushed},
        }  # fmt: skip
        return answer(200, known[path]) if path in known else refusal(404, "Not found")

    def _reply(self, received: Received) -> HttpResponse:
        if "x-line-retry-key" in received.headers:
            return refusal(400, "Retry key is not supported")
        if received.json["replyToken"] not in self.reply_tokens:
            return refusal(400, "Invalid reply token")
        self.reply_tokens.remove(received.json["replyToken"])
        return self._taken(received.json)

    def _push(self, received: Received) -> HttpResponse:
        key = str(UUID(received.headers["x-line-retry-key"]))
        if key in self._accepted:
            first = self._accepted[key]
            return answer(409, {"message": "The retry key is already accepted", **json.loads(first.body)})
        if self.pushed >= self.quota:
            return refusal(429, "You have reached your monthly limit.")
        self.pushed += 1
        self._accepted[key] = self._taken(received.json)
        return self._accepted[key]

    def _taken(self, body: dict[str, Any]) -> HttpResponse:
        if not 0 < len(body["messages"]) <= 5:
            return refusal(400, "The request body has 1 error(s)")
        self.sent.append(body)
        return answer(200, {"sentMessages": [{"id": f"{len(self.sent)}{n}"} for n, _ in enumerate(body["messages"])]})

    def _content(self, message_id: str) -> HttpResponse:
        if message_id not in self.files:
            return refusal(404, "Not found")
        file = self.files[message_id]
        return answer(202, "") if file is None else answer(200, file, content_type="image/jpeg")


def refusal(status: int, words: str) -> HttpResponse:
    """An error as LINE words it."""
    return answer(status, {"message": words})
