"""SMS gateways other than Kannel, by field mapping: what each calls the fields of a message, a report and an answer.

A path names a field: a parameter of a form or query, or in JSON names and positions with dots, as `status.groupName`
or `messages.0.messageId`. Facts: docs.jasminsms.com, HTTP API; twilio.com/docs/messaging; infobip.com/docs/api, SMS.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from connectors._http import ErrorMeaning, HttpRequest, HttpResponse
from connectors._json import Json, decode_lenient, decode_object, without_surrogates
from connectors._request import Payload
from schemas import ReceiptState, Reject

SendAs = Literal["query", "form", "json"]
FIELDS = frozenset({"from", "to", "text", "hex", "coding", "id", "time", "state", "reference"})
"""Our names. `hex`: UCS-2 in hexadecimal, where `coding` is 8."""
VALUES = frozenset({
    "to", "digits", "text", "gsm_text", "ucs2_hex", "coding", "from", "username", "password", "basic", "id",
    "report_url",
})  # fmt: skip
"""Values that may stand in an outgoing message. `digits`: `to` without plus; of `gsm_text` and `ucs2_hex` one is empty,
and an empty field is left out; `basic`: username and password as HTTP's basic login; `id`: our own reference."""
QUOTED = '"'
"""In the place of a path: the words in quotes of an answer that is no JSON."""
_REFUSED = frozenset({"REJECTED", "UNDELIVERABLE", "UNDELIVERED", "EXPIRED", "FAILED"})
_VALUE = re.compile(r"\{(\w+)\}")
_WRONG_SENDER = frozenset({"21212", "21606", "21659", "21660"})
"""Twilio's codes of a sender that is not the account's."""


class MappedMessage(NamedTuple):
    """A message or report by our own names."""

    fields: Mapping[str, str]


class SmsGateway(NamedTuple):
    """One gateway."""

    fields: Mapping[str, str] = {"from": "from", "to": "to", "text": "text", "id": "id", "state": "status"}
    """Our names and their paths."""
    states: Mapping[str, ReceiptState] = {}
    """Their words for states, in capitals."""
    items: str = ""
    """The path of the list of messages; empty: a body is one message."""
    send: Mapping[str, str] = {}
    """The paths of an outgoing message, with values in braces."""
    send_as: SendAs = "form"
    headers: Mapping[str, str] = {}
    """Of the request that sends, with values in braces."""
    sent_id: str = ""
    """The path of the message's id in the answer to it."""
    sent_state: str = ""
    """The path of the message's state in the answer to it, where a refused one is answered with 200."""
    accepted: tuple[str, str] = ("", "text/plain; charset=utf-8")
    """Our answer to a message of theirs, and its media type."""

    def messages(self, payload: Payload) -> Iterator[Mapping[str, str]]:
        """The messages and reports of a request, by our own names. Raises Reject."""
        query = dict(parse_qsl(payload.query, keep_blank_values=True, errors="replace"))
        ours = {"reference": query["ref"]} if "ref" in query else {}
        if payload.body.lstrip()[:1] not in (b"{", b"["):
            given = query | dict(parse_qsl(payload.body.decode("utf-8", "replace"), keep_blank_values=True))
            yield self._named(given) | ours
            return
        try:
            found = _at(decode_lenient(payload.body), self.items)
        except ValueError:
            raise Reject("not_json", "the gateway's JSON cannot be read") from None
        for item in found if isinstance(found, list) else [found]:
            yield self._named(item) | ours

    def _named(self, item: Any) -> dict[str, str]:
        found = {ours: _text_at(item, path) for ours, path in self.fields.items()}
        return {ours: value for ours, value in found.items() if value is not None}

    def request(self, url: str, values: Mapping[str, str]) -> HttpRequest:
        """The request that sends a message."""
        filled = {path: _filled(template, values) for path, template in self.send.items()}
        given = {path: value for path, value in filled.items() if value}
        headers = {name: _filled(template, values) for name, template in self.headers.items()}
        if self.send_as == "query":
            return HttpRequest(url, params=given, headers=headers, judge=_judged)
        if self.send_as == "form":
            return HttpRequest(url, "POST", headers=headers, form=given, judge=_judged)
        return HttpRequest(url, "POST", headers=headers, json=_nested(given), judge=_judged)

    def sent_as(self, answer: bytes) -> str | None:
        """The gateway's id of a message that it took. Raises Reject where it did not take it."""
        found = decode_object(answer)
        if found is None:
            quoted = re.search(r'"([^"]+)"', answer.decode("utf-8", "replace")) if self.sent_id == QUOTED else None
            return quoted[1] if quoted else None
        state = ((self.sent_state and _text_at(found, self.sent_state)) or "").upper()
        if state in _REFUSED:
            raise Reject("refused_by_gateway", f"the gateway answers with {state}")
        return (self.sent_id and _text_at(found, self.sent_id)) or None


