"""Calls to the Bot API, and what its errors mean.

The token stands in every address, so no address is ever shown. Errors are told apart by Telegram's code and words; its
words are not repeated, as they may name a chat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors._http import TRIES, ErrorMeaning, HttpRequest, HttpResponse
from connectors._json import Json, decode_object, object_of, string_of
from connectors._port import ProviderConnections
from connectors._settings import Secret
from connectors._telegram_content import int_of
from schemas import Reject, Unanswered

DOWNLOAD_WITHIN = 120.0
"""Seconds."""
LIMIT = 64 * 1024 * 1024
"""Bytes of an answer: a hundred updates of the longest kind."""
Judge = Callable[[HttpResponse], ErrorMeaning | None]

_NEW_TOKEN = ErrorMeaning("account", "token_invalid", "enter the token that BotFather shows")
_MEANINGS: tuple[tuple[int, str, ErrorMeaning], ...] = (
    (409, "webhook", ErrorMeaning("account", "webhook_set", "a webhook is set: call deleteWebhook, or change mode")),
    (409, "", ErrorMeaning("account", "another_poller", "another program polls with this token: end it", 2.0)),
    (403, "blocked by the user", ErrorMeaning("reject", "blocked", "the citizen has blocked the bot")),
    (403, "deactivated", ErrorMeaning("reject", "deactivated", "the citizen's account is gone")),
    (403, "initiate", ErrorMeaning("reject", "not_started", "the citizen has not started the bot")),
    (403, "kicked", ErrorMeaning("reject", "kicked", "the bot was removed from the group")),
    (403, "", ErrorMeaning("reject", "forbidden", "the bot may not write there")),
    (400, "chat not found", ErrorMeaning("reject", "chat_not_found", "Telegram does not know this chat")),
    (400, "upgraded to a supergroup", ErrorMeaning("reject", "chat_migrated", "the group has another id")),
    (400, "thread not found", ErrorMeaning("reject", "topic_missing", "the topic is gone")),
    (400, "topic", ErrorMeaning("reject", "topic_missing", "the topic is gone, or closed")),
    (400, "rights to send", ErrorMeaning("reject", "no_rights", "the bot may not write in this group")),
    (400, "business", ErrorMeaning("reject", "no_connection", "the business account took the bot's right away")),
    (400, "file is too big", ErrorMeaning("reject", "file_too_large", "the Bot API gives files of up to 20 MB")),
    (400, "temporarily unavailable", ErrorMeaning("retry", "file_unavailable", "not to be had now", 60.0)),
    (400, "file", ErrorMeaning("reject", "file_gone", "Telegram does not give this file")),
    (400, "logged out", ErrorMeaning("account", "logged_out", "the bot was logged out of this Bot API server")),
    (400, "", ErrorMeaning("reject", "telegram_400", "Telegram refuses the request")),
    (401, "", _NEW_TOKEN),
    (404, "", _NEW_TOKEN),
)
"""Code and a part of the words; the first that fits."""


def judged(response: HttpResponse) -> ErrorMeaning | None:
    """By the Bot API's own answer; None where it is not one."""
    given = decode_object(response.body) or {}
    code, words = int_of(given, "error_code"), string_of(given, "description").lower()
    if code is None:
        return _NEW_TOKEN if response.status == 404 else None
    if code == 429:
        after = int_of(object_of(given, "parameters"), "retry_after")
        return ErrorMeaning("retry", "telegram_429", "asked to wait", float(after or 5))
    return next((meaning for status, part, meaning in _MEANINGS if code == status and part in words), None)


def _judged_file(response: HttpResponse) -> ErrorMeaning | None:
    """Of the bytes of a file: the token was right a moment ago, when its path was asked for."""
    return (
        ErrorMeaning("reject", "file_gone", "Telegram has no such file") if response.status == 404 else judged(response)
    )


@dataclass(frozen=True, slots=True, repr=False)
class BotApi:
    """The Bot API, as one bot calls it. Calls raise Retry, Unanswered, AccountFault or Reject."""

    url: str
    token: Secret
    outbound: ProviderConnections

    async def answer(self, method: str, body: Json, *, judge: Judge = judged, timeout: float | None = None) -> bytes:
        """The answer as it came."""
        request = HttpRequest(
            f"{self._address()}/{method}", "POST", json=body, judge=judge, timeout=timeout, limit=LIMIT
        )
        return (await self.outbound.http.send(request)).body

    async def call(self, method: str, body: Json, *, judge: Judge = judged, timeout: float | None = None) -> Any:
        """The result."""
        answer = decode_object(await self.answer(method, body, judge=judge, timeout=timeout))
        if answer is None or answer.get("ok") is not True:
            raise Unanswered("the Bot API answered with something else than a result", limit=TRIES)
        return answer.get("result")

    async def download(self, file_id: str, limit: int) -> bytes:
        """The bytes of a file."""
        file = await self.call("getFile", {"file_id": file_id})
        path = string_of(file, "file_path") if isinstance(file, dict) else ""
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise Reject("file_elsewhere", "the Bot API names no path of a file of its own")
        request = HttpRequest(
            f"{self._address('/file')}/{quote(path)}", limit=limit, judge=_judged_file, timeout=DOWNLOAD_WITHIN
        )
        return (await self.outbound.http.send(request)).body

    def _address(self, between: str = "") -> str:
        return f"{self.url.rstrip('/')}{between}/bot{quote(self.token.reveal(), safe=':')}"
