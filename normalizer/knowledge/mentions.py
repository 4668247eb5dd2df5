"""Where a text names regions: each mention with the regions that it may mean.

A word before a name says its level ("Kec. Coblong", "Kab. Bandung"), or that it is a street's. A bare name counts where
the region that it lies in is known: by the account, or named in the same text.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz, process

from normalizer.knowledge.gazetteer import DISTRICT, PROVINCE, REGENCY, VILLAGE, Gazetteer, is_city
from normalizer.knowledge.mention_kinds import BARE, CHAINS, STREETS, KindRules, MentionKind
from normalizer.knowledge.named_regencies import everyday_pair
from normalizer.knowledge.place_words import (
    AFTER,
    BESIDE,
    EVERYDAY,
    FUNCTION_WORDS,
    MARKERS,
    ORDINARY,
    ORDINARY_REGENCIES,
    POSITIONS,
    Marker,
)  # fmt: skip
from normalizer.knowledge.tokens import Words

_LONGEST = 4
"""Words of a name."""
_LIKE = 88.0
"""Per cent of likeness at which a misspelt name after its level's word is taken for the region's."""
_FEW_NAMESAKES = 4
_SCOPES_AT_ONCE = 64
_LENGTHS_AT_ONCE = 512
_NAMES_AT_ONCE = 2_000
_BARE_PROVINCE = 1.0
_NAMESAKES = {(False, False): None, (False, True): 1.3, (True, False): 0.3, (True, True): -0.6}
"""Weight of a bare regency, by whether the account has another one, and whether many villages have the name."""


class Mention(NamedTuple):
    """A name as it stands in the text."""

    start: int
    end: int
    codes: tuple[str, ...]
    name: str
    """Folded."""
    kind: MentionKind
    weight: float
    """Log odds that the report is about that region."""


class Scope(NamedTuple):
    """What the names of a message are looked up in."""

    known: Gazetteer
    home: str
    """The account's regency, or its province; empty where it has none."""
    regions: Sequence[str]
    """Regencies in whose names a bare word is looked up; the account's first."""
    inside: Sequence[Mapping[str, tuple[str, ...]]]
    """The names of each."""
    named: Sequence[Container[str]]
    """Every name at hand."""
    beginnings: Sequence[Container[str]]
    """Words with which these may begin, and those before one."""
    longer: Container[str]
    """Words before a name with which a longer name may begin."""
    are_twins: bool
    """Are the regions a city and a regency of one name, and is the account's none of them?"""


@lru_cache(_SCOPES_AT_ONCE)
def scope_of(known: Gazetteer, regions: tuple[str, ...], home: str) -> Scope:
    """`regions`: the account's own first, where it has one. `home`: its regency or province, or empty."""
    near = home if len(home) == REGENCY else ""
    others = regions[1:] if near else regions
    return Scope(
        known,
        home,
        regions,
        [known.inside(region) for region in regions],
        (_names_near(known, near), *map(known.inside, others)),
        (beginnings_near(known, near), *map(known.begun_inside, others)),
        MARKERS if others else _longer_near(known, near),
        not near and len({(known.name(code) or "").partition(" ")[2] for code in regions}) == 1,
    )


