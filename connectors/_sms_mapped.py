"""SMS gateways by field mapping (`_sms_mappings.py`): those that are known, and any other by the account's settings."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from connectors._field_paths import nested, text_at, value_at
from connectors._http import ErrorMeaning, HttpRequest, HttpResponse
from connectors._json import decode_lenient, decode_object
from connectors._numbers import normalize_number
from connectors._request import IngressResponse, Part, Payload, Request
from connectors._smpp_text import UCS2, decode_text
from connectors._sms_gateway import NO_ANSWER, IncomingSms, OutgoingSms, SmsGateway, SmsReport, id_of, is_page
from connectors._sms_mappings import QUOTED, SmsMapping, check_mapping, fill, known_mapping
from connectors._sms_settings import SmsSettings
from connectors._sms_twilio import verify_signature
from schemas import Reject, Unanswered

_REFUSED = frozenset({"REJECTED", "UNDELIVERABLE", "UNDELIVERED", "EXPIRED", "FAILED"})
_NO_CREDIT = ErrorMeaning("account", "no_credit", "the account has no credit with the gateway: buy some")
_WRONG_SENDER = ErrorMeaning("account", "sender_missing", "the gateway does not let this account use sender")
_NO_SMS = ErrorMeaning("reject", "wrong_recipient", "this number takes no SMS")
_TWILIO = dict.fromkeys(("21212", "21606", "21659", "21660"), _WRONG_SENDER) | {
    **dict.fromkeys(("21211", "21612", "21614", "21635"), _NO_SMS),
    "21610": ErrorMeaning("reject", "unsubscribed", "the citizen has sent STOP to our number"),
    "21408": ErrorMeaning("account", "region_closed", "allow messages to this country at the gateway"),
    "21608": ErrorMeaning("account", "trial_account", "a trial account writes to verified numbers only: upgrade it"),
    "21611": ErrorMeaning("retry", "queue_full", "too many messages of our number wait at the gateway", 60.0),
}
"""By Twilio's code."""
_INTERNATIONAL = re.compile(r"[1-9]\d{7,14}", re.ASCII)
_RAW = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd]")
"""In a text that is still in the network's own alphabet: `@` is NUL there."""
_JASMIN_FORBIDS: tuple[tuple[bytes, ErrorMeaning], ...] = (
    (b"throughput exceeded", ErrorMeaning("retry", "throttled", "more messages a second than agreed", 1.0)),
    (b"cannot charge", _NO_CREDIT),
)
"""Words of a 403, beside a wrong password."""
_INFOBIP_REJECTS = (
    (b"NOT_ENOUGH_CREDITS", _NO_CREDIT), (b"PREPAID_PACKAGE_EXPIRED", _NO_CREDIT), (b"REJECTED_SENDER", _WRONG_SENDER),
    (b"REJECTED_SOURCE", _WRONG_SENDER),
)  # fmt: skip
"""Names of Infobip's statuses that concern the account."""


class MappedItem(NamedTuple):
    """A message or report by our own names."""

    fields: Mapping[str, str]

    @property
    def is_message(self) -> bool:
        return "text" in self.fields or "hex" in self.fields

    @property
    def text(self) -> str:
        """Of a message, of which the gateway may have the bytes only. Raises Reject."""
        text, coding = self.fields.get("text", ""), self.fields.get("coding", "")
        if not self.fields.get("hex") or (coding != str(UCS2) and not _RAW.search(text)):
            return text
        try:
            data = bytes.fromhex(self.fields["hex"])
        except ValueError:
            raise Reject("no_text", "what should be hexadecimal is not: see fields") from None
        return decode_text(data, int(coding) if coding.isdecimal() else 0).text


