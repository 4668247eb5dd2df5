"""Short messages (SMS) by gateways with HTTP: Kannel's smsbox (`_sms_kannel.py`), and by field mapping Jasmin, Twilio,
Infobip and any other (`_sms_mapped.py`), behind one port (`_sms_gateway.py`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from connectors._demo import DemoItem, DemoRequest
from connectors._gsm import split_into_segments
from connectors._long_text import cut_text, send_pieces
from connectors._numbers import is_same_number, normalize_number
from connectors._port import Listens, ProviderConnections, SentReply, Speaks
from connectors._request import Forbidden, IngressResponse, Part, Payload, Request
from connectors._sms_gateway import IncomingSms, OutgoingSms, SmsGateway, SmsReport
from connectors._sms_kannel import KannelGateway
from connectors._sms_mapped import MappedGateway
from connectors._sms_request import gateway_time, token_in
from connectors._sms_settings import SmsSettings
from schemas import Message, Party, Raw, Receipt, Reject, Reply
from schemas.regions import is_region

_MOST_SEGMENTS = 255


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
# auth_token = "env:TWILIO_AUTH_TOKEN"                  # Twilio: its signature is checked
# [{name}.keywords]         # REGION KEYWORD … at the start of a message
# TANGKAB = "36.03"
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        for word, code in settings.keywords.items():
            if not is_region(code):
                raise ValueError(f'keywords: {word} = "{code}" is no region: write its Kemendagri code, as "36.03"')
        self._gateway: SmsGateway = (KannelGateway if settings.gateway == "kannel" else MappedGateway)(settings)
        if settings.auth_token and not self._gateway.signature:
            raise ValueError("auth_token: this gateway signs nothing: leave it out")
        if settings.auth_token and not settings.public_url:
            raise ValueError("public_url: set it beside auth_token: the gateway signs the address that it calls")

    @property
    def keywords(self) -> Mapping[str, str]:
        keywords: Mapping[str, str] = self.settings.keywords
        return keywords

    @property
    def carries_reference(self) -> bool:
        """In delivery reports, where they are asked for."""
        return bool(self.settings.public_url)

    def setup_help(self, url: str) -> str:
        return self._gateway.setup_help(url)

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        query = self._gateway.demo_query(item) if item.form == "text" else None
        return DemoRequest(path=f"/in/{self.account}", method="GET", query=urlencode(query)) if query else None

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-token") or token_in(request.query)
        if not given:
            raise Forbidden("no token")
        if not self.settings.token.matches(given):
            raise Forbidden("wrong token")
        self._gateway.verify(request, self._url(request.path, request.query))

    def accepted(self) -> IngressResponse:
        return self._gateway.accepted

    def parts(self, payload: Payload) -> Iterator[Part]:
        return self._gateway.parts(payload)

    def read(self, part: Part, raw: Raw) -> Message | Receipt:
        item = self._gateway.read(part.payload)
        return self._receipt(raw, item) if isinstance(item, SmsReport) else self._message(raw, item)

    def _message(self, raw: Raw, sms: IncomingSms) -> Message:
        is_name = any(c.isalpha() for c in sms.sender)
        return self.message(
            raw,
            sms.id or None,
            normalize_number(sms.sender),
            fingerprint=self._fingerprint(sms) if not sms.id and sms.distinct else None,
            sent_at=gateway_time(sms.time, self._gateway.zone),
            sender=Party(user=f"sms:{sms.sender}") if is_name else Party(phone=sms.sender),
            text=sms.text,
            refusal="echo of our own" if self._is_ours(sms) else None,
            extra=sms.extra,
        )

    def _receipt(self, raw: Raw, report: SmsReport) -> Receipt:
        reason = f"delivery report {report.word}" if report.state in {"failed", "unknown"} else None
        return self.receipt(
            raw, state=report.state, at=raw.received_at, reply=report.reply, native_id=report.id, reason=reason
        )

    def _is_ours(self, sms: IncomingSms) -> bool:
        """Some gateways hand our own answers in again: from our number, or from the number that it was sent to."""
        return is_same_number(sms.sender, self.settings.sender) or is_same_number(sms.sender, sms.to)

    def _fingerprint(self, sms: IncomingSms) -> str:
        return hashlib.sha256(b"\x1f".join((self.account.encode(), *sms.distinct))).hexdigest()

    def typed_address(self, typed: str) -> str:
        return normalize_number(typed)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        self.require_outbound()
        if any(c.isalpha() for c in reply.to):
            raise Reject("sender_is_a_name", "the sender is a name, not a number: nothing can be answered")
        text = split_into_segments(reply.text)
        if len(text.parts) > _MOST_SEGMENTS:
            raise Reject("text_too_long", f"{len(text.parts)} segments: a short message has at most {_MOST_SEGMENTS}")
        longest = self._gateway.longest(is_gsm=text.encoding == "GSM-7")
        pieces = cut_text(reply.text, longest) if longest else [reply.text]
        return await send_pieces(pieces, lambda piece: self._send_piece(reply, piece, outbound))

    async def _send_piece(self, reply: Reply, text: str, outbound: ProviderConnections) -> str | None:
        is_gsm = split_into_segments(text).encoding == "GSM-7"
        sms = OutgoingSms(reply.id, reply.to, text, is_gsm, self._report_url(reply))
        answer = await outbound.http.send(self._gateway.request(sms))
        return self._gateway.sent_id(answer.body)

    def _report_url(self, reply: Reply) -> str:
        """Empty where no reports are asked for."""
        if not self.settings.public_url:
            return ""
        query = urlencode({"token": self.settings.token.reveal(), "ref": reply.id})
        return self._url("", query)

    def _url(self, path: str, query: str) -> str:
        """As the gateway calls it."""
        url = f"{self.settings.public_url.rstrip('/')}/in/{self.account}{path}"
        return f"{url}?{query}" if query else url
