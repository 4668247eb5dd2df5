"""The common ground of Meta's channels: the signature, the subscription, requests to the Graph API, files.

Facts: developers.facebook.com, Graph API webhooks ("validate payloads").
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from connectors._http import (
    TRIES,
    ErrorMeaning,
    HttpRequest,
    HttpResponse,
    is_at,
    judge_unproven,
    require_host,
    scheme_and_host,
)
from connectors._json import Json, decode_lenient, decode_object
from connectors._meta_check import lapses_at, token_facts
from connectors._meta_codes import COMMON, Codes, judge, judge_file
from connectors._port import FetchedFile, Listens, ProviderConnections
from connectors._request import Forbidden, IngressResponse, Payload, Request
from connectors._settings import Secret, Settings
from schemas import AccountFault, Reject, Unanswered

DOWNLOAD_WITHIN = 120.0
"""Seconds."""
WINDOW = timedelta(hours=24)
"""After the citizen's last message, in which Meta takes any answer."""
LATER = frozenset({"officer_answer", "question", "status_changed", "finished"})
"""Templates of answers to what an office did: they come days after the citizen wrote."""
_OF_SENDER = frozenset({"number_missing", "number_not_registered", "permission_missing", "wrong_page"})
"""Codes of faults of the number or page that sends."""
_OLD_ADDRESS = (b"URL signature", b"Bad URL", b"URL timestamp")


class MetaSettings(Settings, frozen=True, kw_only=True):
    app_secret: Secret = Secret("")
    """Signs every request of Meta's."""
    verify_token: Secret = Secret("")
    """The word that Meta repeats when the webhook is subscribed."""
    access_token: Secret = Secret("")
    """Without it nothing can be answered and no picture fetched."""
    graph_url: str = "https://graph.facebook.com/v25.0"
    """The Graph API, with its version; Meta ends v25 in July 2028."""
    file_hosts: tuple[str, ...] = ("lookaside.fbsbx.com",)
    """Hosts besides graph_url's own from which attachments are fetched: the access token goes nowhere else."""
    file_limit: int = 25 * 1024 * 1024
    """Bytes of an attachment; WhatsApp itself takes documents of up to 100 MB."""


class MetaWebhook(Listens):
    """A channel whose webhook Meta calls."""

    codes: ClassVar[Codes] = COMMON
    """Meta's error codes, as far as this kind gets them."""
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

    async def graph(
        self, outbound: ProviderConnections, path: str, json: Any = None,
        params: Mapping[str, str] | None = None, *, of_file: bool = False,
    ) -> Json:  # fmt: skip
        """The Graph API's answer: to a POST where there is something to post. Raises what `Http.send` raises."""
        request = HttpRequest(
            f"{self.settings.graph_url.rstrip('/')}/{path}",
            method="GET" if json is None else "POST",
            params=params or {},
            headers=self._authorization(),
            json=json,
            judge=judge_file(self.codes) if of_file else judge(self.codes),
        )
        answer = decode_object((await outbound.http.send(request)).body)
        if answer is None:
            raise Unanswered("the Graph API answered with something else than an object", limit=TRIES)
        return answer

    async def token_end(self, outbound: ProviderConnections) -> datetime | None:
        return lapses_at(await token_facts(self, outbound))

    async def download(self, outbound: ProviderConnections, url: str) -> FetchedFile:
        """The bytes that the Graph API pointed to. Our token goes along, so only to hosts of the provider's."""
        require_host(url, self.settings.graph_url, self.settings.file_hosts)
        request = HttpRequest(
            url, headers=self._authorization(), limit=self.settings.file_limit, timeout=DOWNLOAD_WITHIN,
            judge=_judged_download,
        )  # fmt: skip
        return FetchedFile((await outbound.http.send(request)).body)

    async def download_signed(self, outbound: ProviderConnections, url: str, domains: tuple[str, ...]) -> FetchedFile:
        """The bytes behind an address of Meta's that carries its own proof: our token does not go along. `domains` are
        those of the provider, with the hosts in them."""
        require_host(url, self.settings.graph_url, self.settings.file_hosts, domains)
        named = is_at(url, (scheme_and_host(self.settings.graph_url)[1], *self.settings.file_hosts))
        request = HttpRequest(
            url, limit=self.settings.file_limit, timeout=DOWNLOAD_WITHIN, judge=_judged_address, public=not named
        )
        response = await outbound.http.send(request)
        return FetchedFile(response.body, response.headers.get("content-type", "").partition(";")[0].strip() or None)

    def _authorization(self) -> dict[str, str]:
        self.require_outbound()
        return {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}


def decode_webhook(payload: Payload) -> list[Any]:
    """The entries of a webhook. Raises Reject."""
    try:
        body = decode_lenient(payload.body)
    except ValueError:
        raise Reject("not_json", "Meta sends nothing else than JSON") from None
    entries = body.get("entry") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise Reject("not_a_webhook", "no entry: not a webhook of Meta's")
    return entries


def split_text(text: str, limit: int) -> list[str]:
    """The text in pieces of at most so many UTF-8 bytes, cut at blanks where there are some."""
    pieces: list[str] = []
    while len(text.encode("utf-8", "replace")) > limit:
        head = text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
        cut = max(head.rfind(" "), head.rfind("\n"))
        end = cut if cut > limit // 4 else len(head)
        pieces.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*pieces, text] if text or not pieces else pieces


def refuse_other(fault: AccountFault, ours: str, own: str | None) -> None:
    """Raises Reject where the fault is of another number or page (`ours`) than the account's own: one that no account
    has, for which this one took the message in. It must not stop what the account sends for its own."""
    if own and ours and ours != own and fault.code in _OF_SENDER:
        raise Reject("other_sender", f"the citizen wrote to {ours[:40]}, which no account has: make one") from None


def _judged_address(response: HttpResponse) -> ErrorMeaning | None:
    if response.status == 403 and response.body.startswith(_OLD_ADDRESS):
        return ErrorMeaning("reject", "file_expired", "the address of the file has lapsed")
    return judge_unproven(response)


def _judged_download(response: HttpResponse) -> ErrorMeaning | None:
    """The Graph API has just taken the access token: a refusal tells of this file."""
    if response.status in {401, 403}:
        return ErrorMeaning("retry", "file_missing", f"Meta's file server answers with {response.status}")
    return None
