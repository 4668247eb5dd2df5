"""The user data of a short message: its header (3GPP TS 23.040, 9.2.3.24) or the SAR parameters, and the bytes of the
text. Any information element may come first, and those we do not know are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from connectors._smpp_pdu import (
    DESTINATION_PORT,
    MESSAGE_PAYLOAD,
    SAR_REFERENCE,
    SAR_SEQUENCE,
    SAR_TOTAL,
    UDHI,
    ShortMessage,
)

_UNFLAGGED = (b"\x05\x00\x03", b"\x06\x08\x04")
"""Headers of parts, by which they are known where a gateway lost the flag; no text begins so."""


class ConcatenationInfo(NamedTuple):
    """Which part of which long text a short message is."""

    scheme: Literal["udh8", "udh16", "sar"]
    """Two schemes count their references apart."""
    reference: int
    """0 is one like any other."""
    total: int
    number: int
    """From 1."""


class UserData(NamedTuple):
    """What one short message carries."""

    data: bytes
    """Without the header."""
    coding: int
    segment: ConcatenationInfo | None = None
    """None: a text of one part."""
    fill_bits: int = 0
    """Bits before the first septet, where the text is packed."""
    port: int | None = None
    """An application is addressed: this is not for people."""


def parse_user_data(message: ShortMessage) -> UserData:
    """The user data of the message. Never raises: a header that makes no sense is text."""
    data = _bytes_of(message)
    elements: dict[int, bytes] = {}
    flagged = message.esm_class & UDHI or data.startswith(_UNFLAGGED)
    length = 1 + data[0] if data and flagged else 0
    if 1 < length <= len(data):
        elements, data = _elements(data[1:length]), data[length:]
    else:
        length = 0
    segment = _segment_in(elements) or _segment_by_sar(message.tlvs)
    return UserData(data, message.data_coding, segment, -8 * length % 7, _port(elements, message.tlvs))


def _bytes_of(message: ShortMessage) -> bytes:
    payload = message.tlvs.get(MESSAGE_PAYLOAD, b"")
    return payload if payload.startswith(message.text) else message.text + payload


def _elements(header: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 1 < len(header):
        tag, length = header[at], header[at + 1]
        found[tag] = header[at + 2 : at + 2 + length]
        at += 2 + length
    return found


def _segment_in(elements: Mapping[int, bytes]) -> ConcatenationInfo | None:
    short, wide = elements.get(0x00, b""), elements.get(0x08, b"")
    if len(wide) == 4:
        return _valid(ConcatenationInfo("udh16", int.from_bytes(wide[:2], "big"), wide[2], wide[3]))
    if len(short) == 3:
        return _valid(ConcatenationInfo("udh8", *short))
    return None


def _segment_by_sar(tlvs: Mapping[int, bytes]) -> ConcatenationInfo | None:
    reference, total, number = (tlvs.get(tag) for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_SEQUENCE))
    if not (reference and total and number):
        return None
    return _valid(ConcatenationInfo("sar", int.from_bytes(reference, "big"), total[-1], number[-1]))


def _valid(segment: ConcatenationInfo) -> ConcatenationInfo | None:
    """A part 0, or 4 of 3, is no part; 1 of 1 is a text by itself."""
    return segment if 1 <= segment.number <= segment.total and segment.total > 1 else None


def _port(elements: Mapping[int, bytes], tlvs: Mapping[int, bytes]) -> int | None:
    found = elements.get(0x04, b"")[:1] or elements.get(0x05, b"")[:2] or tlvs.get(DESTINATION_PORT, b"")
    return int.from_bytes(found, "big") or None
