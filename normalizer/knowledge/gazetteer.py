"""Every province, regency, district and village, by name and by code (`gazetteer.csv`, made by `deploy/gazetteer.py`).

Codes are without points in here (`dotted` writes them). Names are compared without case, blanks and punctuation, so
that "Karang Pilang", "KARANGPILANG" and "karang-pilang" are one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from normalizer.knowledge.numbered_names import first_numbers, numbered_spellings
from normalizer.knowledge.word_lists import names_by_word, word_lists, words_of

PROVINCE, REGENCY, DISTRICT, VILLAGE = 2, 4, 6, 10
"""Digits of a code, level by level."""
LEVELS = {PROVINCE: "province", REGENCY: "regency", DISTRICT: "district", VILLAGE: "village"}
_HEADING = "code,name\n"
_PUNCTUATION = " .-'/()’"
_KINDS = ("kotaadministrasi", "kabupatenadministrasi", "kota", "kabupaten")
_REGENCIES_AT_ONCE = 128
_NAMES_AT_ONCE = 2_000
_LONGEST_UPPER = len("35.78")
_SHORTEST_FAMILY = 5
MEMBERS = words_of(word_lists("place_names")["words"]["members"])
ORDINARY = words_of(word_lists("words")["words"]["ordinary"])
_SHORT_FORMS = frozenset(["sei", "tj", "tg", "gn", "kr"])
"""Words of `_SPELLINGS` that are too short for the beginning of a name."""


class Beginnings:
    """What `_beginnings` gives of these names, found in their order instead of written out."""

    def __init__(self, names: Iterable[str], lines: Iterable[str]) -> None:
        self._sorted = sorted(names)
        self._whole = _first_words(self._sorted, lines).union(self._sorted)
        self._fours = {name[:4] for name in self._sorted}

    def __contains__(self, word: object) -> bool:
        if word in self._whole:
            return True
        if not isinstance(word, str) or len(word) < 4 or word[:4] not in self._fours:
            return False
        at = bisect_left(self._sorted, word)
        return at < len(self._sorted) and self._sorted[at].startswith(word)


class Gazetteer:
    """The regions. One object serves the whole process (`gazetteer()`)."""

    def __init__(self, text: str) -> None:
        body = text[text.index(_HEADING) + len(_HEADING) :].rstrip("\n")
        self._lines = body.split("\n")
        folded = body.lower()
        for sign in _PUNCTUATION:
            folded = folded.replace(sign, "")
        self._folded = folded.split("\n")
        self._codes = _codes_by_name(self._folded)
        self.provinces = self._upper(PROVINCE, names_by_word(word_lists("place_names")["provinces"]))
        self.regencies = self._upper(REGENCY, names_by_word(word_lists("place_names")["regencies"]))
        upper = [line for line in self._lines if len(line.partition(",")[0]) <= _LONGEST_UPPER]
        self.beginnings = _beginnings((*self.provinces, *self.regencies), upper)
        """How the names of provinces and regencies begin: a word that is none of these begins no name."""
        districts = [at for at, line in enumerate(self._folded) if line.find(",") == DISTRICT]
        glued = (self._folded[at].partition(",")[2] for at in districts)
        self.district_beginnings = _first_words((), [self._lines[at] for at in districts]).union(glued)
        """First words of the names of districts, and the names written as one word."""
        self.name = lru_cache(_NAMES_AT_ONCE)(self._name)
        """The name of a code as the decree writes it; None where there is no such region."""
        self.inside = lru_cache(_REGENCIES_AT_ONCE)(self._inside)
        self.beginnings_inside = lru_cache(_REGENCIES_AT_ONCE)(self._beginnings_inside)
        self.begun_inside = lru_cache(_REGENCIES_AT_ONCE)(self._begun_inside)
        """The same, made in half the time and asked in three times the time: for regions that few texts name."""
        self.named_inside = lru_cache(_REGENCIES_AT_ONCE)(self._named_inside)

    def codes(self, name: str) -> tuple[str, ...]:
        """Every region of any level with this folded name."""
        found = self._codes.get(name)
        return tuple(found.split(" ")) if found else ()

    def _name(self, code: str) -> str | None:
        line = bisect_left(self._folded, f"{code},")
        if line < len(self._folded) and self._folded[line].startswith(f"{code},"):
            return self._lines[line].partition(",")[2]
        return None

    def _lines_inside(self, region: str) -> range:
        return range(bisect_left(self._folded, region), bisect_left(self._folded, f"{region}:"))

    def _beginnings_inside(self, region: str) -> frozenset[str]:
        names = self.inside(region)
        return _beginnings(names, self._lines_of(region)) | first_numbers(names)

    def _begun_inside(self, region: str) -> Beginnings:
        names = self.inside(region)
        return Beginnings([*names, *first_numbers(names)], self._lines_of(region))

    def _lines_of(self, region: str) -> list[str]:
        return [self._lines[line] for line in self._lines_inside(region)]

    def _named_inside(self, region: str, digits: int) -> list[str]:
        """Folded names of one level in a regency."""
        return [name for name, codes in self.inside(region).items() if len(codes[0]) == digits]

    def _inside(self, region: str) -> Mapping[str, tuple[str, ...]]:
        """Districts and villages of a regency by folded name."""
        found: dict[str, tuple[str, ...]] = {}
        for line in self._lines_inside(region):
            code, _, name = self._folded[line].partition(",")
            if len(code) > REGENCY:
                found[name] = (*found.get(name, ()), code)
        for name, code in names_by_word(word_lists("place_names")["wards"]).items():
            if code.startswith(region):
                found.setdefault(name, (code,))
        for family, codes in self._families(region).items():
            found.setdefault(family, codes)
        for spelling, codes in (*_spelt(found), *self._numbered(region)):
            found.setdefault(spelling, codes)
        return found

    def _numbered(self, region: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        for line in self._lines_of(region):
            code, _, name = line.partition(",")
            if len(code) > _LONGEST_UPPER:
                yield from ((spelling, (code.replace(".", ""),)) for spelling in numbered_spellings(name))

    def _families(self, region: str) -> Mapping[str, tuple[str, ...]]:
        """What wards and districts are called together: "Siantan", where there are Siantan Hulu and Siantan Hilir."""
        found: dict[str, tuple[str, ...]] = {}
        for line in self._lines_inside(region):
            code, _, name = self._lines[line].partition(",")
            *first, last = name.lower().replace("'", "").split()
            family = "".join(first)
            if len(code) > _LONGEST_UPPER and last in MEMBERS and _may_be_family(first):
                found[family] = (*found.get(family, ()), code.replace(".", ""))
        return {family: codes for family, codes in found.items() if len(codes) > 1}

    def _upper(self, digits: int, others: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for line in self._folded:
            code, _, name = line.partition(",")
            if len(code) == digits:
                bare = _without_kind(name) if digits == REGENCY else name
                found[bare] = (*found.get(bare, ()), code)
        for name, code in others.items():
            if code not in found.get(name, ()):
                found[name] = (*found.get(name, ()), code)
        return found


def _may_be_family(words: list[str]) -> bool:
    return sum(map(len, words)) >= _SHORTEST_FAMILY and not ORDINARY.issuperset(words)


def _beginnings(names: Iterable[str], lines: Iterable[str]) -> frozenset[str]:
    """Whole names, their first words, and what is left of a name that was written apart (from four letters on)."""
    found = {name[:end] for name in names for end in range(4, len(name))}
    found.update(names)
    return frozenset(found.union(_first_words(names, lines)))


def _first_words(names: Iterable[str], lines: Iterable[str]) -> set[str]:
    """Of the lines as they are written, and of names that begin with a short form."""
    all_names = "\n".join(("", *names))
    short = {short for short in _SHORT_FORMS if f"\n{short}" in all_names}
    return short.union(line.partition(",")[2].lower().replace("'", "").replace("-", " ").split()[0] for line in lines)


def _codes_by_name(lines: list[str]) -> dict[str, str]:
    """Codes of one name stand in one string: a tuple each would take twice the memory."""
    found: dict[str, str] = {}
    get = found.get
    for line in lines:
        code, _, name = line.partition(",")
        known = get(name)
        found[name] = code if known is None else f"{known} {code}"
    return found


def _without_kind(name: str) -> str:
    return next((name.removeprefix(kind) for kind in _KINDS if name.startswith(kind) and name != "kotabaru"), name)


_SPELLINGS = (
    ("oe", "u"), ("u", "oe"), ("dj", "j"), ("tj", "c"), ("dh", "d"), ("th", "t"), ("ber", "br"), ("br", "ber"),
    ("kel", "kl"), ("kl", "kel"), ("ker", "kr"), ("kr", "ker"), ("sej", "sj"), ("tanjung", "tj"),
    ("tanjung", "tg"), ("gunung", "gn"), ("sungai", "sei"), ("karang", "kr"), ("tikan", "tian"),
    ("sei", "sungai"), ("aie", "air"), ("air", "aia"), ("nanxx", ""), ("desaadat", ""),
    ("tian", "tikan"), ("ngrejo", "ngerejo"), ("rejo", "redjo"), ("sido", "sida"), ("wono", "wana"),
    ("suko", "suka"), ("y", "i"), ("i", "y"), ("pasir", "psr"), ("ii", "2"), ("jogo", "joyo"), ("tt", "t"),
    ("mm", "m"), ("ng", "n"),
)  # fmt: skip
"""As citizens write names beside the decree: old letters, swallowed vowels, short forms."""


def _spelt(names: Mapping[str, tuple[str, ...]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(spelling, codes) for name, codes in names.items() for spelling in spellings(name)]


def spellings(name: str) -> list[str]:
    """Other spellings of a folded name, each with one change."""
    if len(name) < 6:
        return []
    return [name.replace(old, new, 1) for old, new in _SPELLINGS if old in name]


def is_city(code: str) -> bool:
    """Of a code of a regency or below: is it a kota?"""
    return code[2:3] >= "7"


def dotted(code: str) -> str:
    """ "3578011001" as "35.78.01.1001"."""
    return ".".join(part for part in (code[:2], code[2:4], code[4:6], code[6:]) if part)


@cache
def gazetteer() -> Gazetteer:
    """The one that ships."""
    return Gazetteer(Path(__file__).with_name("gazetteer.csv").read_text(encoding="utf-8"))
