"""The knowledge that ships with the code: which words name a place. No gazetteer: it finds words, not regions.

A citizen who wrote "di depan Puskesmas Cibiru, Kota Bandung" is not asked for the place again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from normalizer._port import PlaceQuestion
from normalizer.courtesy import COMPANIONS
from schemas import Place

_KIND = (
    r"jalan(?:\s+raya)?|jl|jln|gang|gg|kampung|kp|dusun|dukuh|desa|kelurahan|kel|kecamatan|kec|distrik|nagari|gampong|"
    r"kota|kabupaten|kab|provinsi|prov|perumahan|perum|komplek|kompleks|simpang|perempatan|pertigaan|bundaran|pasar|"
    r"terminal|stasiun|puskesmas|rsud|rs|rumah sakit|alun-alun|jembatan|lapangan|masjid|gereja|taman|"
    r"sd|sdn|smp|smpn|sma|sman|smk|smkn"
)
_FIRST_WORDS = frozenset(re.findall(r"(?:^|\|)(\w+)", _KIND)) | {"rt", "rw"}
_SPACES = {c: " " for c in range(128) if not re.match(r"\w", chr(c))}


def _by_first_letter(words: str) -> str:
    """The same alternatives, grouped by their first letters: tried at every word, that takes a quarter of the time."""
    groups: dict[str, list[str]] = {}
    for word in words.split("|"):
        groups.setdefault(word[0], []).append(word[1:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in groups.items())


_NAME = re.compile(
    rf"\b(?:(?:{_by_first_letter(_KIND)})\b\.?\s*(?P<name>[^\W_][\w'-]*(?:\s+(?-i:[A-Z0-9])[\w'-]*)*)|"
    r"r[tw]\b[\s./]*\d+)",
    re.IGNORECASE,
)
_FIRST = re.compile(rf"\b(?:{'|'.join(sorted(_FIRST_WORDS))})", re.IGNORECASE)
_OTHER_WORDS = """
rusak mati kotor banjir macet bocor gelap sempit ambruk putus penuh roboh licin becek amblas retak kosong tutup parah
kami saya kita aku sy gue gua ini itu yang dan di ke dari dekat depan belakang sudah belum tidak tak ada akan masih
lagi juga sangat umum raya utama besar kecil lama baru tolong mohon karena untuk dengan agar supaya pada atau mana apa
tol desa kota kampung lingkungan rumah warga masuk keluar menuju arah sekitar buntu bau
"""
_NOT_NAMES = frozenset(_OTHER_WORDS.split())
_INFLECTED = re.compile(r"(?:ber|ter|di|me[mnl]?|pe[mn])\w{3,}")
"""A verb rather than a name, unless it is written as a name."""
_MOST = 4


class PlaceWords:
    """Knowledge by word lists alone."""

    version = "words-1"

    def places(self, questions: Sequence[PlaceQuestion]) -> list[Sequence[Place]]:
        """At most one candidate each: the words that name a place, as they stand in the text."""
        return [named_in("\n".join(filter(None, (asked.text, asked.address)))) for asked in questions]


def named_in(text: str, words: Iterable[str] | None = None) -> Sequence[Place]:
    """The same for one text. `words`: all of it in small letters, where they are known and in ASCII."""
    found = list(islice((match[0].strip() for match in _names(text, words)), _MOST))
    if not found:
        return ()
    return (Place(words=", ".join(found), source="text", evidence="words that name a place"),)


def _names(text: str, words: Iterable[str] | None) -> Iterator[re.Match[str]]:
    """What `_NAME` finds and is a name. What is none ends before the word that would be it: in "lampu jalan di Jalan
    Melati" a name begins there. Of words in ASCII only where one of the first stands is tried, in a third of the time.
    """
    lower, end = text.lower(), 0
    if words is None and not text.isascii():
        starts = [match.start() for match in _FIRST.finditer(text)]
    else:
        first_words = _FIRST_WORDS.intersection(lower.translate(_SPACES).split() if words is None else words)
        starts = sorted({start for word in first_words for start in _starts(lower, word)})
    for start in starts:
        if start >= end and (match := _NAME.match(text, start)):
            is_name = _is_name(match["name"])
            end = match.end() if is_name else match.start("name")
            if is_name:
                yield match


def _starts(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        if not (start and text[start - 1].isalnum()):
            yield start
        start = text.find(word, start + 1)


def _is_name(name: str | None) -> bool:
    if name is None:  # RT 03, RW 05
        return True
    first = name.split()[0]
    if first.lower() in _NOT_NAMES:
        return False
    return not first.islower() or not (first in COMPANIONS or _INFLECTED.fullmatch(first))