class MappedGateway(SmsGateway):
    def __init__(self, settings: SmsSettings) -> None:
        super().__init__(settings)
        check_mapping({name: getattr(settings, name) for name in ("fields", "send", "headers")})
        self._mapping = mapping_of(settings)
        self.zone = ZoneInfo(settings.zone)
        if self._mapping.send_as == "json":
            try:
                nested(self._mapping.send)
            except ValueError as wrong:
                raise ValueError(f"send: {wrong}") from None
        self.signature = self._mapping.signature
        words, media_type = self._mapping.accepted
        self.accepted = IngressResponse(200, words.encode(), media_type)

    def setup_help(self, url: str) -> str:
        return f"""\
at the gateway (TOKEN as --secrets shows it): incoming messages, by POST, to
  {url}?token=TOKEN, as it is reached from outside by HTTPS"""

    def verify(self, request: Request, url: str) -> None:
        if self.settings.auth_token:
            given = request.headers.get(self.signature, "")
            verify_signature(given, self.settings.auth_token, url, request.body)

    def parts(self, payload: Payload) -> Iterator[Part]:
        for fields in self._items(payload):
            item, sender = MappedItem(fields), fields.get("from")
            yield Part(item, normalize_number(sender) if sender and item.is_message else None)

    def _items(self, payload: Payload) -> Iterator[dict[str, str]]:
        query = dict(parse_qsl(payload.query, keep_blank_values=True, errors="replace"))
        ours = {"reference": query["ref"]} if "ref" in query else {}
        if payload.body.lstrip()[:1] not in (b"{", b"["):
            given = query | dict(parse_qsl(payload.body.decode("utf-8", "replace"), keep_blank_values=True))
            yield self._named(given) | ours
            return
        try:
            found = value_at(decode_lenient(payload.body), self._mapping.items)
        except ValueError:
            raise Reject("not_json", "the gateway's JSON cannot be read") from None
        for item in found if isinstance(found, list) else [found]:
            yield self._named(item) | ours

    def _named(self, item: Any) -> dict[str, str]:
        found = {ours: text_at(item, path) for ours, path in self._mapping.fields.items()}
        known = {ours: value for ours, value in found.items() if value is not None}
        if self._mapping.international and _INTERNATIONAL.fullmatch(known.get("from", "")):
            known["from"] = f"+{known['from']}"
        return known

    def read(self, item: MappedItem) -> IncomingSms | SmsReport:
        given = item.fields
        if not item.is_message:
            return self._report(given)
        sender, to, at = given.get("from", "").strip(), given.get("to", ""), given.get("time", "")
        if not sender:
            raise Reject("no_sender", "the gateway names no sender: see fields")
        text = item.text
        return IncomingSms(
            sender, to, text, id_of(given.get("id", "").strip()), at,
            distinct=(sender.encode(), text.encode(), at.encode(), b"") if at else (),
            extra={"to": to} if to else {},
        )  # fmt: skip

    def _report(self, given: Mapping[str, str]) -> SmsReport:
        reply, id = given.get("reference"), given.get("id")
        if "state" not in given or not (reply or id):
            raise Reject("no_text", "neither a message nor a report that names one: see fields")
        word = given["state"].upper()
        return SmsReport(self._mapping.states.get(word, "unknown"), word[:20], reply, id)

    def request(self, sms: OutgoingSms) -> HttpRequest:
        mapping, values = self._mapping, self._values(sms)
        filled = {path: fill(template, values) for path, template in mapping.send.items()}
        given = {path: value for path, value in filled.items() if value}
        headers = {name: fill(template, values) for name, template in mapping.headers.items()}
        url = self.settings.send_url
        if mapping.send_as == "query":
            return HttpRequest(url, params=given, headers=headers, judge=_judged)
        if mapping.send_as == "form":
            return HttpRequest(url, "POST", headers=headers, form=given, judge=_judged)
        return HttpRequest(url, "POST", headers=headers, json=nested(given), judge=_judged)

    def _values(self, sms: OutgoingSms) -> dict[str, str]:
        own, password = self.settings, self.settings.password.reveal()
        return {
            "to": sms.to, "digits": sms.to.removeprefix("+"), "text": sms.text, "id": sms.id,
            "gsm_text": sms.text if sms.is_gsm else "", "coding": "0" if sms.is_gsm else "8",
            "ucs2_hex": "" if sms.is_gsm else sms.text.encode("utf-16-be", "replace").hex(),
            "from": own.sender, "username": own.username, "password": password,
            "basic": b64encode(f"{own.username}:{password}".encode()).decode(), "report_url": sms.report_url,
        }  # fmt: skip

    def longest(self, *, is_gsm: bool) -> int | None:
        gsm, any_other = self._mapping.longest
        return gsm if is_gsm else any_other

    def sent_id(self, answer: bytes) -> str | None:
        mapping, found = self._mapping, decode_object(answer)
        state = ((mapping.sent_state and text_at(found, mapping.sent_state)) or "").upper()
        if state in _REFUSED:
            if fault := next((meaning for name, meaning in _INFOBIP_REJECTS if name in answer), None):
                raise fault.error()
            raise Reject("refused_by_gateway", f"the gateway answers with {state}")
        id = _quoted(answer) if mapping.sent_id == QUOTED else mapping.sent_id and text_at(found, mapping.sent_id)
        if not id and (mapping.sent_id or is_page(answer)):
            raise Unanswered(NO_ANSWER)
        return id or None


def _quoted(answer: bytes) -> str | None:
    found = None if is_page(answer) else re.search(r'"([^"]+)"', answer.decode("utf-8", "replace"))
    return found and found[1]


def mapping_of(settings: SmsSettings) -> SmsMapping:
    """What is known of the gateway, with what the settings add."""
    known = known_mapping(settings.gateway, settings.send_url)
    return known._replace(
        fields={**known.fields, **settings.fields},
        states={**known.states, **settings.states},
        send={**known.send, **settings.send},
        headers={**known.headers, **settings.headers},
        items=settings.items or known.items,
        send_as=settings.send_as or known.send_as,
        sent_id=settings.sent_id or known.sent_id,
    )


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    if 300 <= response.status < 400 or response.status in {404, 405}:
        return ErrorMeaning("account", "wrong_send_url", "the gateway takes no messages there: check send_url")
    if response.status in {401, 403}:
        words = response.body.lower()
        if fault := next((meaning for part, meaning in _JASMIN_FORBIDS if part in words), None):
            return fault
        return ErrorMeaning("account", "wrong_password", "the gateway does not accept username and password")
    if response.status == 402:
        return _NO_CREDIT
    if response.status == 412:
        return ErrorMeaning("reject", "not_routable", "the gateway has no route to this number")
    return _TWILIO.get(text_at(decode_object(response.body), "code") or "")
