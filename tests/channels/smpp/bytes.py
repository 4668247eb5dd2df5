"""Short messages as tests write them."""

from __future__ import annotations

from connectors._smpp_alphabets import encode_gsm7
from connectors._smpp_pdu import DELIVER_SM, Pdu, ShortMessage, encode_message, encode_pdu

SARI, BUDI = "6281200000001", "6281200000002"


def short(text: str | bytes, sender: str = SARI, **fields: object) -> ShortMessage:
    """A message of one part, in GSM-7 where it is given as text."""
    data = encode_gsm7(text) if isinstance(text, str) else text
    return ShortMessage(sender, "1708", 1, 1, text=data, **fields)


def part(text: str | bytes, number: int, total: int, reference: int = 7, sender: str = SARI, **fields: object):
    """One part of a long text, with an 8-bit reference."""
    data = encode_gsm7(text) if isinstance(text, str) else text
    header = bytes((5, 0, 3, reference, total, number))
    return ShortMessage(sender, "1708", 1, 1, esm_class=0x40, text=header + data, **fields)


def pdu(message: ShortMessage, sequence: int = 1) -> bytes:
    """The deliver_sm of a message."""
    return encode_pdu(Pdu(DELIVER_SM, 0, sequence, encode_message(message)))


def packed(septets: bytes, fill_bits: int = 0) -> bytes:
    """Eight septets in seven bytes."""
    bits = sum(septet << 7 * n for n, septet in enumerate(septets)) << fill_bits
    return bits.to_bytes((len(septets) * 7 + fill_bits + 7) // 8, "little")
