"""Kannel's smsbox as an SMS gateway.

In: `get-url = ".../in/ACCOUNT?token=TOKEN&from=%p&to=%P&text=%b&id=%I&ts=%T&charset=%C&coding=%c&udh=%u&smsc=%i"` with
`max-messages = 0` (else Kannel answers the citizen itself, with the words of our answer). A form by POST is taken too,
and the names other gateways use. Out: `sendsms`; its sendsms-user needs `concatenation = true`, `max-messages = 255`,
else Kannel cuts a long text. Delivery reports come to the same address, asked for when `public_url` is set.
Facts: Kannel 1.4/1.5 user guide, gw/urltrans.c, gw/smsbox.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors._demo import DemoItem
from connectors._gsm import decode_best_guess
from connectors._http import ErrorMeaning, HttpRequest, HttpResponse
from connectors._numbers import normalize_number
from connectors._request import Part, Payload
from connectors._sms_gateway import IncomingSms, OutgoingSms, SmsGateway, SmsReport, id_of
from connectors._sms_request import concatenation, is_report, parameters, string
from schemas import ReceiptState, Reject

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
_GET_URL = "from=%p&to=%P&text=%b&id=%I&ts=%T&charset=%C&coding=%c&udh=%u&smsc=%i"
_ANSWERS = (
    (403, b"Not routable", ErrorMeaning("reject", "not_routable", "the gateway has no route to this number")),
    (403, b"", ErrorMeaning("account", "wrong_password", "the gateway does not accept username and password")),
    (400, b"Sender missing", ErrorMeaning("account", "sender_missing", "set sender")),
    (404, b"", ErrorMeaning("account", "wrong_send_url", "the gateway has no sendsms at send_url")),
    (503, b"Temporal failure", ErrorMeaning("retry", "gateway_busy", "the gateway took nothing")),
)
"""Status, how the answer begins, and what it means; the first that fits."""


class KannelGateway(SmsGateway):
    """`accepted` is empty: Kannel sends any words to the citizen."""

    def setup_help(self, url: str) -> str:
        return f"""\
in kannel.conf, group sms-service (TOKEN as --secrets shows it):
  get-url = "{url}?token=TOKEN&{_GET_URL}"
  max-messages = 0
in group sendsms-user: concatenation = true, max-messages = 255"""

    def demo_query(self, item: DemoItem) -> Mapping[str, str]:
        return {
            "token": self.settings.token.reveal(),
            "from": f"+{item.phone}",
            "to": self.settings.sender or "1708",
            "text": item.text,
            "id": item.id,
            "ts": item.at.strftime("%Y-%m-%d %H:%M:%S"),
            "coding": "0",
            "charset": "UTF-8",
        }

    def parts(self, payload: Payload) -> Iterator[Part]:
        given = parameters(payload.query, payload.body)
        sender = string(given, "from")
        yield Part(given, None if is_report(given) or not sender else normalize_number(sender))

    def read(self, given: Mapping[str, bytes]) -> IncomingSms | SmsReport:
        if is_report(given):
            return _report(given)
        sender = string(given, "from")
        if not sender:
            raise Reject("no_sender", "the gateway's URL has to carry from=%p")
        if "text" not in given:
            raise Reject("no_text", "the gateway's URL has to carry text=%b")
        extra = {name: string(given, name) for name in ("to", "smsc") if string(given, name)}
        distinct = tuple(given.get(name, b"") for name in ("from", "text", "time", "udh"))
        return IncomingSms(
            sender, extra.get("to", ""),
            decode_best_guess(given["text"], string(given, "charset"), string(given, "coding")),
            id_of(string(given, "id")), string(given, "time"),
            distinct=distinct if given.get("time") else (),
            extra=extra | concatenation(given.get("udh", b"")),
        )  # fmt: skip

    def request(self, sms: OutgoingSms) -> HttpRequest:
        """Its answer holds no id; the delivery reports carry our own reference, if they are asked for."""
        params = {
            "username": self.settings.username,
            "password": self.settings.password.reveal(),
            "from": self.settings.sender,
            "to": sms.to,
            "text": sms.text,
            "charset": "UTF-8",
            "coding": "0" if sms.is_gsm else "2",
        }
        url = sms.report_url.replace("%", "%%")  # Kannel's %
        asked = {"dlr-mask": _ASKED_REPORTS, "dlr-url": f"{url}&dlr=%d"} if url else {}
        return HttpRequest(self.settings.send_url, params=params | asked, judge=_judged)


def _report(given: Mapping[str, bytes]) -> SmsReport:
    word, reply = string(given, "dlr"), string(given, "ref")
    if not reply:
        raise Reject("report_without_ref", "a delivery report without ref is not one that we asked for")
    return SmsReport(_REPORTS.get(word, "unknown"), word[:12], reply, None)


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    if 300 <= response.status < 400:
        return ErrorMeaning("account", "wrong_send_url", "the gateway redirects: set send_url to where it leads")
    fitting = (v for status, words, v in _ANSWERS if status == response.status and response.body.startswith(words))
    return next(fitting, None)
