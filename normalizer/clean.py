"""Cleaned text: the leftovers of machines are taken out of a citizen's words, the words stay.

In this order, each step a fixed point of the ones before, so that cleaning twice is cleaning once:

1. lone surrogates, U+FFFD and C1 controls, the leftovers of bytes in another coding, become a space (mostly they were
   a quote, a dash or a hard space), as do letters that show a blank (Hangul fillers, the empty Braille cell);
   surrogate pairs become their character
2. NUL and the other controls, zero-width, bidirectional and other characters that show nothing are taken out. A joiner
   and a variation selector stay inside an emoji sequence. Marks of a script that are seen (Arabic number signs) stay
3. composed form (NFC); of a run of combining marks the first 30 stay: the time to normalise grows by its square
4. every break is a newline, at most one empty line; every other blank is one space; none at either end
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import cache, lru_cache

from normalizer.beyond_ascii import letters_beyond_ascii

_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_LEFTOVERS = re.compile("[\ud800-\udfff\ufffd\x80-\x84\x86-\x9f\u115f\u1160\u2800\u3164\uffa0]")
_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u25aa-\u27bf"
    "\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]"
)
_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
_ANY_INVISIBLE = re.compile(f"[{_INVISIBLE}]")
_HIDDEN = re.compile(f"({_PICTURE}\ufe0f?(?:\u200d{_PICTURE}\ufe0f?)*)|[{_INVISIBLE}]")
_MAX_MARKS = 30
"""Combining marks in a row, as the Stream-Safe Text Format has it (Unicode Annex 15)."""
_EMPTY_LINES = re.compile(r"\n{3,}")

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """The cleaned text. Never raises; `clean(clean(x)) == clean(x)`."""
    if _plain(trimmed := text.strip()):
        return trimmed
    if all(map(str.isprintable, lines := trimmed.split("\n"))) and all(map(_stays, letters_beyond_ascii(trimmed))):
        return _spaced(lines)
    return _spaced(_mended(text).split("\n"))


def _mended(text: str) -> str:
    """The steps before the blanks."""
    if not text.isascii():
        text = _LEFTOVERS.sub(" ", replace_unencodable(text))
    return _composed(_visible(_BREAKS.sub("\n", text)))


@lru_cache(4_096)
def _stays(letter: str) -> bool:
    """Does cleaning leave this letter as it is, whatever stands beside it? A mark, or half of a syllable, may join the
    letter before it."""
    joins = unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff"
    return not (joins or letter.isspace()) and _mended(letter) == letter


def _spaced(lines: list[str]) -> str:
    text = "\n".join([" ".join(line.split()) for line in lines])
    return (_EMPTY_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip()


def one_line(text: str) -> str:
    """A name or a title: cleaned, on one line."""
    cleaned = clean(text)
    return cleaned if "\n" not in cleaned else _SPACE.sub(" ", cleaned)


def is_blank(text: str) -> bool:
    """Holds it nothing that can be seen?"""
    return not any(letter.isprintable() and not letter.isspace() for letter in text)


def replace_unencodable(text: str) -> str:
    """The text with what UTF-8 cannot carry replaced: surrogate pairs joined, lone ones as U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def decode_base64_body(body: str) -> str:
    """The text inside a body that some gateways send as base64; the body itself where that yields nothing readable."""
    packed = _SPACE.sub("", body)
    if not _BASE64.fullmatch(packed):
        return body
    try:
        inside = base64.b64decode(packed, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return body
    return inside if _readable(clean(inside)) else body


def _plain(text: str) -> bool:
    """Of a text without blanks around it: is there nothing to do?"""
    return text.isascii() and text.isprintable() and "  " not in text


def _visible(text: str) -> str:
    return _HIDDEN.sub(r"\1", text) if _ANY_INVISIBLE.search(text) else text


def _composed(text: str) -> str:
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", _bounded_marks(text))
    # some marks are two marks once normalised, so that a run may be too long again
    return composed if composed is text else _bounded_marks(composed)


def _bounded_marks(text: str) -> str:
    runs = _long_runs()
    return runs.sub(r"\1", text) if runs.search(text) else text


@cache
def _long_runs() -> re.Pattern[str]:
    marks = "".join(chr(c) for c in range(0x300, 0x1F000) if unicodedata.combining(chr(c)))
    return re.compile(f"([{re.escape(marks)}]{{{_MAX_MARKS}}})[{re.escape(marks)}]+")


def _readable(text: str) -> bool:
    """Words with blanks between: random bytes that happen to be UTF-8 are none."""
    wordly = sum(c.isalpha() or c.isspace() for c in text)
    return " " in text and wordly >= 0.7 * len(text)
