"""A made-up channel with a webhook in and HTTP out: the kiosks in the offices of a region."""

from __future__ import annotations

from urllib.parse import quote

from connectors import (
    ErrorMeaning,
    FetchedFile,
    Fetches,
    Forbidden,
    HttpRequest,
    HttpResponse,
    Listens,
    ProviderConnections,
    Request,
    Secret,
    SentReply,
    Settings,
    Speaks,
)
from connectors._json import decode_object, string_of
from schemas import Attachment, Reject, Reply, Unanswered
from tests.channels.made_up.items import CODES, Items


class KioskSettings(Settings, frozen=True, kw_only=True):
    token: Secret = Secret("")
    """Shown by the provider in `X-Kiosk`, and by us to the provider."""
    url: str = ""


class Kiosk(Items, Listens, Speaks, Fetches):
    kind = "kiosk"
    settings_type = KioskSettings
    outbound_settings = ("url",)
    url_settings = ("url",)
    proof_header = "x-kiosk"
    kept_headers = ()

    def verify(self, request: Request) -> None:
        if not self.settings.token.matches(request.headers.get("x-kiosk", "")):
            raise Forbidden("no token, or a wrong one")

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        message = {"to": reply.to, "text": reply.text, "ref": reply.id}
        answer = decode_object((await outbound.http.send(self._request("send", "POST", message))).body) or {}
        if not string_of(answer, "id"):
            raise Unanswered("the kiosk gave no id")
        return SentReply((string_of(answer, "id"),))

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        if not attachment.native_id:
            raise Reject("no_media_id")
        answer = await outbound.http.send(self._request(f"photos/{quote(attachment.native_id, safe='')}"))
        return FetchedFile(answer.body, answer.headers.get("content-type"))

    def _request(self, path: str, method: str = "GET", json: object = None) -> HttpRequest:
        self.require_outbound()
        headers = {"X-Kiosk": self.settings.token.reveal()}
        return HttpRequest(f"{self.settings.url}/{path}", method, headers=headers, json=json, judge=_judged)


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    return CODES.get(string_of(decode_object(response.body) or {}, "error"))
