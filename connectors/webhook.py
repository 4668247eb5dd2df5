"""An office's own system, told by webhook: Standard Webhooks signs, a CloudEvent is the body.

`webhook-id` is the same over all tries, so that the receiver knows a repeated call; an event that may have arrived is
therefore sent again, and so is one that the receiver refused: over three days, then it has failed, and the account is
switched off where nothing else got through. By default it says that something changed, without a citizen's words.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

import msgspec

from connectors._forwards import ForwardCall, Forwards, StepResult
from connectors._http import ErrorMeaning, HttpRequest, HttpResponse
from connectors._json import decode_object, string_of
from connectors._port import Item, ProviderConnections
from connectors._request import Part, Payload
from connectors._settings import Secret, Settings
from schemas import Forward, ForwardKind, Raw, Reject, Retry, Unanswered
from schemas.regions import is_inside

TELL = "tell"
SLOW_DOWN = frozenset({429, 502, 503, 504})
HOUR = 3600.0


class WebhookSettings(Settings, frozen=True, kw_only=True):
    url: str = ""
    """Where the office's system takes events."""
    secret: Secret = Secret("")
    """`whsec_` and 24 to 64 bytes as base64, shared with the receiver."""
    offices: tuple[str, ...] = ()
    """Ids of the offices whose complaints it is told. Empty: those of the account's owner."""
    full: bool = False
    """True: with the words, as far as they may leave; secret reports are always thin."""


class Webhook(Forwards):
    kind = "webhook"
    settings_type = WebhookSettings
    takes: ClassVar[frozenset[ForwardKind]] = frozenset(
        {"complaint", "supplement", "answer", "question", "disposition", "status", "notice"}
    )
    retry_delays = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
    """As Standard Webhooks has it: 75 hours and 35 minutes in all."""
    gives_up_after = sum(retry_delays)
    replayable = True
    knows_our_number = True
    outbound_settings = ("url", "secret")
    url_settings = ("url",)
    template = """\
# url = "https://sistem.example.go.id/satupintu"
# secret = "env:WEBHOOK_SECRET"         # whsec_ and what `openssl rand -base64 32` prints
# offices = ["dinas-pu-sleman"]         # empty: the offices of `owner`
# full = true                           # with the words, as far as they may leave
"""

    def __init__(self, account: str, owner: str, settings: WebhookSettings) -> None:
        super().__init__(account, owner, settings)
        self._key = signing_key(settings.secret.reveal())

    @property
    def projection(self) -> str:
        return "default" if self.settings.full else "webhook"

    def setup_help(self, url: str) -> str:
        return (
            "the office's system takes POST requests at url and checks webhook-signature (standardwebhooks.com) with "
            "secret; 2xx is success, 410 switches this account off, and so do three days without any success"
        )

    def wants(self, forward: Forward) -> bool:
        """By the offices that have it, else by the owner of the door."""
        if self.settings.offices:
            return any(office.id in self.settings.offices for office in forward.offices)
        return is_inside(forward.owner, self.owner)

    def parts(self, payload: Payload) -> Iterable[Part]:
        raise Reject("nothing_to_read", "an office answers by the API, not here")

    def read(self, part: Part, raw: Raw) -> Item:
        raise Reject("nothing_to_read", "an office answers by the API, not here")

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        return [TELL]

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        self.require_outbound()
        replayed = "replayed" in call.results
        body, id = event_body(call.forward, self.account, replayed=replayed), event_id(call.forward)
        at = str(int(call.now.timestamp()))
        headers = {
            "webhook-id": id, "webhook-timestamp": at,
            "webhook-signature": signature(self._key, id, at, body),
        }  # fmt: skip
        content = "application/cloudevents+json; charset=utf-8", body
        request = HttpRequest(self.settings.url, "POST", headers=headers, content=content, timeout=20.0, judge=_judged)
        try:
            answer = await outbound.http.send(request)
        except Unanswered as fault:  # sent again, it is known by its id
            raise Retry(fault.reason) from None
        native = string_of(decode_object(answer.body) or {}, "id") or call.forward.number
        return StepResult({"status": answer.status}, native if call.forward.what == "complaint" else None)

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        """The receiver knows a repeated event by its id."""
        return None


def event_id(forward: Forward) -> str:
    """The same over all tries."""
    return f"{forward.what}.{forward.reference}"


def event_body(forward: Forward, account: str, *, replayed: bool = False) -> bytes:
    """The CloudEvent. It holds what may leave, and nothing else."""
    data = msgspec.to_builtins(forward)
    event: dict[str, Any] = {
        "specversion": "1.0", "id": event_id(forward), "source": f"/satupintu/{account}",
        "type": f"id.go.satupintu.{forward.what}", "subject": forward.number, "time": forward.at.isoformat(),
        "datacontenttype": "application/json",
        "data": {name: value for name, value in data.items() if name not in {"native", "attachments"}},
    }  # fmt: skip
    if replayed:
        event["replayed"] = True
    return msgspec.json.encode(event)


def signing_key(secret: str) -> bytes:
    """The bytes of a secret of Standard Webhooks. Raises ValueError."""
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("secret takes whsec_ and what `openssl rand -base64 32` prints") from None


def signature(key: bytes, id: str, at: str, body: bytes) -> str:
    """Of Standard Webhooks, version 1: HMAC-SHA-256 over id, time and body."""
    return "v1," + b64encode(hmac.digest(key, f"{id}.{at}.".encode() + body, sha256)).decode()


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    if response.status == 410:
        return ErrorMeaning("account", "gone", "the receiver wants no more events: close this account", HOUR)
    if response.status in SLOW_DOWN:
        return ErrorMeaning("retry", f"http_{response.status}", "the receiver asks to slow down")
    if not 200 <= response.status < 300:
        return ErrorMeaning("retry", f"http_{response.status}", "2xx is success, and nothing else")
    return None


__all__ = ["Webhook", "WebhookSettings", "event_body", "event_id", "signature"]
