"""Names and aliases of offices, looked up: a whole name, or those that stand in a text.

The index holds each name as it is, and without the region at its end: "Dinas Perhubungan" stands for the one that
serves the report's own region. A name that could be several offices is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from router.offices_names import ADDRESSED, COURTESY, PLACING, codes_by_phrase, fold_name, region_phrases, split_region
from router.offices_types import COORDINATORS, PLACES, RegisteredOffice

_GENERIC = frozenset(
    {"dinas", "badan", "bagian", "kantor", "unit", "kecamatan", "kelurahan", "desa", "camat", "lurah", "pemerintah",
     "daerah", "kota", "kabupaten", "provinsi", "wali", "bupati", "gubernur", "pak", "rumah", "sakit", "umum"}
)  # fmt: skip
"""Words that without a region name no office."""
_PLACE_NAMES = ("kecamatan ", "kelurahan ", "desa ")


class Mention(NamedTuple):
    """An office's name in a text."""

    phrase: str
    addressed: bool
    """It follows "Yth." or "kepada"."""


class NameIndex:
    """Phrase to the ids of the offices that are called so."""

    def __init__(self, offices: Mapping[str, RegisteredOffice]) -> None:
        self._offices = offices
        self.given: dict[str, set[str]] = {}
        """Names and aliases as they were given."""
        self._specific: dict[str, set[str]] = {}
        """Phrases that hold the region, or whose office serves the whole nation."""
        self._bare: dict[str, set[str]] = {}
        """Phrases that mean the office of the report's own region."""
        for office in offices.values():
            if not office.closed:
                self._add(office)
        lengths: dict[str, set[int]] = {}
        for phrase in (*self._specific, *self._bare):
            words = phrase.split(" ")
            lengths.setdefault(words[0], set()).add(len(words))
        self._lengths = {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()}
        """By first word, how many words its phrases have, the longest first."""

    def find(self, named: str, code: str | None = None) -> RegisteredOffice | None:
        """The office of that name; of several the one that serves the place `code`. None: not known, or it could be
        several, or it is known for another place only."""
        return self.one_of(fold_name(named), code)

    def one_of(self, phrase: str, code: str | None) -> RegisteredOffice | None:
        """The same for a folded phrase."""
        ids = self._specific.get(phrase) or self._bare.get(phrase, set())
        if len(ids) > 1 or phrase not in self._specific:
            ids = {id for id in ids if code and self._offices[id].covers(code)}
        return self._offices[next(iter(ids))] if len(ids) == 1 else None

    def knows(self, name: str) -> bool:
        """Whether any office is called so anywhere."""
        phrase = fold_name(name)
        return phrase in self._specific or phrase in self._bare

    def mentions(self, words: list[str]) -> Iterator[Mention]:
        """The names in a folded text, each the longest that begins there. What only says where something is, is none:
        "depan kantor dinas …". Neither is a district, a village or a region's government, unless it is addressed."""
        end, lengths = 0, self._lengths
        for at in [n for n, word in enumerate(words) if word in lengths]:
            phrase = self._phrase_at(words, at) if at >= end else None
            if phrase is None:
                continue
            end = at + phrase.count(" ") + 1
            addressed = _is_addressed(words, at)
            if addressed or (self._tells(phrase) and not (at and words[at - 1] in PLACING)):
                yield Mention(phrase, addressed)

    def _phrase_at(self, words: list[str], at: int) -> str | None:
        for n in self._lengths.get(words[at], ()):
            phrase = " ".join(words[at : at + n])
            if phrase in self._specific or phrase in self._bare:
                return phrase
        return None

    def _tells(self, phrase: str) -> bool:
        """Whether the phrase names an office by itself, where nobody is addressed."""
        kinds = {self._offices[id].kind for id in self._specific.get(phrase) or self._bare[phrase]}
        return not kinds & (PLACES | COORDINATORS) and not phrase.startswith(_PLACE_NAMES)

    def _add(self, office: RegisteredOffice) -> None:
        for name in (office.name, *office.aliases):
            phrase = fold_name(name)
            if phrase:
                self.given.setdefault(phrase, set()).add(office.id)
                for variant, specific in _variants(phrase, office):
                    (self._specific if specific else self._bare).setdefault(variant, set()).add(office.id)


def _is_addressed(words: list[str], at: int) -> bool:
    """Whether "Yth." or the like stands before, with nothing but courtesy between."""
    while at and words[at - 1] in COURTESY:
        at -= 1
        if words[at] in ADDRESSED:
            return True
    return False


def _variants(phrase: str, office: RegisteredOffice) -> Iterator[tuple[str, bool]]:
    """The phrase without a region and with the office's own, and whether it stands for this office wherever the report
    is from. "Semarang" alone is a city and a regency."""
    if office.kind in COORDINATORS or not office.regions:
        yield phrase, True
        return
    bare, codes = split_region(phrase)
    yield phrase, bool(codes) or office.kind in PLACES
    if all(word in _GENERIC for word in bare.split(" ")):
        return
    yield bare, False
    for region in office.regions:
        full, short = region_phrases().get(region[:5], ("", ""))
        if full:
            yield f"{bare} {full}", True
            yield f"{bare} {short}", len(codes_by_phrase()[short]) == 1
