"""Words that were seen to stand for a region: streets, estates, landmarks, learned from rows whose place is known.

A phrase of one to three words is kept where nearly all rows that hold it lie in one district. It weighs as much as
those rows say, as log odds.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from math import log
from typing import NamedTuple

from normalizer.knowledge.gazetteer import DISTRICT
from normalizer.knowledge.tokens import Words
from normalizer.knowledge.word_lists import word_lists, words_of

LONGEST = 3
_EVERYDAY = words_of(word_lists("languages")["languages"]["id"]) | frozenset(
    ["no", "nomor", "rt", "rw", "jl", "jln", "blok", "kec", "kel"]
)
_FEWEST = 3
"""Rows that must hold a phrase."""
_LEAST = 1.4
"""Log odds from which a phrase is kept: four rows of five."""
_PRIOR = 0.5


class LearnedPlaces(NamedTuple):
    """Folded phrases, each with the code of its district and its log odds; and the words with which phrases begin."""

    phrases: Mapping[str, tuple[str, float]]
    firsts: frozenset[str]
    version: str = ""
    """Of what was learned; empty where nothing was."""


NOTHING = LearnedPlaces({}, frozenset())


class PlacedText(NamedTuple):
    """What a citizen wrote, and the code of the region that officers settled on."""

    text: str
    address: str
    code: str


def learn_places(rows: Iterable[PlacedText]) -> str:
    """The body of an edition: JSON, for `load_places`. Rows without a district teach nothing."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        district = row.code.replace(".", "")[:DISTRICT]
        if len(district) == DISTRICT:
            for phrase in _phrases((row.text, row.address)):
                counts[phrase][district] += 1
    kept = {phrase: found for phrase, seen in counts.items() if (found := _kept(seen)) is not None}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def load_places(body: str) -> LearnedPlaces:
    """Raises ValueError where it is no such body."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("learned places are an object")
    phrases = {phrase.replace(" ", ""): (str(code), float(weight)) for phrase, (code, weight) in found.items()}
    firsts = frozenset(phrase.partition(" ")[0] for phrase in found)
    return LearnedPlaces(phrases, firsts, sha256(body.encode()).hexdigest()[:8])


def _phrases(texts: Sequence[str]) -> set[str]:
    """With blanks between the words."""
    found: set[str] = set()
    for text in texts:
        words = Words(text)
        for at, first in enumerate(words.words):
            if first not in _EVERYDAY and not first[0].isdigit():
                found.update(_phrases_from(words, at))
    return found


def _phrases_from(words: Words, at: int) -> Iterator[str]:
    for name, taken in words.names(at, LONGEST):
        if len(name) > 3 and _ends_well(words, at + taken):
            yield " ".join(words.words[at : at + taken])


def _ends_well(words: Words, end: int) -> bool:
    return words.words[end - 1] not in _EVERYDAY


def _kept(seen: Counter[str]) -> tuple[str, float] | None:
    (district, most), total = seen.most_common(1)[0], seen.total()
    weight = log((most + _PRIOR) / (total - most + _PRIOR))
    return (district, round(weight, 2)) if total >= _FEWEST and weight >= _LEAST else None
