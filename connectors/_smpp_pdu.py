"""PDUs of SMPP 3.4 and their bytes, without I/O.

Lenient where centres are loose: a length that is too long ends with the PDU, an optional parameter that is cut short
keeps what is there, an unknown one is kept, a second one of the same tag is ignored. What makes no sense at all is a
Reject. Addresses and ids are read as Latin-1, so that any byte comes through.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from schemas import Reject

GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM, DATA_SM = 0x04, 0x05, 0x103
UNBIND, ENQUIRE_LINK, ALERT_NOTIFICATION, OUTBIND = 0x06, 0x15, 0x102, 0x0B
RESPONSE = 0x80000000
"""The bit that makes a response of a request's command."""
MESSAGES = frozenset({SUBMIT_SM, DELIVER_SM, DATA_SM})

SOURCE_PORT, DESTINATION_PORT = 0x020A, 0x020B
SAR_REFERENCE, SAR_TOTAL, SAR_SEQUENCE = 0x020C, 0x020E, 0x020F
RECEIPTED_ID, NETWORK_ERROR, MESSAGE_PAYLOAD, MESSAGE_STATE = 0x001E, 0x0423, 0x0424, 0x0427

UDHI = 0x40
"""Bit of esm_class: the user data begin with a header."""
HEADER = 16
LONGEST = 128 * 1024
"""Bytes of a PDU: a message_payload has at most 65,535."""
_header = struct.Struct(">IIII")
_tlv = struct.Struct(">HH")


class Pdu(NamedTuple):
    """A PDU with its body still as bytes."""

    command: int
    status: int = 0
    sequence: int = 0
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        return bool(self.command & RESPONSE)


class ShortMessage(NamedTuple):
    """A submit_sm, deliver_sm or data_sm."""

    source: str
    destination: str
    source_ton: int = 0
    source_npi: int = 0
    destination_ton: int = 0
    destination_npi: int = 0
    service_type: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    text: bytes = b""
    """short_message as it stands, with its header."""
    tlvs: Mapping[int, bytes] = {}


def take_frames(buffer: bytearray) -> Iterator[bytes]:
    """The whole PDUs at the start of the buffer, taken out of it. Raises Reject where a length is impossible: what
    follows cannot be told apart any more."""
    while len(buffer) >= 4:
        length = int.from_bytes(buffer[:4], "big")
        if not HEADER <= length <= LONGEST:
            raise Reject("wrong_pdu_length", f"a PDU of {length} bytes")
        if len(buffer) < length:
            return
        frame = bytes(buffer[:length])
        del buffer[:length]
        yield frame


def decode_pdu(frame: bytes) -> Pdu:
    """The PDU of one frame. Raises Reject."""
    if len(frame) < HEADER:
        raise Reject("pdu_too_short", f"a PDU has at least {HEADER} bytes, this has {len(frame)}")
    length, command, status, sequence = _header.unpack_from(frame)
    if length != len(frame):
        raise Reject("wrong_pdu_length", f"the PDU names {length} bytes and has {len(frame)}")
    return Pdu(command, status, sequence, frame[HEADER:])


def encode_pdu(pdu: Pdu) -> bytes:
    """The PDU's bytes."""
    return _header.pack(HEADER + len(pdu.body), pdu.command, pdu.status, pdu.sequence) + pdu.body


def decode_message(pdu: Pdu) -> ShortMessage:
    """The fields of a submit_sm, deliver_sm or data_sm. Raises Reject where the mandatory ones are not whole."""
    fields = _Fields(pdu.body)
    service = fields.string()
    source_ton, source_npi, source = fields.byte(), fields.byte(), fields.string()
    ton, npi, destination = fields.byte(), fields.byte(), fields.string()
    esm_class = fields.byte()
    protocol, text = 0, b""
    if pdu.command == DATA_SM:
        registered, coding = fields.byte(), fields.byte()
    else:
        protocol, _priority = fields.byte(), fields.byte()
        _schedule, _validity = fields.string(), fields.string()
        registered, _replace, coding, _default = (fields.byte() for _ in range(4))
        text = fields.take(fields.byte())
    return ShortMessage(
        source, destination, source_ton, source_npi, ton, npi, service, esm_class, protocol, registered, coding, text,
        fields.tlvs(),
    )  # fmt: skip


def encode_message(message: ShortMessage) -> bytes:
    """The body of a submit_sm or deliver_sm."""
    m = message
    return b"".join((
        encode_cstring(m.service_type), bytes((m.source_ton, m.source_npi)), encode_cstring(m.source),
        bytes((m.destination_ton, m.destination_npi)), encode_cstring(m.destination),
        bytes((m.esm_class, m.protocol_id, 0, 0, 0, m.registered_delivery, 0, m.data_coding, 0, len(m.text))), m.text,
        *(encode_tlv(tag, value) for tag, value in m.tlvs.items()),
    ))  # fmt: skip


def encode_cstring(text: str) -> bytes:
    """A string that ends with NUL."""
    return text.replace("\0", "").encode("latin-1", "replace") + b"\0"


def encode_tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return _tlv.pack(tag, len(value)) + value


def first_string(body: bytes) -> str:
    """The string that a response begins with: a message id, or a system id. Empty where there is none."""
    return body.partition(b"\0")[0].decode("latin-1")


class _Fields:
    """The fields of a body, from its start."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def byte(self) -> int:
        if self._at >= len(self._body):
            raise Reject("pdu_cut", "the PDU ends inside its mandatory fields")
        self._at += 1
        return self._body[self._at - 1]

    def string(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise Reject("pdu_cut", "the PDU ends inside its mandatory fields")
        found, self._at = self._body[self._at : end], end + 1
        return found.decode("latin-1")

    def take(self, length: int) -> bytes:
        found = self._body[self._at : self._at + length]
        self._at += length
        return found

    def tlvs(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while self._at + _tlv.size <= len(self._body):
            tag, length = _tlv.unpack_from(self._body, self._at)
            self._at += _tlv.size
            found.setdefault(tag, self.take(length))
        return found
