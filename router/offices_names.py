"""Names of offices as people write them, folded to words that can be compared.

"Yth. Bpk. Ka. Dishub Kab. Semarang" and "Dinas Perhubungan Kabupaten Semarang" hold the same words after folding:
lower case, no punctuation, no "dan", abbreviations written out (`offices_names.csv`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from schemas.regions import region_names

_WORD = re.compile(r"[^\W_]+")
_ASCII = bytes(ord(chr(n).lower()) if chr(n).isascii() and chr(n).isalnum() else 32 for n in range(256))
"""Lower case for letters, blanks for all that stands between words."""
ADDRESSED = frozenset({"yth", "yts", "kepada", "kpd", "ditujukan", "tertuju"})
"""Words before an office to which somebody speaks."""
COURTESY = frozenset(
    {"yth", "yts", "kepada", "kpd", "ditujukan", "tertuju", "bapak", "bpk", "ibu", "pak", "bu", "sdr", "ka", "kepala",
     "kadis", "pimpinan", "direktur", "admin", "min", "ke", "di", "tempat"}
)  # fmt: skip
"""Words around the name of an office that are no part of it."""
PLACING = frozenset({"depan", "dekat", "samping", "sebelah", "belakang", "seberang", "sekitar", "kantor", "gedung"})
"""Words before an office that is only a landmark."""


def fold(text: str) -> list[str]:
    """The words of a text."""
    if text.isascii():  # ten times as fast
        words = text.encode("ascii").translate(_ASCII).decode("ascii").split()
    else:
        words = _WORD.findall(text.casefold())
    written_out = abbreviations()
    for at in [n for n, word in enumerate(words) if word in written_out][::-1]:
        words[at : at + 1] = written_out[words[at]]
    return words


def fold_name(text: str) -> str:
    """The name of an office as a phrase, without the courtesy before and after it."""
    words = fold(text)
    while words and words[0] in COURTESY:
        del words[0]
    while words and words[-1] in COURTESY:
        del words[-1]
    return " ".join(words)


@cache
def abbreviations() -> Mapping[str, tuple[str, ...]]:
    """The words that an abbreviation stands for; none for a word that is passed over."""
    with Path(__file__).with_name("offices_names.csv").open(encoding="utf-8", newline="") as file:
        return {row["short"]: tuple(row["words"].split()) for row in csv.DictReader(file)}


@cache
def region_phrases() -> Mapping[str, tuple[str, str]]:
    """By region code its full phrase and its short one: "kota semarang" and "semarang"."""
    return MappingProxyType({code: _phrases(code, name) for code, name in region_names().items()})


@cache
def codes_by_phrase() -> Mapping[str, tuple[str, ...]]:
    """The regions of a phrase; several where a short one is that of a city and of a regency."""
    found: dict[str, set[str]] = {}
    for code, phrases in region_phrases().items():
        for phrase in phrases:
            found.setdefault(phrase, set()).add(code)
    for phrase, code in _OTHER_NAMES.items():
        found.setdefault(phrase, set()).add(code)
    return MappingProxyType({phrase: tuple(sorted(codes)) for phrase, codes in found.items()})


_OTHER_NAMES = {
    "provinsi dki jakarta": "31", "dki jakarta": "31", "provinsi jakarta": "31", "jakarta": "31",
    "provinsi daerah khusus jakarta": "31", "daerah khusus jakarta": "31",
    "provinsi daerah istimewa yogyakarta": "34", "provinsi yogyakarta": "34", "diy": "34", "provinsi diy": "34",
}  # fmt: skip


def _phrases(code: str, name: str) -> tuple[str, str]:
    phrase = " ".join(fold(name.replace(" Administrasi", "")))
    if len(code) == 2:
        return f"provinsi {phrase}", phrase
    return phrase, phrase.split(" ", 1)[1]


def split_region(phrase: str) -> tuple[str, tuple[str, ...]]:
    """A folded name without the region at its end, and the codes of that region: none where it ends with none."""
    words = phrase.split(" ")
    for n in range(1, len(words)):
        codes = codes_by_phrase().get(" ".join(words[n:]))
        if codes:
            return " ".join(words[:n]), codes
    return phrase, ()