class Finder:
    """Finds the mentions of one text. `places`: where one of the first of the scope's beginnings stands."""

    def __init__(self, scope: Scope, words: Words, places: Sequence[int]) -> None:
        self._known = scope.known
        self._words = words
        self._places = places
        self._regions = scope.regions
        self._home = scope.home
        self._inside = scope.inside
        self._rules = KindRules(scope.known, words, scope.inside if scope.are_twins else scope.inside[:1])
        self._named = scope.named
        self._beginnings = scope.beginnings
        self._longer = scope.longer

    def mentions(self) -> list[Mention]:
        """In the order of the text, none inside another."""
        found: list[Mention] = []
        end, after, words = 0, -1, self._words
        marker: Marker | None = None
        for at in self._places_to_look():
            if at < end:
                continue
            if at != after:
                marker = None
            word = words.words[at]
            if (new := MARKERS.get(word)) is not None and not (word in self._longer and self._begins_longer(at)):
                marker, after = new, at + 1
            elif marker and word in BESIDE and not self._begins_longer(at):
                after = at + 1
            elif (marker is None or marker.street) and not words.may_begin(at, self._named, self._beginnings):
                end = at + 1
            else:
                mention, taken = self._mention(at, marker, found[-1] if found else None)
                end = at + taken
                if mention:
                    found.append(mention)
        return found

    def _places_to_look(self) -> list[int]:
        """Where a name may begin: most words begin none, and are passed over at once."""
        words = self._words
        found = set(self._places)
        for beginnings in self._beginnings[1:]:
            found.update(words.places(beginnings))
        for marked in self._places:
            if words.words[marked] in MARKERS:
                found.update(range(marked, min(marked + 3, len(words))))
        return sorted(found)

    def _begins_longer(self, at: int) -> bool:
        """ "Kota Bumi", "Kampung Baru": a marker that begins a longer name of the regions at hand."""
        names = self._words.known_names(at, _LONGEST, self._inside, self._beginnings)
        return any(taken > 1 for _, taken in names)

    def _near(self, name: str) -> tuple[str, ...]:
        """Districts and villages of that name in the regions at hand."""
        if len(self._inside) == 1:
            return self._inside[0].get(name, ())
        return tuple(code for names in self._inside for code in names.get(name, ()))

    def _mention(self, at: int, marker: Marker | None, before: Mention | None) -> tuple[Mention | None, int]:
        if marker is None or marker.street:
            names = self._words.known_names(at, _LONGEST, self._named, self._beginnings)
            if not names:
                return None, 1
        else:
            names = self._words.names(at, _LONGEST)
        for name, taken in names:
            if len(name) > 2 and (codes := self._codes(name, marker, at)):
                kind = self._rules.kind(at, taken, name, marker)
                if kind in CHAINS:
                    codes = _around(before, codes) or tuple(code for code in codes if len(code) == VILLAGE) or codes
                if kind in STREETS:
                    codes = tuple(
                        code for code in codes if len(code) >= (DISTRICT if self._regions and marker else REGENCY)
                    )
                weight = _regency_weight(self._known, self._home, name, codes) if kind in BARE else None
                return (self._found(at, taken, codes, kind, weight) if codes else None), taken
        if marker and marker.levels and marker.levels[0] >= DISTRICT:
            found, taken = self._misspelt(at, marker, names)
            return (found, taken) if found else self._far(at, marker, names)
        return None, 1

    def _codes(self, name: str, marker: Marker | None, at: int) -> tuple[str, ...]:
        if marker is None:
            return self._bare(name, at)
        if marker.street:
            return self._near(name)
        if marker.levels[0] == REGENCY:
            codes = self._known.regencies.get(name, ())
            return tuple(code for code in codes if is_city(code) is marker.city) or codes
        if marker.levels[0] == PROVINCE:
            return self._known.provinces.get(name, ())
        return self._below(name, marker)

    def _below(self, name: str, marker: Marker) -> tuple[str, ...]:
        near = self._near(name)
        return tuple(code for code in near if len(code) in marker.levels) or near

    def _bare(self, name: str, at: int) -> tuple[str, ...]:
        if name == self._words.words[at] and (name in FUNCTION_WORDS or (name in EVERYDAY and self._is_plain(at))):
            return ()
        near = () if name in POSITIONS and not self._words.capital(at) else self._near(name)
        codes = () if everyday_pair(self._words, at, name) else self._known.regencies.get(name, ())
        if near and not (codes and any(code.startswith(codes) for code in near)):  # the regency before its namesake
            return near
        if codes and (name not in ORDINARY_REGENCIES or self._stands_alone(at)):
            return codes + self._known.provinces.get(name, ())
        return self._known.provinces.get(name, ())

    def _is_plain(self, at: int) -> bool:
        """Is the word written as any other: in small letters, or with the capital of a sentence?"""
        words = self._words
        if not words.capital(at) or at == 0:
            return True
        return words.text.startswith((".", "!", "?"), words.span(at - 1, 1)[1])

    def _stands_alone(self, at: int) -> bool:
        """Is the word written as a name, and not within a longer one: "Batu", but not "Batu Merah"?"""
        words, end = self._words, at + 1
        if not words.capital(at):
            return False
        begin, stop = words.span(at, 1)
        if end == len(words) or words.text[begin:stop].isupper() or words.text[stop : words.span(end, 1)[0]] != " ":
            return True
        return not words.capital(end) or words.words[end] in AFTER or words.words[end] in self._known.provinces

    def _misspelt(self, at: int, marker: Marker, names: list[tuple[str, int]]) -> tuple[Mention | None, int]:
        for region, inside in zip(self._regions, self._inside, strict=True):
            for name, taken in names[-2:][::-1] if len(names) > 1 else names:
                if len(name) < 5 or name in ORDINARY:
                    continue
                likely = _as_long(self._known, region, marker.levels[0], len(name))
                if best := process.extractOne(name, likely, scorer=fuzz.ratio, score_cutoff=_LIKE):
                    codes = tuple(code for code in inside[best[0]] if len(code) in marker.levels)
                    return self._found(at, taken, codes, MentionKind.MISSPELT), taken
        return None, 1

    def _far(self, at: int, marker: Marker, names: list[tuple[str, int]]) -> tuple[Mention | None, int]:
        for name, taken in names:
            codes = tuple(code for code in self._known.codes(name) if len(code) in marker.levels)
            if codes and len(name) > 2 and not (taken == 1 and (name in ORDINARY or name in FUNCTION_WORDS)):
                return self._found(at, taken, codes, MentionKind.FAR), taken
        return None, 1

    def _found(
        self, at: int, taken: int, codes: tuple[str, ...], kind: MentionKind, weight: float | None = None
    ) -> Mention:
        start, end = self._words.span(at, taken)
        name = "".join(self._words.words[at : at + taken])
        return Mention(start, end, codes, name, kind, kind.value if weight is None else weight)


