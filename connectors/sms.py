"""Short messages (SMS), as Kannel's smsbox hands them over and takes them.

In: `get-url = ".../in/ACCOUNT?token=TOKEN&from=%p&to=%P&text=%b&id=%I&ts=%T&charset=%C&coding=%c&udh=%u&smsc=%i"` with
`max-messages = 0` (else Kannel answers the citizen itself, with what we answer Kannel). A form by POST is taken too,
and the names other gateways use. Out: `sendsms`; its sendsms-user needs `concatenation = true`, `max-messages = 255`,
else Kannel cuts a long text. Delivery reports come to the same door, asked for when `public_url` is set.
Facts: Kannel 1.4/1.5 user guide, gw/urltrans.c, gw/smsbox.c.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_to_bytes, urlencode

import msgspec

from connectors._gsm import readable, segments
from connectors._http import Call
from connectors._port import Answer, Forbidden, Listens, Request, Secret, Settings, Speaks, Spoken
from schemas import Message, Party, Raw, Receipt, ReceiptState, Reject, Reply

if TYPE_CHECKING:
    from connectors._http import Http

_NAMES = {
    "from": ("from", "sender", "msisdn"),
    "to": ("to", "receiver", "recipient"),
    "text": ("text", "msg", "message", "body", "binary"),
    "id": ("id", "msgid", "message_id"),
    "time": ("ts", "time", "timestamp"),
}
_NO_ID = frozenset({"", "null", "none", "nil", "undefined", "00000000-0000-0000-0000-000000000000"})
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
_MOST_PARTS = 255


class SmsSettings(Settings, frozen=True, kw_only=True):
    token: Secret = Secret("")
    """Proves that the gateway is ours: in the query as `token`, or in the header `X-Token`."""
    keywords: dict[str, str] = msgspec.field(default_factory=dict)
    """Region keyword to region code: TANGKAB = "36.03"."""
    send_url: str = ""
    """Kannel's sendsms, as http://127.0.0.1:13013/cgi-bin/sendsms. Empty: nothing can be answered."""
    username: str = ""
    password: Secret = Secret("")
    sender: str = ""
    """Our number as the citizen sees it."""
    public_url: str = ""
    """Where the gateway reaches the hub, as https://pengaduan.example.go.id: delivery reports are asked for there."""


class Sms(Listens, Speaks):
    kind = "sms"
    settings_type = SmsSettings
    methods = frozenset({"GET", "POST"})
    body_limit = 64 * 1024
    secret_parameters = frozenset({"token"})

    @property
    def keywords(self) -> Mapping[str, str]:
        """Region keyword to region code, for the reader."""
        keywords: Mapping[str, str] = self.settings.keywords
        return keywords

    @property
    def carries_reference(self) -> bool:
        """In delivery reports, where they are asked for."""
        return bool(self.settings.public_url)

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-token") or parse_qs(request.query).get("token", [""])[0]
        if not given:
            raise Forbidden("no token")
        if not self.settings.token.matches(given):
            raise Forbidden("wrong token")

    def conversations(self, request: Request) -> Sequence[Spoken]:
        said = _parameters(request.query, request.body)
        sender = _string(said, "from")
        return [Spoken(None if _is_report(said) or not sender else number(sender))]

    def accepted(self) -> Answer:
        return Answer()  # empty: Kannel sends to the citizen whatever stands here

    def parse(self, raw: Raw) -> Iterable[Message | Receipt | Reject]:
        said = _parameters(raw.query, raw.body)
        if _is_report(said):
            yield self._report(raw, said)
            return
        sender = _string(said, "from")
        if not sender:
            raise Reject("no sender: the gateway's URL has to carry from=%p")
        if "text" not in said:
            raise Reject("no text: the gateway's URL has to carry text=%b")
        yield self._message(raw, said, sender)

    def _message(self, raw: Raw, said: Mapping[str, bytes], sender: str) -> Message:
        native = _string(said, "id")
        native = "" if native.lower() in _NO_ID else native
        extra = {name: _string(said, name) for name in ("to", "smsc") if _string(said, name)}
        whose = number(sender)
        return self.message(
            raw,
            native or None,
            whose,
            fingerprint=self._fingerprint(said) if not native and said.get("time") else None,
            sent_at=_time(_string(said, "time")),
            sender=Party(phone=sender) if whose.startswith("+") else Party(user=f"sms:{whose}"),
            text=readable(said["text"], _string(said, "charset"), _string(said, "coding")),
            extra=extra | _part(said.get("udh", b"")),
        )

    def _fingerprint(self, said: Mapping[str, bytes]) -> str:
        """Only with the gateway's time: without one, two equal texts may be two messages."""
        told = (self.account.encode(), *(said.get(name, b"") for name in ("from", "text", "time", "udh")))
        return hashlib.sha256(b"\x1f".join(told)).hexdigest()

    def _report(self, raw: Raw, said: Mapping[str, bytes]) -> Receipt:
        word = _string(said, "dlr")
        state = _REPORTS.get(word, "unknown")
        reply = _string(said, "ref")
        if not reply:
            raise Reject("a delivery report without ref: it is not one that we asked for")
        reason = f"delivery report {word[:12]}" if state in {"failed", "unknown"} else None
        return self.receipt(raw, state=state, at=raw.received_at, reply=reply, reason=reason)

    def send(self, reply: Reply, http: Http) -> None:
        """Kannel gives no id; what became of it comes back with our own reference, if reports are asked for."""
        settings = self.settings
        if not settings.send_url:
            raise Reject("no send_url is set for this account: nothing can be answered by SMS")
        if any(c.isalpha() for c in reply.to):
            raise Reject("the sender is a name, not a number: nothing can be answered")
        text = segments(reply.text)
        if len(text.parts) > _MOST_PARTS:
            raise Reject(f"{len(text.parts)} segments: a short message has at most {_MOST_PARTS}")
        params = {
            "username": settings.username,
            "password": settings.password.reveal(),
            "from": settings.sender,
            "to": reply.to,
            "text": reply.text,
            "charset": "UTF-8",
            "coding": "0" if text.encoding == "GSM-7" else "2",
        }
        http.ask(Call(settings.send_url, params=params | self._asked_report(reply)))

    def _asked_report(self, reply: Reply) -> dict[str, str]:
        if not self.settings.public_url:
            return {}
        query = urlencode({"token": self.settings.token.reveal(), "ref": reply.id}).replace(
            "%", "%%"
        )  # Kannel's escape
        door = f"{self.settings.public_url.rstrip('/')}/in/{self.account}"
        return {"dlr-mask": _ASKED_REPORTS, "dlr-url": f"{door}?{query}&dlr=%d"}


