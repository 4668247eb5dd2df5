"""The text in a short message's bytes (3GPP TS 23.038, SMPP 5.2.19), whatever its data coding claims.

data_coding 0 is the operator's own alphabet, gateways recode and leave the claim, and phones send UCS-2 the wrong way
round. So each alphabet that the bytes could be in is tried, the claimed one first, and the least strange text is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from connectors._smpp_alphabets import DECODERS, MARKS, unpack_septets
from connectors._smpp_user_data import UserData

Alphabet = Literal["auto", "gsm7", "latin1"]
"""The alphabet behind data_coding 0; auto: as the bytes look."""
_DOUBT = 0.15
"""A text of an alphabet further down the list must be so much less strange."""
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0e-\x1f\x7f-\x9f]")
_PLAIN = re.compile(r"[A-Za-z0-9 \n\r.,:;!?'\"()/%&+*=#<>-]*")


class DecodedText(NamedTuple):
    """A text, and how strange it is: 0 is plain, 1 for each character that no person writes."""

    text: str
    strangeness: float


def decode_text(data: bytes, coding: int, alphabet: Alphabet = "auto", fill_bits: int = 0) -> DecodedText:
    """The text that the bytes most likely are. Never raises."""
    if certain := _certainly(data) or _agreed(data, coding, alphabet):
        return DecodedText(certain, count_unlikely_characters(certain))
    best = DecodedText(data.decode("latin-1"), float(len(data)) + 1)
    lead = 0.0
    for name in _candidates(coding, alphabet):
        text = unpack_septets(data, fill_bits) if name == "packed" else DECODERS[name](data)
        if text is not None:
            found = DecodedText(text, count_unlikely_characters(text))
            if found.strangeness + lead < best.strangeness:
                best = DecodedText(text, found.strangeness + lead)
            if best.strangeness <= lead + _DOUBT:
                break
        lead += _DOUBT
    return best


def _certainly(data: bytes) -> str | None:
    """The text of bytes that show what they are: UCS-2 by a mark, or by a NUL beside each letter, which would be
    "@L@i@k@e@ @t@h@i@s"; UTF-8 by several characters of more than one byte."""
    if len(data) % 2 == 0 and len(data) >= 4:
        high, low = data[0::2], data[1::2]
        if data[:2] in MARKS or (not any(high) and all(low)):
            return DECODERS["utf16be"](data)
        if not any(low) and all(high):
            return DECODERS["utf16le"](data)
    if data.isascii() or b"\0" in data or (text := DECODERS["utf-8"](data)) is None:
        return None
    return text if sum(c > "\x7f" for c in text) >= 3 else None


def _agreed(data: bytes, coding: int, alphabet: Alphabet) -> str | None:
    """The text in the alphabet that was agreed with the operator; None where the bytes cannot be in it."""
    if alphabet == "auto" or _class_of(coding) != "default":
        return None
    text = DECODERS[alphabet](data)
    return None if text is None or _CONTROL.search(text) else text


def decode_joined(pieces: Sequence[UserData], alphabet: Alphabet = "auto") -> DecodedText:
    """The text of parts that follow one another: cut between two characters, or inside one, and with a data coding on
    each, or on the first only."""
    apart = [decode_text(p.data, p.coding, alphabet, p.fill_bits) for p in pieces]
    by_part = DecodedText("".join(d.text for d in apart), sum(d.strangeness for d in apart))
    if len(pieces) == 1:
        return by_part
    coding = next((p.coding for p in pieces if p.coding), 0)
    whole = decode_text(b"".join(p.data for p in pieces), coding, alphabet)
    doubt = _DOUBT if len({p.coding for p in pieces}) == 1 else 0.0
    return whole if whole.strangeness <= by_part.strangeness + doubt else by_part


def is_binary(pieces: Sequence[UserData], decoded: DecodedText) -> bool:
    """Do the parts carry something for a machine, as a ring tone or a setting?"""
    eight_bit = all(_class_of(p.coding) == "8bit" for p in pieces)
    return eight_bit and (any(p.port for p in pieces) or decoded.strangeness > len(decoded.text) / 3)


def count_unlikely_characters(text: str) -> float:
    """0 for what people write; 1 for each character that nobody does."""
    return 0.0 if _PLAIN.fullmatch(text) else sum(map(_strange, text))


@lru_cache(maxsize=4096)
def _strange(char: str) -> float:
    if _PLAIN.fullmatch(char) or char in "_[]\t":
        return 0.0
    for fitting, weight in _WEIGHTS:
        if fitting(char):
            return weight
    return 0.2


_WEIGHTS: tuple[tuple[Callable[[str], bool], float], ...] = (
    (lambda c: c in "“”‘’–—…•€°²£‚„\u200d\ufe0f", 0.05),
    (lambda c: c in "{}\\~^|`$", 0.1),
    (lambda c: c == "@", 0.3),
    (lambda c: c in "ΔΦΓΛΩΠΨΣΘΞ§", 0.5),
    (lambda c: unicodedata.category(c) in {"Cc", "Co", "Cn", "Cs"} or c in "\ufffd\ufeff\ufffe", 1.0),
    (lambda c: c in "†‡ˆ‰ŠŒŽ˜™š›œžŸƒ‹" or (c < "\u0250" and unicodedata.category(c)[0] != "L"), 0.8),
    (lambda c: c < "\u0250", 0.2),
    (lambda c: "\u0600" <= c < "\u0700" or (c >= "\u2600" and unicodedata.category(c) == "So"), 0.05),
    (lambda c: "\u2e80" <= c < "\ua000" or "\uac00" <= c < "\ud7b0", 0.25),
)
"""How strange a character is; the first that fits. Han is strange enough that Latin letters read as UCS-2 lose."""


_DEFAULTS: dict[Alphabet, tuple[str, ...]] = {
    "auto": ("gsm7", "utf-8", "latin1"),
    "gsm7": ("gsm7", "utf-8", "latin1"),
    "latin1": ("latin1", "utf-8", "gsm7"),
}
_CLAIMS: dict[str, tuple[str, ...]] = {
    "latin": ("latin1", "utf-8", "gsm7"),
    "8bit": ("utf-8", "latin1", "gsm7"),
    "ucs2": ("utf16be", "utf-8", "utf16le", "latin1", "gsm7"),
    "cyrillic": ("iso8859-5", "utf-8"),
    "hebrew": ("iso8859-8", "utf-8"),
    "jis": ("shift_jis", "iso2022_jp", "utf-8"),
    "korean": ("euc_kr", "utf-8"),
}
UCS2 = 8
"""The data coding of UCS-2."""
_SMPP = {1: "latin", 2: "8bit", 3: "latin", 4: "8bit", 5: "jis", 6: "cyrillic", 7: "hebrew", UCS2: "ucs2", 10: "jis",
         13: "jis", 14: "korean"}  # fmt: skip


@lru_cache(maxsize=1024)
def _candidates(coding: int, alphabet: Alphabet) -> tuple[str, ...]:
    """Alphabets in the order in which they are tried."""
    claimed = _class_of(coding)
    if claimed == "ucs2":
        return _CLAIMS["ucs2"]
    return (*_CLAIMS.get(claimed, _DEFAULTS[alphabet]), "packed", "utf16be", "utf16le")


def _class_of(coding: int) -> str:
    """The alphabet that a data coding claims: SMPP's values, and above them GSM's groups."""
    if coding < 0x10:
        return _SMPP.get(coding, "default")
    group = coding >> 4
    if group < 0x4:
        return ("default", "8bit", "ucs2", "default")[coding >> 2 & 3]
    if group == 0xF:
        return "8bit" if coding & 0x04 else "default"
    return "ucs2" if group == 0xE else "default"
