"""What all doors of Meta's have in common: the signature, the subscription, the Graph API and its errors.

Facts: developers.facebook.com, Graph API webhooks ("validate payloads"), WhatsApp's error codes, media.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from connectors._http import TRIES, Call, Heard, Unanswered
from connectors._port import Answer, Forbidden, Listens, Request, Secret, Settings
from schemas import Reject, Retry, RoadError

if TYPE_CHECKING:
    from connectors._http import Http

_AGAIN = {
    2: 30.0,  # service temporarily down
    4: 300.0,  # the app's rate limit
    613: 300.0,  # an API's rate limit
    80007: 300.0,  # the business account's rate limit
    130429: 30.0,  # throughput of the number
    131000: 30.0,  # something went wrong, at Meta
    131016: 60.0,  # service overloaded
    131048: 3600.0,  # the number is held back for a while
    131056: 10.0,  # too many messages to one citizen
    131057: 300.0,  # the account is being moved
    133004: 60.0,  # server temporarily unavailable
}
"""Codes that pass, and the seconds to wait where the answer names none."""
_WORDS = {
    0: "the access token is not accepted: enter a new one",
    10: "a permission is missing: grant it to the access token",
    100: "a parameter is not accepted: check phone_number_id and graph_url",
    190: "the access token has expired: enter a new one",
    131026: "cannot be delivered to this citizen",
    131047: "more than 24 hours since the citizen wrote: only a template may be sent",
}
"""Codes for which there is something better to say than their number."""


class MetaSettings(Settings, frozen=True, kw_only=True):
    app_secret: Secret = Secret("")
    """Signs every request of Meta's."""
    verify_token: Secret = Secret("")
    """What Meta repeats when the webhook is subscribed."""
    access_token: Secret = Secret("")
    """Without it nothing can be answered and no picture fetched."""
    graph_url: str = "https://graph.facebook.com/v23.0"
    file_limit: int = 25 * 1024 * 1024
    """Bytes of an attachment; WhatsApp itself takes documents of up to 100 MB."""


class MetaDoor(Listens):
    """A channel whose webhook Meta calls."""

    methods = frozenset({"GET", "POST"})
    kept_headers = ()
    secret_parameters = frozenset({"hub.verify_token"})

    def verify(self, request: Request) -> None:
        if request.method == "GET":
            self._verify_subscription(parse_qs(request.query))
            return
        scheme, _, given = request.headers.get("x-hub-signature-256", "").partition("=")
        if scheme != "sha256":
            raise Forbidden("no signature")
        if not self.settings.app_secret:
            raise Forbidden("no app_secret to check the signature with")
        right = hmac.digest(self.settings.app_secret.reveal().encode(), request.body, "sha256").hex()
        if not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            raise Forbidden("wrong signature")

    def _verify_subscription(self, asked: Mapping[str, list[str]]) -> None:
        if asked.get("hub.mode") != ["subscribe"]:
            raise Forbidden("no subscription")
        if not self.settings.verify_token.matches(asked.get("hub.verify_token", [""])[0]):
            raise Forbidden("wrong verify_token")

    def challenge(self, request: Request) -> Answer | None:
        if request.method != "GET":
            return None
        return Answer(200, parse_qs(request.query).get("hub.challenge", [""])[0].encode())

    def graph(self, http: Http, path: str, json: Any = None) -> Mapping[str, Any]:
        """What the Graph API answers: to a POST where there is something to post. Raises Retry, Unanswered, Reject."""
        call = Call(
            f"{self.settings.graph_url.rstrip('/')}/{path}",
            method="GET" if json is None else "POST",
            headers=self._token(),
            json=json,
            judge=lambda heard: _judged(heard, http),
        )
        try:
            said = msgspec.json.decode(http.ask(call).body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = None
        if isinstance(said, dict):
            return said
        raise Unanswered("the Graph API answered with something else than an object", limit=TRIES)

    def download(self, http: Http, url: str) -> Heard:
        """The bytes that the Graph API pointed to. Our token goes there too, so never from https to http."""
        if urlsplit(url).scheme != urlsplit(self.settings.graph_url).scheme:
            raise Reject("the file lies at an address of another scheme than the Graph API's")
        return http.ask(Call(url, headers=self._token(), limit=self.settings.file_limit))

    def _token(self) -> dict[str, str]:
        if not self.settings.access_token:
            raise Reject("no access_token is set for this account")
        return {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}


def _judged(heard: Heard, http: Http) -> RoadError | None:
    """By Meta's own code, which says more than the status."""
    try:
        code = msgspec.json.decode(heard.body)["error"]["code"]
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return None
    if not isinstance(code, int):
        return None
    if code in _AGAIN:
        after = http.retry_after(heard)
        return Retry(f"Meta's error {code}", after=_AGAIN[code] if after is None else after, limit=TRIES)
    if heard.status == 429 or heard.status >= 500:
        return None
    return Reject(f"Meta's error {code}: {_WORDS.get(code, 'see its list of error codes')}")