JASMIN = SmsGateway(
    fields={"from": "from", "to": "to", "text": "content", "hex": "binary", "coding": "coding", "id": "id",
            "state": "message_status"},
    states={"ESME_ROK": "sent", "ENROUTE": "sent", "ACCEPTD": "sent", "DELIVRD": "delivered", "EXPIRED": "failed",
            "DELETED": "failed", "UNDELIV": "failed", "REJECTD": "failed"},
    send={"username": "{username}", "password": "{password}", "from": "{from}", "to": "{to}", "content": "{gsm_text}",
          "hex-content": "{ucs2_hex}", "coding": "{coding}", "dlr-url": "{report_url}", "dlr": "yes", "dlr-level": "3",
          "dlr-method": "POST"},
    sent_id=QUOTED,
    accepted=("ACK/Jasmin", "text/plain; charset=utf-8"),
)  # fmt: skip
TWILIO = SmsGateway(
    fields={"from": "From", "to": "To", "text": "Body", "id": "MessageSid", "state": "MessageStatus"},
    states={"ACCEPTED": "sent", "QUEUED": "sent", "SENDING": "sent", "SENT": "sent", "DELIVERED": "delivered",
            "READ": "read", "UNDELIVERED": "failed", "FAILED": "failed", "CANCELED": "failed"},
    send={"To": "{to}", "From": "{from}", "Body": "{text}", "StatusCallback": "{report_url}"},
    headers={"Authorization": "Basic {basic}"},
    sent_id="sid",
    sent_state="status",
    accepted=("<Response/>", "text/xml; charset=utf-8"),  # words would go to the citizen
)  # fmt: skip
INFOBIP = SmsGateway(
    fields={"from": "from", "to": "to", "text": "text", "id": "messageId", "time": "receivedAt",
            "state": "status.groupName", "reference": "callbackData"},
    states={"ACCEPTED": "sent", "PENDING": "sent", "DELIVERED": "delivered", "UNDELIVERABLE": "failed",
            "EXPIRED": "failed", "REJECTED": "failed"},
    items="results",
    send={"messages.0.from": "{from}", "messages.0.destinations.0.to": "{digits}", "messages.0.text": "{text}",
          "messages.0.callbackData": "{id}", "messages.0.notifyUrl": "{report_url}",
          "messages.0.notifyContentType": "application/json"},
    send_as="json",
    headers={"Authorization": "App {password}"},
    sent_id="messages.0.messageId",
    sent_state="messages.0.status.groupName",
)  # fmt: skip
GATEWAYS: Mapping[str, SmsGateway] = {
    "jasmin": JASMIN, "twilio": TWILIO, "infobip": INFOBIP, "other": SmsGateway(),
}  # fmt: skip


def check_mapping(settings: Mapping[str, Mapping[str, str]]) -> None:
    """Raises ValueError, naming the setting and the fix."""
    if wrong := settings["fields"].keys() - FIELDS:
        raise ValueError(f"fields: {min(wrong)} is none of {', '.join(sorted(FIELDS))}")
    for name in ("send", "headers"):
        if unknown := {value for one in settings[name].values() for value in _VALUE.findall(one)} - VALUES:
            raise ValueError(f"{name}: {{{min(unknown)}}} is none of {', '.join(sorted(VALUES))}")


def mapped_text(given: Mapping[str, str]) -> str:
    """The text of a message, of which the gateway may have the bytes only."""
    if given.get("coding") == "8" and given.get("hex"):
        try:
            return bytes.fromhex(given["hex"]).decode("utf-16-be", "replace")
        except ValueError:
            raise Reject("no_text", "what should be hexadecimal is not: see fields") from None
    return given.get("text", "")


def basic(username: str, password: str) -> str:
    """As HTTP's basic login has them."""
    return b64encode(f"{username}:{password}".encode()).decode()


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _VALUE.sub(lambda found: values[found[1]], template)


def _step(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return value[int(name)] if name.isdecimal() and int(name) < len(value) else None
    return value.get(name) if isinstance(value, dict) else None


def _at(value: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = _step(value, name)
    return value


def _text_at(value: Any, path: str) -> str | None:
    """A name of a form may have dots."""
    found = value[path] if isinstance(value, dict) and path in value else _at(value, path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    text: str = without_surrogates(found) if isinstance(found, str) else str(found)
    return text


def _nested(given: Mapping[str, str]) -> Json:
    """The JSON of which these are the paths: a name of digits is a position of a list."""
    root: Json = {}
    for path, value in given.items():
        at: Any = root
        names = path.split(".")
        for name, following in zip(names, [*names[1:], ""], strict=True):
            inner: Any = value if not following else [] if following.isdecimal() else {}
            at = _entered(at, name, inner)
    return root


def _entered(at: Any, name: str, inner: Any) -> Any:
    """What stands at that name, `inner` where nothing did."""
    if isinstance(at, dict):
        return at.setdefault(name, inner)
    at.extend([inner] * (int(name) >= len(at)))
    return at[int(name)]


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    if 300 <= response.status < 400 or response.status in {404, 405}:
        return ErrorMeaning("account", "wrong_send_url", "the gateway takes no messages there: check send_url")
    if response.status in {401, 403}:
        return ErrorMeaning("account", "wrong_password", "the gateway does not accept username and password")
    if response.status == 402:
        return ErrorMeaning("account", "no_credit", "the account has no credit with the gateway: buy some")
    if response.status == 412:
        return ErrorMeaning("reject", "not_routable", "the gateway has no route to this number")
    if _text_at(decode_object(response.body), "code") in _WRONG_SENDER:
        return ErrorMeaning("account", "sender_missing", "the gateway does not let this account use sender")
    return None
