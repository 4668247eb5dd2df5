"""A text as it is read: short forms written out, repeated letters once, digits for letters as letters.

"jln rsk parahhh bgt" is read as "jalan rusak parah banget". Names, numbers, addresses and abbreviations that stand for
several words stay as written. Reading twice changes nothing: what a form stands for is no form itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Set
from functools import lru_cache

from normalizer.knowledge.word_lists import names_by_word, word_lists, words_of

_WORD = re.compile(r"(?<![\w@#./:\[-])([^\W_]+)(?![\w@])(?!\.[\w-])(?![/:-]\w)(\.(?= [^\W_]))?")
"""A word and the point of its abbreviation. Parts of an address, of a number or of another word are none."""
_RUN = re.compile(r"[^\W_]+")
_PASSIVE = re.compile(r"([dD])(?<!\w\w) ([a-z]{3,}(?:in|kan|i))\b")
_AGAIN = re.compile(r"([^\W\d_])\1{2,}")
_ROMAN = re.compile(r"[ivxlc]+")
_PLURAL = re.compile(r"([^\W\d_]{3,})2(nya|an)?")
_DIGITS = str.maketrans("0134578", "oieastb")
_DOTTED = frozenset(["jl", "jln", "gg", "kec", "kab", "ds", "prov", "dsn"])
"""Abbreviations that lose their point with the rest."""
_FEW = 50
_FORMS = names_by_word(word_lists("words")["forms"])
_LETTERS, _TWO, _COUNTED = (words_of(word_lists("words")["words"][name]) for name in ("letters", "two", "counted"))


def read_text(text: str) -> str:
    """Of a cleaned text. `read_text(read_text(x)) == read_text(x)`."""
    text = with_passive_joined(text)
    return with_forms_written_out(text, {form for piece in text.split() for form in forms_in(piece)})


def with_passive_joined(text: str) -> str:
    """ "d benerin" is one word."""
    return _PASSIVE.sub(r"\1i\2", text) if "d " in text or "D " in text else text


def with_forms_written_out(text: str, forms: Set[str]) -> str:
    """`forms`: the words that may be."""
    parts, end = [], 0
    shouted = text.isupper()
    for match in _matches(text, forms):
        start, behind = match.span()
        parts += [text[end:start], _read(match, shouted=shouted)]
        end = behind
    return "".join((*parts, text[end:]))


def forms_in(piece: str) -> tuple[str, ...]:
    """The words that are read otherwise, of what stands between two blanks."""
    if piece.isalpha():
        return () if _meaning(piece) is None else (piece,)
    return tuple(word for word in _RUN.findall(piece) if _meaning(word) is not None)


def meanings_of(forms: Collection[str]) -> list[str]:
    """The words that they stand for."""
    return [word for form in forms for word in (_meaning(form) or "").split()]


def _matches(text: str, words: Set[str]) -> list[re.Match[str]]:
    """Where these words stand, in order. Of a few, a match is tried only there, which takes a third of the time of
    trying every word."""
    if len(words) > _FEW:
        return [match for match in _WORD.finditer(text) if match[1] in words]
    return sorted([match for word in words for match in _matches_of(text, word)], key=re.Match.start)


def _matches_of(text: str, word: str) -> Iterator[re.Match[str]]:
    start = text.find(word)
    while start >= 0:
        if (match := _WORD.match(text, start)) and match[1] == word:
            yield match
        start = text.find(word, start + len(word))


def _read(match: re.Match[str], *, shouted: bool) -> str:
    """`shouted`: the whole text is in capitals."""
    written = match[1]
    meaning = _meaning(written)
    if meaning is None or _stays(match, written, shouted=shouted):
        return match[0]
    return meaning + ("" if written.lower() in _DOTTED else match[2] or "")


@lru_cache(20_000)
def _meaning(written: str) -> str | None:
    """None: what is written."""
    lower = written.lower()
    if lower.isdigit() or (lower not in _FORMS and lower.isalpha() and not _AGAIN.search(lower)):
        return None
    meaning = _FORMS.get(lower)
    if meaning is None:
        meaning = _spelt(lower)
        meaning = _FORMS.get(meaning, meaning)
    return None if meaning == lower else _as_written(meaning, written)


def _stays(match: re.Match[str], written: str, *, shouted: bool) -> bool:
    """An abbreviation in capitals in a text that is not, or a "d" without a word behind it."""
    if written.isupper() and len(written) < 4 and not shouted:
        return True
    return written.lower() == "d" and not _before_word(match)


def _before_word(match: re.Match[str]) -> bool:
    after = match.string[match.end() : match.end() + 2]
    return after[:1] == " " and after[1:].isalpha()


def _spelt(word: str) -> str:
    if _AGAIN.search(word) and not _ROMAN.fullmatch(word) and len(set(word)) > 1 and not word.startswith("www"):
        once = _AGAIN.sub(r"\1", word)
        twice = _AGAIN.sub(r"\1\1", word)
        word = twice if twice in _TWO else once
    if not word.isalpha():
        if (plural := _PLURAL.fullmatch(word)) and plural[1] not in _COUNTED:
            stem = _FORMS.get(plural[1], plural[1])
            return f"{stem}-{stem}{plural[2] or ''}"
        letters = word.translate(_DIGITS)
        return letters if letters in _LETTERS else word
    return word


def _as_written(meaning: str, written: str) -> str:
    if written.isupper() and len(written) > 1:
        return meaning.upper()
    return meaning[0].upper() + meaning[1:] if written[0].isupper() else meaning
