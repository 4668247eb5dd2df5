"""Words that were seen to stand for a district: streets, estates, landmarks, learned from rows whose place is known.

A linear classifier of districts by single words, and by pairs of words of an address. It is trained in
`normalizer.models.place_training`, and used here without a library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from math import sqrt
from typing import NamedTuple

from normalizer.knowledge.tokens import Words
from normalizer.knowledge.word_lists import word_lists, words_of

_EVERYDAY = words_of(word_lists("languages")["languages"]["id"]) | frozenset(
    ["no", "nomor", "rt", "rw", "jl", "jln", "blok", "kec", "kel"]
)
_TEXT = 0.5
"""What a word of the text counts beside one of the address."""
_LONG = 6
"""Digits from which a number is no house's and no postcode: such words are never learned."""
_SHOWN = 2


class Phrase(NamedTuple):
    """How much a word or a pair counts (more where it is rare), and what it says for and against districts."""

    rarity: float
    weights: Mapping[str, float]


class Taught(NamedTuple):
    """What was learned of the words of one message."""

    margins: Mapping[str, float]
    """By district, without points; -1 to 1 and a little beyond. Empty where no word is known."""
    phrases: Mapping[str, Phrase]

    def words_for(self, district: str) -> list[str]:
        """The phrases that say most for it."""
        said = [
            (one.rarity * one.weights[district], name) for name, one in self.phrases.items() if district in one.weights
        ]
        return [name for weight, name in sorted(said, reverse=True)[:_SHOWN] if weight > 0]


NO_WORDS = Taught({}, {})


class LearnedPlaces(NamedTuple):
    """Phrases, and the bias of each district."""

    phrases: Mapping[str, Phrase]
    districts: Mapping[str, float]
    version: str = ""
    """Of what was learned; empty where nothing was."""

    def taught(self, text: Words, address: Words | None) -> Taught:
        """How strongly the words speak for each district."""
        phrases = self.phrases
        found = dict.fromkeys(phrases.keys() & text.words, _TEXT)
        if address is not None:
            found.update(dict.fromkeys(phrases.keys() & [*address.words, *_pairs(address)], 1.0))
        if not found:
            return NO_WORDS
        known = {phrase: phrases[phrase] for phrase in sorted(found)}
        length = sqrt(sum((one.rarity * found[phrase]) ** 2 for phrase, one in known.items()))
        margins = dict(self.districts)
        for phrase, one in known.items():
            value = one.rarity * found[phrase] / length
            for district, weight in one.weights.items():
                margins[district] += value * weight
        return Taught(margins, known)


NOTHING = LearnedPlaces({}, {})


class PlacedText(NamedTuple):
    """What a citizen wrote, and the code of the region that officers settled on."""

    text: str
    address: str
    code: str


def load_places(body: str) -> LearnedPlaces:
    """Raises ValueError where it is no such body."""
    try:
        found = json.loads(body)
        districts = {str(code): float(bias) for code, bias in found["districts"].items()}
        phrases = {
            phrase: Phrase(float(rarity), {code: float(weights[code]) for code in districts.keys() & weights})
            for phrase, (rarity, weights) in found["phrases"].items()
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("learned places are districts with numbers, and phrases with theirs") from error
    return LearnedPlaces(phrases, districts, sha256(body.encode()).hexdigest()[:8])


def phrase_values(text: Words, address: Words | None) -> dict[str, float]:
    """Words of the text and the address, and pairs of the address, each with what it counts."""
    found = dict.fromkeys(filter(_is_told, text.words), _TEXT)
    if address is not None:
        found.update(dict.fromkeys(filter(_is_told, address.words), 1.0))
        found.update(dict.fromkeys(_pairs(address), 1.0))
    return found


def _is_told(word: str) -> bool:
    return len(word) > 1 and word not in _EVERYDAY and not _is_long_number(word)


def _is_long_number(word: str) -> bool:
    return len(word) >= _LONG and sum(map(str.isdigit, word)) >= _LONG


def _pairs(words: Words) -> Iterable[str]:
    written: Sequence[str] = words.words
    for at in range(1, len(written)):
        if not words.breaks(at) and not _is_long_number(written[at - 1]) and not _is_long_number(written[at]):
            yield f"{written[at - 1]} {written[at]}"
