"""The common ground of Meta's channels: the signature, the subscription, the Graph API and its error codes.

Facts: developers.facebook.com, Graph API webhooks ("validate payloads") and error handling; WhatsApp's error codes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from connectors._http import TRIES, ErrorMeaning, HttpRequest, HttpResponse, scheme_and_host
from connectors._json import Json, decode_object, object_of
from connectors._port import FetchedFile, Listens, ProviderConnections
from connectors._request import Forbidden, IngressResponse, Request
from connectors._settings import Secret, Settings
from schemas import Reject, Unanswered

DOWNLOAD_WITHIN = 120.0
"""Seconds."""
_SPENT = "the account's quota is spent for a while"
_CODES: dict[int, ErrorMeaning] = {
    0: ErrorMeaning("account", "token_invalid", "enter a new access_token"),
    2: ErrorMeaning("retry", "meta_2", "temporarily down", 30.0),
    3: ErrorMeaning("account", "permission_missing", "the app may not use this part of the Graph API"),
    4: ErrorMeaning("account", "rate_limited", _SPENT, 300.0),
    10: ErrorMeaning("account", "permission_missing", "grant it to the access token"),
    33: ErrorMeaning("account", "number_missing", "the phone number was deleted: check phone_number_id"),
    190: ErrorMeaning("account", "token_expired", "enter a new access_token"),
    368: ErrorMeaning("account", "blocked", "Meta blocks the account for a breach of its policy"),
    613: ErrorMeaning("account", "rate_limited", _SPENT, 300.0),
    80007: ErrorMeaning("account", "rate_limited", _SPENT, 300.0),
    100: ErrorMeaning("account", "request_refused", "Meta refuses the request: check phone_number_id and graph_url"),
    130429: ErrorMeaning("retry", "meta_130429", "throughput of the number", 30.0),
    130497: ErrorMeaning("account", "blocked", "Meta bars the account from writing to this country"),
    131000: ErrorMeaning("retry", "meta_131000", "something went wrong at Meta; the message was not sent", 30.0),
    131005: ErrorMeaning("account", "permission_missing", "access denied: check the access token's permissions"),
    131016: ErrorMeaning("retry", "meta_131016", "service overloaded", 60.0),
    131021: ErrorMeaning("reject", "recipient_is_sender", "the number is our own"),
    131026: ErrorMeaning("reject", "undeliverable", "cannot be delivered to this citizen"),
    131030: ErrorMeaning("account", "test_number", "a test number of Meta's writes to listed citizens only"),
    131031: ErrorMeaning("account", "blocked", "Meta has locked the account"),
    131042: ErrorMeaning("account", "payment", "mend the payment method in Meta's dashboard"),
    131045: ErrorMeaning("account", "number_not_registered", "register the phone number"),
    131047: ErrorMeaning(
        "reject", "window_closed", "more than 24 hours since the citizen wrote: only a template may be sent"
    ),
    131048: ErrorMeaning("account", "held_back", "Meta holds the number back, as too many citizens blocked it", 3600.0),
    131049: ErrorMeaning("reject", "undeliverable", "Meta limits how much this citizen gets"),
    131056: ErrorMeaning("retry", "meta_131056", "too many messages to one citizen", 10.0),
    131057: ErrorMeaning("account", "maintenance", "the account is being moved", 300.0),
    133004: ErrorMeaning("retry", "meta_133004", "server temporarily unavailable", 60.0),
    133010: ErrorMeaning("account", "number_not_registered", "register the phone number"),
}
"""Meta's codes and their meaning. A rate limit concerns the whole account, so all its replies wait."""
_NO_SUCH_OBJECT = 33
"""Subcode of code 100: the address names an object that does not exist, or is not ours."""


class MetaSettings(Settings, frozen=True, kw_only=True):
    app_secret: Secret = Secret("")
    """Signs every request of Meta's."""
    verify_token: Secret = Secret("")
    """The word that Meta repeats when the webhook is subscribed."""
    access_token: Secret = Secret("")
    """Without it nothing can be answered and no picture fetched."""
    graph_url: str = "https://graph.facebook.com/v23.0"
    """The Graph API, with its version."""
    file_hosts: tuple[str, ...] = ("lookaside.fbsbx.com",)
    """Hosts besides graph_url's own from which attachments are fetched: the access token goes nowhere else."""
    file_limit: int = 25 * 1024 * 1024
    """Bytes of an attachment; WhatsApp itself takes documents of up to 100 MB."""


