"""The language of a text: Indonesian, one of eight regional languages, English, mixed, or unknown.

A word in a list speaks for its language, in several lists for each of them a little; the letters of a word, compared
with those of the lists, add less. A regional language is named only where a word of its own stands: most of what looks
regional in a short complaint is a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from math import log

from normalizer.beyond_ascii import letters_beyond_ascii
from normalizer.knowledge.word_lists import word_lists, words_of
from schemas import Language

WORDS: Mapping[str, str] = word_lists("languages")["languages"]
INDONESIAN_ONLY = words_of(word_lists("languages")["only"]["id"])
_SHARED = words_of(word_lists("languages")["only"]["shared"])
_WORD = re.compile(r"[^\W\d_]+")
_BLANKS = bytes(c if chr(c).isalpha() else ord(" ") for c in range(128)).lower().ljust(256)
"""Signs and digits as blanks: a text whose words are all in ASCII is taken apart in half the time."""
_STROKES = re.compile("['’ʼ`]")
_ADDRESS = re.compile(r"\S*(?:://|@|www\.)\S*|#\S+")
_ROAD = re.compile(r"ring ?road", re.IGNORECASE)
_MOST = 40
"""Words that are looked at."""
_FEWEST = 3
"""Words below which nothing is said."""
_LETTERS, _SMOOTHED, _KINDS = 0.05, 0.5, 3_000
_SHORT = 5
_NEIGHBOURS = 0.75
"""Off an Indonesian word that the neighbours use as well."""
_OWN, _LEAD = 1, 0.05
_PLAIN = 2
"""Words that only Indonesian has, from which a text with no more than one word of another is Indonesian."""
_BOTH, _SHARE = 3, 0.35
"""Own words of each of two languages, and their share, from which a text is mixed."""


def language_of(text: str) -> Language:
    """Of a cleaned text."""
    words = _words(text)
    if len(words) < _FEWEST:
        return "unknown"
    different = set(words)
    foreign, own_words = different & _foreign().keys(), len(different & INDONESIAN_ONLY)
    if _plainly_indonesian(own_words, foreign):
        return "id"
    own = _own(words, own_words)
    scores = _scored(words)
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    if best != "id" and own[best] == 1 and _only_named(text, best, words):
        return "id"
    if best != "id" and _enough(own, best, scores[best] - scores[second]):
        return "mixed" if _mixed(own, best) else best  # type: ignore[return-value]
    if best == "id" or own["id"] or "id" in (best, second):
        other = max((language for language in own if language != "id"), key=own.__getitem__, default=None)
        return "mixed" if other and _mixed(own, other) else "id"
    return best if own[best] and len(words) >= _SHORT else "unknown"  # type: ignore[return-value]


def _only_named(text: str, language: str, words: Iterable[str]) -> bool:
    """Is the only word of the language part of a name: "Pulo Brayan", but not "Pulo" at the beginning?"""
    foreign = _foreign()
    word = next(word for word in words if language in foreign.get(word, ()))
    found = list(re.finditer(rf"\b{word}\b", text[: _MOST * 12], re.IGNORECASE))
    return bool(found) and all(_is_named(match.string, match) for match in found)


def _is_named(text: str, match: re.Match[str]) -> bool:
    """In capitals, before another word in capitals, within a sentence; or a ring road."""
    before, after = text[: match.start()].rstrip(), text[match.end() : match.end() + 2]
    begins = not before or before[-1] in ".!?:"
    named = match[0].istitle() and not begins and after.strip().isupper()
    return named or _ROAD.match(text, match.start()) is not None


def _enough(own: Counter[str], language: str, lead: float) -> bool:
    return own[language] >= _OWN and lead >= _LEAD


def _mixed(own: Counter[str], language: str) -> bool:
    fewer, both = min(own["id"], own[language]), own["id"] + own[language]
    return fewer >= _BOTH and fewer >= _SHARE * both


def _words(text: str) -> list[str]:
    plain = text[: _MOST * 12].lower()
    if "@" in plain or "#" in plain or "://" in plain or "www." in plain:
        plain = _ADDRESS.sub(" ", plain)
    if not plain.isascii() or "'" in plain or "`" in plain:
        plain = _STROKES.sub("", plain)
    if any(map(_is_in_words, letters_beyond_ascii(plain))):
        return _WORD.findall(_without_accents(plain))[:_MOST]
    return plain.encode("ascii", "replace").translate(_BLANKS).decode().split()[:_MOST]


def _is_in_words(letter: str) -> bool:
    return letter.isalnum() or unicodedata.combining(letter) > 0


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def _plainly_indonesian(own_words: int, foreign: Collection[str]) -> bool:
    """By words that only Indonesian has, and no word of another language or one beside several."""
    if not foreign:
        return own_words > 0
    return own_words >= _PLAIN and len(foreign) == 1 and all(len(_foreign()[word]) == 1 for word in foreign)


@cache
def _foreign() -> Mapping[str, tuple[str, ...]]:
    """The listed words that Indonesian has not."""
    indonesian = INDONESIAN_ONLY | _SHARED
    return {word: languages for word, languages in _lists().items() if "id" not in languages and word not in indonesian}


def _own(words: Iterable[str], indonesian: int) -> Counter[str]:
    """How many different words are a language's own and not Indonesian; of Indonesian those that no other has."""
    own: Counter[str] = Counter({"id": indonesian})
    foreign = _foreign()
    for word in dict.fromkeys(words):
        for language in foreign.get(word, ()):
            own[language] += 1
    return own


