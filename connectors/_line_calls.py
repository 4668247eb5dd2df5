"""Calls to LINE's Messaging API: answers by reply token or by push, files, and what its errors mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from connectors._http import TRIES, ErrorMeaning, HttpRequest, HttpResponse
from connectors._json import Json, decode_object, objects_of, string_of
from connectors._port import FetchedFile, ProviderConnections
from connectors._settings import Secret
from schemas import Reject, Retry, Unanswered

DOWNLOAD_WITHIN = 120.0
"""Seconds."""
PREPARED_IN = 10.0
"""Seconds to wait for a file that LINE is still preparing."""
_NO_PUSHES = ErrorMeaning("reject", "push_forbidden", "the channel or its plan allows no pushes")
_TOKEN = ErrorMeaning("account", "token_invalid", "enter a new channel access token")
_MEANINGS: tuple[tuple[int, str, ErrorMeaning], ...] = (
    (429, "monthly limit", ErrorMeaning("reject", "quota_spent", "the month's pushes are spent: buy more and resend")),
    (429, "", ErrorMeaning("retry", "line_429", "asked to wait", 10.0)),
    (400, "invalid reply token", ErrorMeaning("reject", "reply_token_spent", "the reply token is used, or too old")),
    (400, "", ErrorMeaning("reject", "line_400", "LINE refuses the request")),
    (401, "", _TOKEN),
    (403, "", ErrorMeaning("account", "forbidden", "the channel or its plan does not allow this call")),
    (404, "", ErrorMeaning("reject", "not_found", "LINE does not know this id")),
    (409, "", ErrorMeaning("reject", "accepted_before", "the retry key was accepted before")),
)  # fmt: skip
"""Status and a part of the words; the first that fits."""


def judged(response: HttpResponse) -> ErrorMeaning | None:
    """By LINE's own answer; None where it is not one."""
    words = string_of(decode_object(response.body) or {}, "message").lower()
    if not words:
        return None
    return next((meaning for status, part, meaning in _MEANINGS if response.status == status and part in words), None)


@dataclass(frozen=True, slots=True, repr=False)
class LineApi:
    """The Messaging API, as one channel calls it. Calls raise Retry, Unanswered, AccountFault or Reject."""

    url: str
    data_url: str
    token: Secret
    outbound: ProviderConnections

    async def get(self, path: str) -> Json:
        """An answer, as an object."""
        answer = await self.outbound.http.send(HttpRequest(self._at(path), headers=self._headers(), judge=judged))
        return decode_object(answer.body) or {}

    async def reply(self, token: str, messages: Sequence[Json]) -> tuple[str, ...]:
        """Answer by reply token: free, once, within a minute of the message."""
        request = HttpRequest(
            self._at("message/reply"), "POST", headers=self._headers(), judge=judged,
            json={"replyToken": token, "messages": messages},
        )  # fmt: skip
        return _ids((await self.outbound.http.send(request)).body)

    async def push(self, to: str, messages: Sequence[Json], reference: str) -> tuple[str, ...]:
        """Answer within the quota. The reference is the retry key: LINE takes a reply once, so a request that may have
        arrived is made again, and the second answer tells the ids of the first. LINE remembers a key for 24 hours."""
        accepted: list[bytes] = []

        def judge(response: HttpResponse) -> ErrorMeaning | None:
            if response.status == 409:
                accepted.append(response.body)
            meaning = judged(response)
            return _NO_PUSHES if meaning is not None and meaning.code == "forbidden" else meaning

        headers = self._headers() | {"X-Line-Retry-Key": _retry_key(reference)}
        body = {"to": to, "messages": messages}
        request = HttpRequest(self._at("message/push"), "POST", headers=headers, json=body, judge=judge)
        try:
            return _ids((await self.outbound.http.send(request)).body)
        except Reject:
            if not accepted:
                raise
            return _ids(accepted[0])
        except Unanswered as unanswered:
            raise Retry(f"{unanswered.reason}; LINE takes it once", limit=TRIES) from None

    async def download(self, message_id: str, limit: int) -> FetchedFile:
        """The bytes of a message that is a file."""
        url = f"{self.data_url.rstrip('/')}/v2/bot/message/{message_id}/content"
        request = HttpRequest(url, headers=self._headers(), judge=_judged_file, limit=limit, timeout=DOWNLOAD_WITHIN)
        response = await self.outbound.http.send(request)
        if response.status == 202:
            raise Retry("LINE is still preparing the file", after=PREPARED_IN)
        return FetchedFile(response.body, response.headers.get("content-type"))

    def _at(self, path: str) -> str:
        return f"{self.url.rstrip('/')}/v2/bot/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.reveal()}"}


def _judged_file(response: HttpResponse) -> ErrorMeaning | None:
    if response.status in {404, 410}:
        return ErrorMeaning("reject", "file_gone", "LINE has no such file any more")
    return judged(response)


def _retry_key(reference: str) -> str:
    try:
        return str(UUID(reference))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, reference))


def _ids(body: bytes) -> tuple[str, ...]:
    answer: Any = decode_object(body)
    if answer is None:
        raise Unanswered("LINE answered with something else than an object", limit=TRIES)
    return tuple(filter(None, (string_of(one, "id") for one in objects_of(answer, "sentMessages"))))