class MetaWebhook(Listens):
    """A channel whose webhook Meta calls."""

    outbound_settings = ("access_token",)
    proof_settings = ("app_secret", "verify_token")
    url_settings = ("graph_url",)
    methods = frozenset({"GET", "POST"})
    proof_header = "x-hub-signature-256"
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

    def _verify_subscription(self, query: Mapping[str, list[str]]) -> None:
        if query.get("hub.mode") != ["subscribe"]:
            raise Forbidden("no subscription")
        if not self.settings.verify_token.matches(query.get("hub.verify_token", [""])[0]):
            raise Forbidden("wrong verify_token")

    def challenge(self, request: Request) -> IngressResponse | None:
        if request.method != "GET":
            return None
        return IngressResponse(200, parse_qs(request.query).get("hub.challenge", [""])[0].encode())

    async def graph(self, outbound: ProviderConnections, path: str, json: Any = None) -> Json:
        """The Graph API's answer: to a POST where there is something to post. Raises what `Http.send` raises."""
        request = HttpRequest(
            f"{self.settings.graph_url.rstrip('/')}/{path}",
            method="GET" if json is None else "POST",
            headers=self._authorization(),
            json=json,
            judge=_judged_file if json is None else _judged,
        )
        answer = decode_object((await outbound.http.send(request)).body)
        if answer is None:
            raise Unanswered("the Graph API answered with something else than an object", limit=TRIES)
        return answer

    async def download(self, outbound: ProviderConnections, url: str) -> FetchedFile:
        """The bytes that the Graph API pointed to. Our token goes along, so only to hosts of the provider's."""
        try:
            scheme, host = scheme_and_host(url)
            own_scheme, own_host = scheme_and_host(self.settings.graph_url)
        except ValueError:
            raise Reject("file_elsewhere", "the file has no address") from None
        if scheme != own_scheme or host not in {own_host, *self.settings.file_hosts}:
            raise Reject("file_elsewhere", "the file lies at a host that is not the provider's: see file_hosts")
        response = await outbound.http.send(
            HttpRequest(url, headers=self._authorization(), limit=self.settings.file_limit, timeout=DOWNLOAD_WITHIN)
        )
        return FetchedFile(response.body)

    def _authorization(self) -> dict[str, str]:
        self.require_outbound()
        return {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    """By Meta's own code, which says more than the status."""
    if 300 <= response.status < 400:
        return ErrorMeaning("account", "wrong_graph_url", "the Graph API redirects: set graph_url to where it leads")
    error = object_of(decode_object(response.body) or {}, "error")
    code, subcode = error.get("code"), error.get("error_subcode")
    if not isinstance(code, int):
        others = response.status in range(400, 500) and response.status not in _BY_STATUS
        return (
            ErrorMeaning("account", "wrong_graph_url", "graph_url leads to somebody else than Meta") if others else None
        )
    if code == 100 and subcode == _NO_SUCH_OBJECT:
        return ErrorMeaning("account", "number_missing", "check phone_number_id and the access token's permissions")
    if 200 <= code <= 299:
        return ErrorMeaning("account", "permission_missing", "grant it to the access token")
    unknown = ErrorMeaning("reject", f"meta_{code}", "see Meta's list of error codes")
    return _CODES.get(
        code, unknown if response.status in range(400, 500) and response.status not in _BY_STATUS else None
    )


_BY_STATUS = frozenset({401, 403, 408, 429})
"""Where there is no code of Meta's that we know, these say more."""


def _judged_file(response: HttpResponse) -> ErrorMeaning | None:
    """As `_judged`, of a file. It is gone, or the token may not see it, and Meta says the same of both: it is tried
    until it expires."""
    verdict = _judged(response)
    if verdict is not None and verdict.code in {"number_missing", "request_refused"}:
        return ErrorMeaning("retry", "file_missing", "Meta does not show the file")
    return verdict
