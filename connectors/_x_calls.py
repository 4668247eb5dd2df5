"""Requests to the API of X: signed, judged by X's own problems, and not before X's own limits allow it.

The signature (OAuth 1.0a) is tweepy's; the request is ours, since tweepy's own blocks a thread and does not tell a
request that surely did not arrive from one that may have (docs/decisions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from connectors._http import TRIES, ErrorMeaning, HttpRequest, HttpResponse
from connectors._json import Json, decode_object, objects_of, string_of
from connectors._port import ProviderConnections
from schemas import AccountFault, Retry, Unanswered

if TYPE_CHECKING:
    from connectors._x_settings import XSettings

_UNTIL = "x-rate-limit-reset"
_LEFT = "x-rate-limit-remaining"
_PROBLEMS: tuple[tuple[str, ErrorMeaning], ...] = (
    ("credits", ErrorMeaning("account", "credits_spent", "buy credits in X's developer console", 900.0)),
    ("usage-capped", ErrorMeaning("account", "usage_capped", "the limit set in X's console is reached", 3600.0)),
    ("client-forbidden", ErrorMeaning("account", "app_not_enrolled", "attach the app to a project in X's console")),
    ("oauth1-permissions", ErrorMeaning("account", "permission_missing", "give the app the right to read and write")),
    ("unsupported-authentication", ErrorMeaning("account", "wrong_secrets", "enter all four keys of the app")),
    ("suspended", ErrorMeaning("account", "suspended", "X has suspended the account")),
    ("locked", ErrorMeaning("account", "locked", "X has locked the account: log in and unlock it")),
    ("duplicate content", ErrorMeaning("reject", "duplicate", "X has this answer already")),
    ("reply to this conversation", ErrorMeaning("reject", "not_addressed", "X lets us answer only who addressed us")),
    ("not visible to you", ErrorMeaning("reject", "gone", "the post was deleted, or is hidden from us")),
    ("deleted", ErrorMeaning("reject", "gone", "the post was deleted, or is hidden from us")),
    ("not been mentioned", ErrorMeaning("reject", "not_addressed", "X lets us answer only who addressed us")),
    ("cannot send messages", ErrorMeaning("reject", "undeliverable", "this person takes no messages from us")),
    ("encrypted", ErrorMeaning("reject", "undeliverable", "the conversation is encrypted: point to another door")),
)
"""A word of a problem's type, title or detail, and its meaning; the first that fits."""


class _Signer(Protocol):
    def sign(self, uri: str, http_method: str, **known: Any) -> tuple[str, Mapping[str, str | bytes], Any]: ...


