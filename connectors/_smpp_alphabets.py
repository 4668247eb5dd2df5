"""The alphabets of short messages (3GPP TS 23.038). A function gives the text of bytes, or None where they are none of
its alphabet."""

from __future__ import annotations

from collections.abc import Callable

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip


MARKS = (b"\xfe\xff", b"\xff\xfe")
"""Byte-order marks."""


def decode_gsm7(data: bytes) -> str | None:
    """The text of septets, one a byte; None where a byte is none. An unknown extension is its basic character."""
    if not data.isascii():
        return None
    if b"\x1b" not in data:
        return data.decode("ascii").translate(_TO_TEXT)
    parts = data.decode("ascii").split("\x1b")
    extended = (EXTENSION.get(ord(p[0]), BASIC[ord(p[0])]) + p[1:].translate(_TO_TEXT) for p in parts[1:] if p)
    return parts[0].translate(_TO_TEXT) + "".join(extended)


def encode_gsm7(text: str) -> bytes:
    """The septets, one a byte, of a text of this alphabet."""
    return b"".join(map(_TO_SEPTETS.__getitem__, text))


def is_same_in_all_alphabets(text: str) -> bool:
    """Has each character the same byte in GSM-7, ASCII and Latin-1?"""
    return all(c in _SHARED for c in text)


def unpack_septets(data: bytes, fill_bits: int = 0) -> str | None:
    """Septets, eight in seven bytes, after the fill bits. None where the bytes are plain ones."""
    if data.isascii():
        return None
    bits = int.from_bytes(data, "little") >> fill_bits
    count = (len(data) * 8 - fill_bits) // 7
    septets = bytes(bits >> 7 * n & 0x7F for n in range(count))
    if septets and septets[-1] == 0 and (len(data) * 8 - fill_bits) % 7 == 0:
        septets = septets[:-1]  # seven bits left over are no character
    return decode_gsm7(septets)


def _utf16(data: bytes, order: str) -> str:
    if data[:2] in MARKS:
        return data.decode("utf-16", "replace")
    return data.decode(order, "replace")


def _latin1(data: bytes) -> str:
    """Windows-1252 where it has a character, as most programs mean it; else Latin-1."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _strictly(name: str) -> Callable[[bytes], str | None]:
    def strict(data: bytes) -> str | None:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            return None

    return strict


_TO_TEXT = {n: c for n, c in enumerate(BASIC) if ord(c) != n}
_TO_SEPTETS = {c: bytes((n,)) for n, c in enumerate(BASIC)} | {c: bytes((0x1B, n)) for n, c in EXTENSION.items()}
_SHARED = frozenset(c for n, c in enumerate(BASIC) if ord(c) == n)
DECODERS: dict[str, Callable[[bytes], str | None]] = {
    "gsm7": decode_gsm7,
    "latin1": _latin1,
    "utf16be": lambda data: _utf16(data, "utf-16-be"),
    "utf16le": lambda data: _utf16(data, "utf-16-le"),
    **{name: _strictly(name) for name in ("utf-8", "iso8859-5", "iso8859-8", "shift_jis", "iso2022_jp", "euc_kr")},
}
"""By name."""
