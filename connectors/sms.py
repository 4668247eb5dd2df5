"""Short messages (SMS) by HTTP: as Kannel's smsbox hands them over and takes them, and by field mapping as Jasmin,
Twilio, Infobip and any other gateway do (`_sms_gateway.py`).

In: `get-url = ".../in/ACCOUNT?token=TOKEN&from=%p&to=%P&text=%b&id=%I&ts=%T&charset=%C&coding=%c&udh=%u&smsc=%i"` with
`max-messages = 0` (else Kannel answers the citizen itself, with the words of our answer). A form by POST is taken too,
and the names other gateways use. Out: `sendsms`; its sendsms-user needs `concatenation = true`, `max-messages = 255`,
else Kannel cuts a long text. Delivery reports come to the same address, asked for when `public_url` is set.
Facts: Kannel 1.4/1.5 user guide, gw/urltrans.c, gw/smsbox.c.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from connectors._demo import DemoItem, DemoRequest
from connectors._gsm import decode_best_guess, split_into_segments
from connectors._http import ErrorMeaning, HttpRequest, HttpResponse
from connectors._numbers import is_same_number, normalize_number
from connectors._port import Listens, ProviderConnections, SentReply, Speaks
from connectors._request import Forbidden, IngressResponse, Part, Payload, Request
from connectors._sms_gateway import MappedMessage, SmsGateway, basic, check_mapping, mapped_text
from connectors._sms_request import NO_ID, concatenation, gateway_time, is_report, parameters, string, token_in
from connectors._sms_settings import SmsSettings, mapped_gateway
from schemas import Message, Party, Raw, Receipt, ReceiptState, Reject, Reply
from schemas.regions import is_region

_REPORTS: dict[str, ReceiptState] = {
    "1": "delivered",
    "2": "failed",
    "4": "sent",
    "8": "sent",
    "16": "failed",
    "34": "failed",
    "66": "unknown",
}
"""Kannel's dlr types; 34 is expired, 66 unknown to the network."""
_ASKED_REPORTS = str(1 + 2 + 8 + 16)
_MOST_SEGMENTS = 255
_GET_URL = "from=%p&to=%P&text=%b&id=%I&ts=%T&charset=%C&coding=%c&udh=%u&smsc=%i"
_ANSWERS = (
    (403, b"Not routable", ErrorMeaning("reject", "not_routable", "the gateway has no route to this number")),
    (403, b"", ErrorMeaning("account", "wrong_password", "the gateway does not accept username and password")),
    (400, b"Sender missing", ErrorMeaning("account", "sender_missing", "set sender")),
    (404, b"", ErrorMeaning("account", "wrong_send_url", "the gateway has no sendsms at send_url")),
    (503, b"Temporal failure", ErrorMeaning("retry", "gateway_busy", "the gateway took nothing")),
)
"""Status, how the answer begins, and what it means; the first that fits."""


class SmsChannel(Listens, Speaks):
    kind = "sms"
    settings_type = SmsSettings
    conversational = True
    unwraps_base64 = True
    short_answers = True
    ids_hold_phones = True
    needs_contract = False
    outbound_settings = ("send_url",)
    proof_settings = ("token",)
    url_settings = ("send_url",)
    methods = frozenset({"GET", "POST"})
    body_limit = 64 * 1024
    secret_parameters = frozenset({"token"})
    template = """\
# A gateway such as Kannel's smsbox; `satupintu channels` prints what to enter there.
token = "{secret}"
# gateway = "twilio"        # or "jasmin", "infobip", "other": docs/channels/sms.md; without it Kannel's
# send_url = "http://127.0.0.1:13013/cgi-bin/sendsms"   # without it nothing can be answered by SMS
# username = "satupintu"
# password = "env:KANNEL_PASSWORD"
# sender = "1708"
# public_url = "https://pengaduan.example.go.id"        # delivery reports are asked for there
# [{name}.keywords]         # REGION KEYWORD … at the start of a message
# TANGKAB = "36.03"
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        for word, code in settings.keywords.items():
            if not is_region(code):
                raise ValueError(f'keywords: {word} = "{code}" is no region: write its Kemendagri code, as "36.03"')
        check_mapping({name: getattr(settings, name) for name in ("fields", "send", "headers")})
        self._gateway = mapped_gateway(settings)

    @property
    def keywords(self) -> Mapping[str, str]:
        keywords: Mapping[str, str] = self.settings.keywords
        return keywords

    @property
    def carries_reference(self) -> bool:
        """In delivery reports, where they are asked for."""
        return bool(self.settings.public_url)

    def setup_help(self, url: str) -> str:
        if self._gateway:
            return f"""\