class XCalls:
    """The requests of one account."""

    def __init__(self, settings: XSettings, now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        self._closed: dict[str, float] = {}
        """Until when X's limit for a path is used up: seconds since 1970."""

    async def get(
        self, outbound: ProviderConnections, path: str, params: Mapping[str, str], *, own: bool
    ) -> tuple[Json, bytes]:
        """An answer of the API, and its bytes. `own`: in the name of the account, which some paths need. Raises what
        `Http.send` raises, and Retry until X's limit for the path is over."""
        token = self._settings.bearer_token.reveal()
        url = self.url(path)
        headers = {"Authorization": f"Bearer {token}"} if token and not own else self._signed("GET", url, params)
        return await self._send(outbound, HttpRequest(url, "GET", params, headers, judge=self._judged(path)), path)

    async def set_rules(self, outbound: ProviderConnections, json: Json) -> None:
        """Change the rules of the filtered stream, in the name of the app."""
        path = "tweets/search/stream/rules"
        request = HttpRequest(self.url(path), "POST", {}, self.bearer(), json, judge=self._judged(path, sending=True))
        await self._send(outbound, request, f"POST {path}")

    def bearer(self) -> dict[str, str]:
        """The header that proves the app. Raises AccountFault."""
        if not (token := self._settings.bearer_token.reveal()):
            raise AccountFault("setting_missing", "set bearer_token of this account: the stream needs it")
        return {"Authorization": f"Bearer {token}"}

    async def post(self, outbound: ProviderConnections, path: str, json: Json) -> tuple[Json, bytes]:
        """As `get`, in the name of the account."""
        url = self.url(path)
        headers = self._signed("POST", url, {})
        limit = "dm" if path.startswith("dm_") else path
        return await self._send(
            outbound, HttpRequest(url, "POST", {}, headers, json, judge=self._judged(limit, sending=True)), limit
        )

    async def _send(self, outbound: ProviderConnections, request: HttpRequest, limit: str) -> tuple[Json, bytes]:
        left = self._closed.get(limit, 0.0) - self._now().timestamp()
        if left > 0:
            raise Retry("X's limit is used up for a while", after=left)
        response = await outbound.http.send(request)
        if response.headers.get(_LEFT) == "0" and (until := _number(response.headers.get(_UNTIL, ""))):
            self._closed[limit] = until
        answer = decode_object(response.body)
        if answer is None:
            raise Unanswered("X answered with something else than an object", limit=TRIES)
        return answer, response.body

    def url(self, path: str) -> str:
        """The address of a path of the API."""
        return f"{self._settings.api_url.rstrip('/').removesuffix('/2')}/2/{path}"

    def _signed(self, method: str, url: str, params: Mapping[str, str]) -> dict[str, str]:
        """The header that proves who asks. Raises AccountFault."""
        try:
            _, headers, _ = self._signer.sign(f"{url}?{urlencode(params)}" if params else url, http_method=method)
        except ValueError:
            raise AccountFault("unusable_settings", "no request can be signed with the account's keys") from None
        proof = headers["Authorization"]
        return {"Authorization": proof.decode() if isinstance(proof, bytes) else proof}

    @cached_property
    def _signer(self) -> _Signer:
        import tweepy  # type: ignore[import-untyped] # 0.4 s with what it imports

        own = self._settings
        keys = (own.consumer_key, own.consumer_secret, own.access_token, own.access_secret)
        signer: _Signer = tweepy.OAuth1UserHandler(*(key.reveal() for key in keys)).apply_auth().client
        return signer

    def _judged(self, limit: str, *, sending: bool = False) -> Callable[[HttpResponse], ErrorMeaning | None]:
        def judged(response: HttpResponse) -> ErrorMeaning | None:
            problem = judge_problem(response, sending=sending)
            return self._limited(limit, response) if problem is None and response.status == 429 else problem

        return judged

    def _limited(self, limit: str, response: HttpResponse) -> ErrorMeaning:
        until = _number(response.headers.get(_UNTIL, ""))
        self._closed[limit] = until
        after = max(until - self._now().timestamp(), 1.0) if until else 60.0
        return ErrorMeaning("retry", "rate_limited", "X's limit is used up for a while", after)


def judge_problem(response: HttpResponse, *, sending: bool) -> ErrorMeaning | None:
    """By X's own words, where it sends them. A 403 without a word that we know is about the answer, or, of a poll,
    about the account."""
    if response.status == 402:
        return _PROBLEMS[0][1]
    problem = decode_object(response.body)
    if problem is None or response.status not in range(400, 500):
        return None
    words = " ".join(_words(problem)).lower()
    found = next((meaning for word, meaning in _PROBLEMS if word in words), None)
    if found or response.status != 403 or not sending:
        return found
    return ErrorMeaning("reject", "not_allowed", "X does not allow this answer") if words.strip() else None


def native_of(data: Json, name: str) -> str:
    """The id of what was sent. Raises Unanswered."""
    if not (native := string_of(data, name)):
        raise Unanswered("X gave no id for the answer")
    return native


def _words(problem: Json) -> list[str]:
    """Of the problem, and of those that it lists."""
    names = ("type", "title", "detail", "reason", "message")
    return [string_of(one, name) for one in (problem, *objects_of(problem, "errors")) for name in names]


def _number(written: str) -> float:
    return float(written) if written.isascii() and written.isdigit() else 0.0
