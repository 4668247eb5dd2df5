"""Regencies that a text names by a ward beside its own district, in either order: "Sekaran, Gunungpati". By chance two
names stand side by side of which one lies in the other hardly ever, where neither is an everyday word."""

from __future__ import annotations

from collections.abc import Iterable

from normalizer.knowledge.gazetteer import DISTRICT, REGENCY, VILLAGE, Gazetteer
from normalizer.knowledge.place_words import EVERYDAY, FUNCTION_WORDS, MARKERS, ORDINARY
from normalizer.knowledge.tokens import Words

_LONGEST = 3
"""Words of a name."""
_SHORTEST = 5
"""Letters of a name without a word for its level."""
_MOST = 50
"""Districts that are looked at."""


def paired_regencies(known: Gazetteer, words: Words) -> set[str]:
    """Empty where pairs speak for several regencies."""
    found: set[str] = set()
    for at in words.places(known.district_beginnings)[:_MOST]:
        for codes, end in _names(known, words, at, DISTRICT):
            beside = (*_names_after(known, words, end), *_names_before(known, words, at))
            found |= {code[:REGENCY] for wards in beside for code in wards if code[:DISTRICT] in codes}
    return found if len(found) == 1 else set()


def _names_after(known: Gazetteer, words: Words, end: int) -> Iterable[tuple[str, ...]]:
    end += end < len(words) and words.words[end] in MARKERS
    return (codes for codes, _ in _names(known, words, end, VILLAGE)) if end < len(words) else ()


def _names_before(known: Gazetteer, words: Words, at: int) -> Iterable[tuple[str, ...]]:
    end = at - (at > 0 and words.words[at - 1] in MARKERS)
    starts = range(max(0, end - _LONGEST), end)
    return (codes for start in starts for codes, last in _names(known, words, start, VILLAGE) if last == end)


def _names(known: Gazetteer, words: Words, at: int, level: int) -> list[tuple[tuple[str, ...], int]]:
    """Codes of the level that a name from here may have, and where it ends."""
    marked = at > 0 and (marker := MARKERS.get(words.words[at - 1])) is not None and not marker.street
    names = [(name, at + taken) for name, taken in words.names(at, _LONGEST)]
    likely = [(name, end) for name, end in names if marked or _is_likely(name, words, at, end)]
    found = [(tuple(code for code in known.codes(name) if len(code) == level), end) for name, end in likely]
    return [one for one in found if one[0]]


def _is_likely(name: str, words: Words, at: int, end: int) -> bool:
    """Everyday words are none, unless two of them are written as a name: "Dukuh Pakis"."""
    if len(name) < _SHORTEST:
        return False
    if end == at + 1:
        return not (name in ORDINARY or name in EVERYDAY or name in FUNCTION_WORDS)
    return not ORDINARY.issuperset(words.words[at:end]) or (words.capital(at) and words.capital(at + 1))