def _scored(words: Iterable[str]) -> dict[str, float]:
    """What speaks for each language."""
    sums = map(sum, zip(*map(_weights, dict.fromkeys(words)), strict=True))
    return dict(zip(WORDS, sums, strict=True))


@lru_cache(20_000)
def _weights(word: str) -> tuple[float, ...]:
    """What a word says for each language, in the order of `WORDS`."""
    letters = _letters()
    known = [letters[piece] for piece in _pieces(word) if piece in letters]
    found = dict.fromkeys(WORDS, 0.0)
    if known:
        found.update(zip(WORDS, map(sum, zip(*known, strict=True)), strict=True))
    languages = _lists().get(word, ())
    for language in languages:
        found[language] += 1.0 if len(languages) == 1 else 0.9 / len(languages)
    if languages == ("id",) and word not in INDONESIAN_ONLY:
        found["id"] -= _NEIGHBOURS
    return tuple(found.values())


@cache
def _lists() -> Mapping[str, tuple[str, ...]]:
    """The languages of each listed word."""
    found: dict[str, tuple[str, ...]] = {}
    for language, words in WORDS.items():
        for word in set(_without_accents(_STROKES.sub("", words)).split()):
            found[word] = (*found.get(word, ()), language)
    return found


@cache
def _letters() -> Mapping[str, tuple[float, ...]]:
    """What two or three letters say for each language, in the order of `WORDS`: log odds over the lists."""
    counts: dict[str, Counter[str]] = {language: Counter() for language in WORDS}
    for word, languages in _lists().items():
        for language in languages:
            counts[language].update(_pieces(word))
    totals = {language: sum(pieces.values()) for language, pieces in counts.items()}
    return {piece: _odds(piece, counts, totals) for piece in {piece for pieces in counts.values() for piece in pieces}}


def _odds(piece: str, counts: Mapping[str, Counter[str]], totals: Mapping[str, int]) -> tuple[float, ...]:
    logs = [
        log((counts[language][piece] + _SMOOTHED) / (total + _SMOOTHED * _KINDS)) for language, total in totals.items()
    ]
    mean = sum(logs) / len(logs)
    return tuple(_LETTERS * (value - mean) for value in logs)


def _pieces(word: str) -> list[str]:
    word = f"^{word}$"
    return [word[at : at + 3] for at in range(len(word) - 2)] + [word[at : at + 2] for at in range(len(word) - 1)]
