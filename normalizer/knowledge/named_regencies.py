"""Regencies and cities that a text names: the regions in which its other names are looked up."""

from __future__ import annotations

from collections.abc import Iterable

from normalizer.knowledge.gazetteer import DISTRICT, Gazetteer
from normalizer.knowledge.place_words import ORDINARY, ORDINARY_REGENCIES, marker_before
from normalizer.knowledge.tokens import Words


def named_regencies(known: Gazetteer, words: Words, places: Iterable[int]) -> set[str]:
    """Regencies and cities that the text names, whatever stands before them; everyday words only with their kind.

    `places`: where a name may begin.
    """
    found: set[str] = set()
    written, beginnings = words.words, known.beginnings
    for at in [at for at in places if written[at] in beginnings]:
        if _of_another_level(words, at):
            continue
        for name, _ in words.known_names(at, 3, (known.regencies,), (beginnings,)):
            codes = () if everyday_pair(words, at, name) else known.regencies[name]
            if name not in ORDINARY_REGENCIES or words.capital(at) or marker_before(words, at):
                found.update(codes)
    return found


def _of_another_level(words: Words, at: int) -> bool:
    """ "Kel. Karanganyar", "Jalan Demak": no regency."""
    marker = marker_before(words, at)
    return marker is not None and (marker.street or marker.levels[0] >= DISTRICT)


def everyday_pair(words: Words, at: int, name: str) -> bool:
    """ "kota baru": two everyday words in small letters, which name no regency."""
    pair = words.words[at : at + 2]
    return len(pair) > 1 and "".join(pair) == name and ORDINARY.issuperset(pair) and not words.capital(at + 1)