def number(said: str) -> str:
    """One citizen, one conversation, however the gateway writes the number: 0812…, 62812… and +62 812-… are one."""
    digits = "".join(c for c in said if c.isdigit())
    if len(digits) < 8 or any(c.isalpha() for c in said):  # a short code, or a name
        return said.strip()
    if not said.lstrip().startswith("+"):
        digits = digits[2:] if digits.startswith("00") else digits
        digits = "62" + digits.removeprefix("0") if digits.startswith(("0", "8")) else digits
    return "+" + digits


def _is_report(said: Mapping[str, bytes]) -> bool:
    """Some get-urls carry %d for messages too; what we ask reports with never carries a text."""
    return "dlr" in said and "text" not in said


def _parameters(query: str, body: bytes) -> dict[str, bytes]:
    """By our own names, percent-decoded and not yet text: their charset is one of them."""
    given: dict[str, bytes] = {}
    for pair in filter(None, [*_bytes(query).split(b"&"), *body.split(b"&")]):
        name, _, value = pair.partition(b"=")
        key = unquote_to_bytes(name).decode("latin-1").strip().lower()
        given.setdefault(key, unquote_to_bytes(value.replace(b"+", b" ")))
    for ours, names in _NAMES.items():
        found = next((given[name] for name in names if name in given), None)
        if found is not None:
            given[ours] = found
    return given


def _bytes(query: str) -> bytes:
    """A door hands raw bytes on as Latin-1."""
    try:
        return query.encode("latin-1")
    except UnicodeEncodeError:
        return query.encode("utf-8", "replace")


def _string(said: Mapping[str, bytes], name: str) -> str:
    return said.get(name, b"").decode("utf-8", "replace").replace("\x00", "").strip()


def _time(said: str) -> datetime | None:
    """Kannel's %T (seconds since 1970) or %t (UTC without saying so); None where it is neither."""
    try:
        if said.isdigit():
            return datetime.fromtimestamp(int(said), UTC)
        time = datetime.fromisoformat(said)
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        time.astimezone(UTC)  # the first and last days of the calendar have no such instant
        return time
    except (ValueError, OverflowError, OSError):
        return None


def _part(udh: bytes) -> dict[str, str]:
    """Which part of a long message this is, where the gateway did not join it."""
    try:
        header = bytes.fromhex(udh.decode("ascii"))
    except ValueError:
        header = udh
    at = 1
    while at + 1 < len(header):
        element, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if (element, len(value)) in {(0x00, 3), (0x08, 4)}:
            return {"part": f"{value[-1]}/{value[-2]}", "ref": str(int.from_bytes(value[:-2], "big"))}
        at += 2 + size
    return {}