def _around(before: Mention | None, codes: Sequence[str]) -> tuple[str, ...]:
    """Of regions, the districts of the ward that is named before: "Bojong Lor, Jamblang, Kabupaten Cirebon"."""
    if before is None or before.kind in STREETS:
        return ()
    wards = [code for code in before.codes if len(code) == VILLAGE]
    return tuple(code for code in codes if len(code) == DISTRICT and any(ward.startswith(code) for ward in wards))


@lru_cache(_NAMES_AT_ONCE)
def _regency_weight(known: Gazetteer, home: str, name: str, codes: tuple[str, ...]) -> float | None:
    """Of a bare name: less for another regency than the account's, and where many villages have that name."""
    if len(codes[0]) == PROVINCE:
        return _BARE_PROVINCE
    if len(codes[0]) != REGENCY or (home and home in codes):
        return None
    below = sum(len(code) > REGENCY and not code.startswith(codes) for code in known.codes(name))
    return _NAMESAKES[bool(home), below > _FEW_NAMESAKES]


@lru_cache(_LENGTHS_AT_ONCE)
def _as_long(known: Gazetteer, region: str, level: int, length: int) -> list[str]:
    """The names of a level that may be like one of this length: two letters in the sum of both lengths count."""
    names, least = known.named_inside(region, level), _LIKE / 100 - 0.01
    return [name for name in names if 2 * min(len(name), length) >= least * (len(name) + length)]


@lru_cache(8)
def _names_near(known: Gazetteer, region: str) -> frozenset[str]:
    """Of provinces, regencies, and what lies in the account's."""
    inside = known.inside(region) if region else ()
    return frozenset(known.regencies).union(known.provinces, inside)


@lru_cache(8)
def _longer_near(known: Gazetteer, region: str) -> frozenset[str]:
    """Words before a name that begin such a name themselves."""
    inside = known.inside(region) if region else ()
    return frozenset(word for word in MARKERS if any(name.startswith(word) and name != word for name in inside))


@lru_cache(8)
def beginnings_near(known: Gazetteer, region: str) -> frozenset[str]:
    """Words with which such a name may begin, and those before one."""
    inside = known.beginnings_inside(region) if region else frozenset()
    return known.beginnings.union(inside, MARKERS)
