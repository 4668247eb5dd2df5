"""Text in short messages: its segments, and the text in a gateway's bytes (3GPP TS 23.038, 23.040)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_UTF16 = {"utf16": "utf-16-be", "utf16be": "utf-16-be", "ucs2": "utf-16-be", "utf16le": "utf-16-le"}


class SegmentedText(NamedTuple):
    """A text as the network carries it."""

    encoding: Literal["GSM-7", "UCS-2"]
    parts: tuple[str, ...]
    """Joined they are the text; each fits one segment."""


def split_into_segments(text: str, *, ucs2: bool = False) -> SegmentedText:
    """Cut the text. One segment alone holds 160 septets or 70 UTF-16 units; of several, each holds 153 or 67. `ucs2`:
    in UCS-2 in any case."""
    if not ucs2 and all(c in _BASIC or c in _EXTENSION for c in text):
        return SegmentedText("GSM-7", tuple(_split(text, dict.fromkeys(_EXTENSION, 2), 160, 153)))
    wide = {c: 2 for c in text if ord(c) > 0xFFFF}
    return SegmentedText("UCS-2", tuple(_split(text, wide, 70, 67)))


def _split(text: str, wide: dict[str, int], alone: int, joined: int) -> Iterator[str]:
    if sum(wide.get(c, 1) for c in text) <= alone:
        yield text
        return
    part: list[str] = []
    used = 0
    for c in text:
        width = wide.get(c, 1)
        if used + width > joined:
            yield "".join(part)
            part, used = [], 0
        part.append(c)
        used += width
    yield "".join(part)


def decode_best_guess(data: bytes, charset: str = "", coding: str = "") -> str:
    """The text that the bytes most likely are; never raises. The gateway's own charset is tried first.

    `coding` is Kannel's: 0 seven bits (recoded to UTF-8), 1 eight bits, 2 UCS-2.
    """
    label = _UTF16.get(re.sub(r"[^a-z0-9]", "", charset.lower()), charset)
    if coding == "2" or label.startswith("utf-16"):
        return _utf16(data, label)
    for name in (label or "utf-8", "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):  # an unknown charset, or bytes that are none of it
            continue
    return data.decode("cp1252", errors="replace")


def _utf16(data: bytes, label: str) -> str:
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return data.decode("utf-16", errors="replace")
    # Latin text in UTF-16 has a NUL in every character: a gateway recoded it and left the label
    if b"\x00" not in data:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    wrong_way = data[0::2].count(0) < data[1::2].count(0)
    return data.decode("utf-16-le" if wrong_way or label == "utf-16-le" else "utf-16-be", errors="replace")
