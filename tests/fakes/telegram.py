"""The Bot API, as far as a bot of ours uses it: long polling with confirmed offsets, one poller at a time, sending,
files, the webhook's state. Kept beside the faults of `Server.then`."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import unquote

from connectors import HttpResponse
from tests.fakes.server import Received, Server, answer

DATE = 1755400000


class TelegramServer(Server):
    """`with TelegramServer() as telegram`: settings take `telegram.url`. Sent messages stand in `telegram.sent`."""

    def __init__(self, token: str = "1708:rahasia-bot") -> None:
        super().__init__(self._respond)
        self._token = token
        self._changed = threading.Condition()
        self._poller = 0
        self._last = 5000
        self.updates: list[dict[str, Any]] = []
        """Those that no poll has confirmed."""
        self.confirmed: list[int] = []
        self.sent: list[dict[str, Any]] = []
        self.acknowledged: list[str] = []
        self.files: dict[str, bytes] = {}
        self.topics: set[int] = set()
        """The topics that exist."""
        self.moved: dict[int, int] = {}
        """Groups that became supergroups."""
        self.blocked: set[int] = set()
        """Citizens who have blocked the bot."""
        self.webhook: dict[str, Any] = {"url": "", "pending_update_count": 0}

    def bring(self, word: str = "message", **value: Any) -> int:
        """One more update; its id."""
        with self._changed:
            self._last += 1
            self.updates.append({"update_id": self._last, word: value})
            self._changed.notify_all()
            return self._last

    def write(self, number: int, text: str, citizen: int = 811000001) -> int:
        """A citizen writes in the private chat."""
        person = {"id": citizen, "is_bot": False, "first_name": "Sari"}
        chat = {"id": citizen, "type": "private", "first_name": "Sari"}
        return self.bring(message_id=number, **{"from": person}, chat=chat, date=DATE, text=text)

    def _respond(self, received: Received) -> HttpResponse:
        bot, _, method = received.path.removeprefix("/file").removeprefix("/bot").partition("/")
        if bot != self._token:
            return error(401, "Unauthorized")
        if received.path.startswith("/file/"):
            file = self.files.get(unquote(method).removeprefix("files/"))
            return error(404, "Not Found") if file is None else answer(200, file)
        calls = {
            "getUpdates": self._updates, "sendMessage": self._send, "answerCallbackQuery": self._acknowledge,
            "getFile": self._file, "getMe": self._me, "getWebhookInfo": lambda _: done(self.webhook),
        }  # fmt: skip
        return calls[method](received.json) if method in calls else error(404, "Not Found")

    def _updates(self, body: dict[str, Any]) -> HttpResponse:
        if self.webhook["url"]:
            return error(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook")
        with self._changed:
            self._poller += 1
            own, until = self._poller, time.monotonic() + body.get("timeout", 0)
            self._changed.notify_all()
            first = body.get("offset", 0)
            self.confirmed += [u["update_id"] for u in self.updates if u["update_id"] < first]
            self.updates = [u for u in self.updates if u["update_id"] >= first]
            while not self.updates and own == self._poller and (left := until - time.monotonic()) > 0:
                if self.wait(0):
                    break
                self._changed.wait(min(left, 0.05))
            if own != self._poller:
                return error(409, "Conflict: terminated by other getUpdates request")
            return done(self.updates[: body.get("limit", 100)])

    def _send(self, body: dict[str, Any]) -> HttpResponse:
        chat, topic = body.get("chat_id"), body.get("message_thread_id")
        if chat in self.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return error(400, words, migrate_to_chat_id=self.moved[chat])
        if chat in self.blocked:
            return error(403, "Forbidden: bot was blocked by the user")
        if topic is not None and topic not in self.topics:
            return error(400, "Bad Request: message thread not found")
        if not body.get("text") or len(body["text"].encode("utf-16-le")) > 2 * 4096:
            return error(400, "Bad Request: message is too long")
        self.sent.append(body)
        return done({"message_id": 9000 + len(self.sent), "chat": {"id": chat, "type": "private"}, "date": DATE})

    def _acknowledge(self, body: dict[str, Any]) -> HttpResponse:
        self.acknowledged.append(body["callback_query_id"])
        return done(True)

    def _file(self, body: dict[str, Any]) -> HttpResponse:
        file = self.files.get(body["file_id"])
        if file is None:
            return error(400, "Bad Request: invalid file_id")
        if len(file) > 20 * 1024 * 1024:
            return error(400, "Bad Request: file is too big")
        return done({"file_id": body["file_id"], "file_size": len(file), "file_path": f"files/{body['file_id']}"})

    def _me(self, _: dict[str, Any]) -> HttpResponse:
        return done({"id": 1708, "is_bot": True, "username": "aduan_bot", "can_read_all_group_messages": False})


def done(result: Any) -> HttpResponse:
    """An answer with a result."""
    return answer(200, {"ok": True, "result": result})


def error(code: int, words: str, **parameters: Any) -> HttpResponse:
    """An error as the Bot API words it."""
    body = {"ok": False, "error_code": code, "description": words}
    return answer(code, body | ({"parameters": parameters} if parameters else {}))
