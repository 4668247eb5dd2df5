"""SMPP 3.4: short messages straight from an operator's centres, as short code 1708 is connected.

A request is the PDUs of one message, as the session stored them, or PDUs in hex, one a line. How long texts are joined
stands in `_smpp_parts.py`, the session in `_smpp_session.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from zoneinfo import ZoneInfo

from connectors._demo import DemoItem, DemoRequest
from connectors._numbers import is_same_number, normalize_number
from connectors._port import Connects, Intake, Item, ProviderConnections, RenewedSecret, SentReply, Session, Speaks
from connectors._request import Part, Payload
from connectors._smpp_deliveries import REPEATED, SENT_AS
from connectors._smpp_parts import BEGAN, RELEASED, WAITS
from connectors._smpp_pdu import DELIVER_SM, MESSAGE_PAYLOAD, SUBMIT_SM, Pdu, ShortMessage, encode_message, encode_pdu
from connectors._smpp_reading import Found, LongText, conversation_number, decode_parts, items_in_body, phone_of
from connectors._smpp_receipts import DeliveryReceipt
from connectors._smpp_sending import send_parts
from connectors._smpp_session import SmppSession, open_session
from connectors._smpp_settings import SmppSettings
from connectors._smpp_text import is_binary
from schemas import Message, Party, Raw, Receipt, Reject, Reply, Retry


class SmppChannel(Connects, Speaks):
    kind = "smpp"
    settings_type = SmppSettings
    conversational = True
    marks_start = True
    unwraps_base64 = True
    vouches_for_sender = True
    short_answers = True
    ids_hold_phones = True
    outbound_settings = ("hosts", "system_id")
    template = """\
hosts = []                     # the operator's centres: ["10.1.2.3:2775"]
# tls = true
system_id = ""                 # this and the password the operator gives
# password = "env:SMPP_PASSWORD"
# system_type = ""
# bind = "transceiver"         # or "pair": a receiver and a transmitter
# address = "1708"
# rate = 10                    # messages a second that were agreed
# [{name}.keywords]            # REGION KEYWORD … at the start of a message
# TANGKAB = "36.03"
"""

    @property
    def keywords(self) -> Mapping[str, str]:
        keywords: Mapping[str, str] = self.settings.keywords
        return keywords

    @property
    def outbound_urls(self) -> Sequence[str]:
        return () if self.missing_setting else tuple(f"smpp://{host}" for host in self.settings.hosts)

    @property
    def sends_a_second(self) -> float | None:
        return self.settings.rate or None

    def setup_help(self, url: str) -> str:
        return (
            "give the operator the address that our connection comes from, and enter hosts, system_id and password; "
            "ask for delivery receipts, for UCS-2, and that what is not acknowledged is brought again"
        )

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        if item.form != "text":
            return None
        payload = {MESSAGE_PAYLOAD: item.text.encode("utf-16-be")}
        message = ShortMessage(item.phone, self.settings.address or "1708", 1, 1, data_coding=8, tlvs=payload)
        return DemoRequest(body=encode_pdu(Pdu(DELIVER_SM, 0, 1, encode_message(message))))

    def parts(self, payload: Payload) -> Iterator[Part]:
        for message, found in items_in_body(payload.body, self.settings.alphabet):
            yield Part(found, (conversation_number(message) or None) if message else None)

    def read(self, part: Part, raw: Raw) -> Item:
        found: Found = part.payload
        if isinstance(found, Reject):
            raise found
        if isinstance(found, DeliveryReceipt):
            return self._receipt(found, part.conversation, raw)
        if WAITS in raw.headers:
            return self.receipt(raw, state="empty", at=raw.received_at, conversation=part.conversation)
        return self._message(found, part.conversation or raw.id, raw)

    def _message(self, text: LongText, conversation: str, raw: Raw) -> Message:
        decoded = decode_parts(text.pieces, text.total, self.settings.alphabet)
        binary = is_binary(list(text.pieces.values()), decoded)
        message, released = text.message, _numbers(raw.headers.get(RELEASED, ""))
        phone = phone_of(message)
        began = raw.headers.get(BEGAN)
        return self.message(
            raw,
            text.id(text.pieces, began) if began else None,
            conversation,
            fingerprint=text.digest(text.pieces, f"{self.account} {raw.headers.get(REPEATED, '')}"),
            sender=Party(phone=phone) if phone else Party(user=f"smpp:{message.source}"),
            kind="unknown" if binary else "edit" if released else "text",
            kind_word="8-bit data" if binary else None,
            text="" if binary else decoded.text,
            refers_to=text.id(released, began) if began and released else None,
            refusal="echo of our own" if self._is_ours(text) else None,
            extra={"to": message.destination} if message.destination else {},
        )

    def _is_ours(self, text: LongText) -> bool:
        return text.command == SUBMIT_SM or is_same_number(text.message.source, self.settings.address)

    def _receipt(self, report: DeliveryReceipt, conversation: str | None, raw: Raw) -> Receipt:
        native = raw.headers.get(SENT_AS) or next(iter(report.ids), None)
        if native is None:
            raise Reject("receipt_without_id", "a delivery receipt that names no message")
        came = raw.received_at if SENT_AS in raw.headers else None  # else no session brought it: it may be of any age
        at = report.at(came, ZoneInfo(self.settings.zone)) or raw.received_at
        return self.receipt(
            raw, state=report.state, at=at, native_id=native, reason=report.reason, conversation=conversation
        )

    def connect(
        self, intake: Intake, cursor: str | None, renewed: RenewedSecret | None = None
    ) -> AbstractAsyncContextManager[Session]:
        self.require_outbound()
        return open_session(self.settings, intake, cursor)

    def typed_address(self, typed: str) -> str:
        return normalize_number(typed)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        self.require_outbound()
        if not isinstance(outbound.session, SmppSession):
            raise Retry("no session")
        return SentReply(await send_parts(reply, outbound.session, self.settings, outbound.before_arrival))


def _numbers(written: str) -> tuple[int, ...]:
    return tuple(int(number) for number in written.split(",") if number.isdigit())
