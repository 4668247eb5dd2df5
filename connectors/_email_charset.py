"""Bytes to text where the label of the charset may lie."""

from __future__ import annotations

import codecs
from functools import lru_cache

_ALIASES = {
    "ansi_x3.4-1968": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "latin-1": "cp1252",
    "latin1": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030",
    "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932", "x-sjis": "cp932", "big5": "cp950",
    "utf8": "utf-8", "unicode-1-1-utf-7": "utf-7", "cp-850": "cp850", "x-unknown": "utf-8", "unknown-8bit": "utf-8",
}  # fmt: skip
"""The label as mail programs write it, and the codec that reads what they mean by it."""
_BY_ESCAPES = ("iso-2022", "iso2022", "utf-7", "hz")
"""Charsets whose bytes all look like ASCII."""
_WIDE = ("utf-16", "utf-32")
GUESSED_OVER = 60
"""Bytes; a guess of the charset needs so many."""
_SAMPLE = 16 * 1024


def decode_text(data: bytes, label: str | None = None) -> str:
    """The text. Valid UTF-8 is UTF-8 whatever the label says; then the label, a guess, and Windows' Latin letters."""
    name = _codec_name(label or "")
    if data.isascii():
        by_escapes = name.startswith(_BY_ESCAPES) and (b"\x1b" in data or name.startswith(("utf-7", "hz")))
        if not by_escapes and not (b"\0" in data and name.startswith(_WIDE)):
            return data.decode("ascii")
    wide = name.startswith(_WIDE) or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    first = (name, "utf-16", "utf-8") if wide else (name,) if name.startswith(_BY_ESCAPES) else ("utf-8", name)
    for candidate in first:
        if (text := _strictly(data, candidate)) is not None:
            return text.removeprefix("\ufeff")
    return _guessed(data)


@lru_cache(maxsize=512)
def is_usable(label: str) -> bool:
    """Does the library get along with this label? It expects that one is unknown, and no other failure."""
    try:
        b"\xe9".decode(label, "replace")
    except LookupError:
        pass
    except ValueError:  # `idna` replaces nothing, and a name holds no NUL
        return False
    return label.isascii() and label.isprintable()


def _guessed(data: bytes) -> str:
    if len(data) > GUESSED_OVER:
        from charset_normalizer import from_bytes

        found = from_bytes(data[:_SAMPLE]).best()
        if found is not None and (text := _strictly(data, found.encoding)) is not None:
            return text
    return data.decode("cp1252", "replace")


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name) if name else None
    except (UnicodeError, LookupError, ValueError):
        return None


@lru_cache(maxsize=512)
def _codec_name(label: str) -> str:
    """Python's text codec of that label; empty where there is none."""
    label = label.strip().strip("\"'").lower()[:40]
    try:
        info = codecs.lookup(_ALIASES.get(label, label))
    except (LookupError, ValueError):
        return ""
    return info.name if getattr(info, "_is_text_encoding", True) else ""