at the gateway (TOKEN as --secrets shows it): incoming messages, by POST, to
  {url}?token=TOKEN, as it is reached from outside by HTTPS"""
        return f"""\
in kannel.conf, group sms-service (TOKEN as --secrets shows it):
  get-url = "{url}?token=TOKEN&{_GET_URL}"
  max-messages = 0
in group sendsms-user: concatenation = true, max-messages = 255"""

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        if item.form != "text" or self._gateway:
            return None
        query = {
            "token": self.settings.token.reveal(),
            "from": f"+{item.phone}",
            "to": self.settings.sender or "1708",
            "text": item.text,
            "id": item.id,
            "ts": item.at.strftime("%Y-%m-%d %H:%M:%S"),
            "coding": "0",
            "charset": "UTF-8",
        }
        return DemoRequest(path=f"/in/{self.account}", method="GET", query=urlencode(query))

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-token") or token_in(request.query)
        if not given:
            raise Forbidden("no token")
        if not self.settings.token.matches(given):
            raise Forbidden("wrong token")

    def accepted(self) -> IngressResponse:
        if self._gateway:
            words, media_type = self._gateway.accepted
            return IngressResponse(200, words.encode(), media_type)
        return IngressResponse()  # empty: Kannel sends any words to the citizen

    def parts(self, payload: Payload) -> Iterator[Part]:
        if self._gateway:
            for message in self._gateway.messages(payload):
                from_, is_message = message.get("from"), "text" in message or "hex" in message
                yield Part(MappedMessage(message), normalize_number(from_) if from_ and is_message else None)
            return
        given = parameters(payload.query, payload.body)
        sender = string(given, "from")
        yield Part(given, None if is_report(given) or not sender else normalize_number(sender))

    def read(self, part: Part, raw: Raw) -> Message | Receipt:
        if isinstance(part.payload, MappedMessage):
            return self._mapped_item(raw, part.payload.fields)
        given: Mapping[str, bytes] = part.payload
        if is_report(given):
            return self._report(raw, given)
        sender = string(given, "from")
        if not sender:
            raise Reject("no_sender", "the gateway's URL has to carry from=%p")
        if "text" not in given:
            raise Reject("no_text", "the gateway's URL has to carry text=%b")
        return self._message(raw, given, sender, normalize_number(sender))

    def _message(self, raw: Raw, given: Mapping[str, bytes], sender: str, conversation: str) -> Message:
        native = string(given, "id")
        native = "" if native.lower() in NO_ID else native
        extra = {name: string(given, name) for name in ("to", "smsc") if string(given, name)}
        return self.message(
            raw,
            native or None,
            conversation,
            fingerprint=self._fingerprint(given) if not native and given.get("time") else None,
            sent_at=gateway_time(string(given, "time")),
            sender=Party(user=f"sms:{sender}") if any(c.isalpha() for c in sender) else Party(phone=sender),
            text=decode_best_guess(given["text"], string(given, "charset"), string(given, "coding")),
            refusal="echo of our own" if self._is_ours(sender, extra.get("to", "")) else None,
            extra=extra | concatenation(given.get("udh", b"")),
        )

    def _mapped_item(self, raw: Raw, given: Mapping[str, str]) -> Message | Receipt:
        if "text" not in given and "hex" not in given:
            return self._mapped_report(raw, given)
        sender = given.get("from", "").strip()
        if not sender:
            raise Reject("no_sender", "the gateway names no sender: see fields")
        native, at = given.get("id", "").strip(), given.get("time", "")
        native = "" if native.lower() in NO_ID else native
        known = {"from": sender, "text": mapped_text(given), "time": at}
        encoded = {name: value.encode() for name, value in known.items()}
        return self.message(
            raw,
            native or None,
            normalize_number(sender),
            fingerprint=self._fingerprint(encoded) if not native and at else None,
            sent_at=gateway_time(at),
            sender=Party(user=f"sms:{sender}") if any(c.isalpha() for c in sender) else Party(phone=sender),
            text=known["text"],
            refusal="echo of our own" if self._is_ours(sender, given.get("to", "")) else None,
            extra={"to": given["to"]} if given.get("to") else {},
        )

    def _mapped_report(self, raw: Raw, given: Mapping[str, str]) -> Receipt:
        reply, native = given.get("reference"), given.get("id")
        if "state" not in given or not (reply or native):
            raise Reject("no_text", "neither a message nor a report that names one: see fields")
        word = given["state"].upper()
        state = self._gateway.states.get(word, "unknown") if self._gateway else "unknown"
        reason = f"delivery report {word[:20]}" if state in {"failed", "unknown"} else None
        return self.receipt(raw, state=state, at=raw.received_at, reply=reply, native_id=native, reason=reason)

    def _is_ours(self, sender: str, to: str) -> bool:
        """Some gateways hand our own answers in again: from our number, or from the number that it was sent to."""
        return is_same_number(sender, self.settings.sender) or is_same_number(sender, to)

    def _fingerprint(self, given: Mapping[str, bytes]) -> str:
        """Only with the gateway's time: without one, two equal texts may be two messages."""
        fields = (self.account.encode(), *(given.get(name, b"") for name in ("from", "text", "time", "udh")))
        return hashlib.sha256(b"\x1f".join(fields)).hexdigest()

    def _report(self, raw: Raw, given: Mapping[str, bytes]) -> Receipt:
        word, reply = string(given, "dlr"), string(given, "ref")
        if not reply:
            raise Reject("report_without_ref", "a delivery report without ref is not one that we asked for")
        state = _REPORTS.get(word, "unknown")
        reason = f"delivery report {word[:12]}" if state in {"failed", "unknown"} else None
        return self.receipt(raw, state=state, at=raw.received_at, reply=reply, reason=reason)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        """Kannel gives no id; its delivery reports carry our own reference, if they are asked for."""
        self.require_outbound()
        if any(c.isalpha() for c in reply.to):
            raise Reject("sender_is_a_name", "the sender is a name, not a number: nothing can be answered")
        text = split_into_segments(reply.text)
        if len(text.parts) > _MOST_SEGMENTS:
            raise Reject("text_too_long", f"{len(text.parts)} segments: a short message has at most {_MOST_SEGMENTS}")
        if self._gateway:
            return await self._send_mapped(self._gateway, reply, is_gsm=text.encoding == "GSM-7", outbound=outbound)
        params = {
            "username": self.settings.username,
            "password": self.settings.password.reveal(),
            "from": self.settings.sender,
            "to": reply.to,
            "text": reply.text,
            "charset": "UTF-8",
            "coding": "0" if text.encoding == "GSM-7" else "2",
        } | self._asked_report(reply)
        await outbound.http.send(HttpRequest(self.settings.send_url, params=params, judge=_judged))
        return SentReply()

    async def _send_mapped(
        self, gateway: SmsGateway, reply: Reply, *, is_gsm: bool, outbound: ProviderConnections
    ) -> SentReply:
        own = self.settings
        values = {
            "to": reply.to, "digits": reply.to.removeprefix("+"), "text": reply.text, "id": reply.id,
            "gsm_text": reply.text if is_gsm else "", "coding": "0" if is_gsm else "8",
            "ucs2_hex": "" if is_gsm else reply.text.encode("utf-16-be", "replace").hex(),
            "from": own.sender, "username": own.username, "password": own.password.reveal(),
            "basic": basic(own.username, own.password.reveal()), "report_url": self._report_url(reply),
        }  # fmt: skip
        answer = await outbound.http.send(gateway.request(own.send_url, values))
        native = gateway.sent_as(answer.body)
        return SentReply((native,) if native else ())

    def _report_url(self, reply: Reply) -> str:
        """Empty where no reports are asked for."""
        if not self.settings.public_url:
            return ""
        query = urlencode({"token": self.settings.token.reveal(), "ref": reply.id})
        return f"{self.settings.public_url.rstrip('/')}/in/{self.account}?{query}"

    def _asked_report(self, reply: Reply) -> dict[str, str]:
        url = self._report_url(reply).replace("%", "%%")  # Kannel's %
        return {"dlr-mask": _ASKED_REPORTS, "dlr-url": f"{url}&dlr=%d"} if url else {}


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    if 300 <= response.status < 400:
        return ErrorMeaning("account", "wrong_send_url", "the gateway redirects: set send_url to where it leads")
    fitting = (v for status, words, v in _ANSWERS if status == response.status and response.body.startswith(words))
    return next(fitting, None)
