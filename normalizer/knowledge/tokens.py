"""The words of a text and where they stand."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import cached_property
from itertools import accumulate, compress, count

from normalizer.beyond_ascii import letters_beyond_ascii
from normalizer.knowledge.remembered import Remembered

_TOKEN = re.compile(r"([A-Z]+(?![a-z])\d*|[A-Z]?[^\W_A-Z]+(?:['’][^\W_A-Z]+)*)")
"""Words that were glued are two: "KabupatenBandung"."""
_PLAIN_TOKEN = re.compile(r"([a-z0-9]+|[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z0-9]+)")
"""The same without apostrophes and letters beyond ASCII, in half the time: most words are in small letters."""
_LINES = bytes(c if chr(c).isalnum() else ord("\n") for c in range(128)).ljust(256)
"""Signs of ASCII as line breaks: each word is a line then, and what stands between two is one, or empty lines."""
_SIGNS = frozenset(",;:()\n/|")
"""What stands between two names, never inside one; a point with a blank behind it does too, but for "Gn. Kidul"."""
_SHORTENED = frozenset(["sei", "tj", "tg", "gn", "kr"])


class Words:
    """The words in small letters, without apostrophes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.as_written = plain = "'" not in text and _only_signs(letters_beyond_ascii(text))
        """Are they the words between blanks and signs, none of them taken apart or without its apostrophe?"""
        if plain:
            lines = text.encode("ascii", "replace").translate(_LINES).decode()
            self._written = lines.split()
            self.as_written = _GLUED.in_none(self._written)
        if self.as_written:
            self._lines, self._starts = lines, _UNKNOWN
            self.words = lines.lower().split()
        else:
            self._take_apart(_PLAIN_TOKEN if plain else _TOKEN)

    def _take_apart(self, token: re.Pattern[str]) -> None:
        pieces = token.split(self.text)
        self._written = pieces[1::2]
        self._starts = list(accumulate(map(len, pieces)))[:-1:2]
        self.words = "\n".join(self._written).lower().split("\n") if self._written else []
        if "'" in self.text or "’" in self.text:
            self.words = [word.replace("'", "").replace("’", "") for word in self.words]

    def __len__(self) -> int:
        return len(self.words)

    def _found(self) -> list[int]:
        """Where each word starts: of many texts that is not asked."""
        lines = self._lines.splitlines(keepends=True)
        starts = accumulate(map(len, lines), initial=0)
        self._starts = list(compress(starts, map("\n".__ne__, lines)))
        return self._starts

    def span(self, at: int, taken: int) -> tuple[int, int]:
        """Where so many words stand in the text."""
        starts, last = self._starts or self._found(), at + taken - 1
        return starts[at], starts[last] + len(self._written[last])

    def places(self, names: Container[str]) -> list[int]:
        """Where one of these words stands."""
        return list(compress(count(), map(names.__contains__, self.words)))

    def capital(self, at: int) -> bool:
        """Does the word begin with a capital? In a text all in capitals none of them tells a name."""
        return self._written[at][0].isupper() and not self._all_capitals

    @cached_property
    def _all_capitals(self) -> bool:
        return self.text.isupper()

    def breaks(self, at: int) -> bool:
        """Does a sign stand before the word that no name holds?"""
        starts = self._starts or self._found()
        end = starts[at - 1] + len(self._written[at - 1]) if at else 0
        if starts[at] - end == 1:
            return self.text[end] in _SIGNS
        gap = self.text[end : starts[at]]
        return not _SIGNS.isdisjoint(gap) or (". " in gap and self.words[at - 1] not in _SHORTENED)

    def may_begin(self, at: int, tables: Sequence[Container[str]], beginnings: Sequence[Container[str]]) -> bool:
        """False: `known_names` finds nothing here, as of most words that begin a name elsewhere. Of one table only."""
        words, word, end = self.words, self.words[at], at + 1
        table, begun = tables[0], beginnings[0]
        if len(tables) > 1 or word in table:
            return True
        if (len(word) > 3 and word not in begun) or end == len(words) or self.breaks(end):
            return False
        both = word + words[end]
        return both in table or both in begun or len(both) <= 3

    def known_names(
        self, at: int, longest: int, tables: Sequence[Container[str]], beginnings: Sequence[Container[str]]
    ) -> list[tuple[str, int]]:
        """As `names`, but only names of the tables. `beginnings` hold whatever from four letters on begins one."""
        found: list[tuple[str, int]] = []
        words, name = self.words, self.words[at]
        table, begun, several = tables[0], beginnings[0], len(beginnings) > 1
        for end in range(at + 1, min(at + longest, len(words)) + 1):
            if name in table or (several and _in_one(name, tables)):
                found.append((name, end - at))
            elif len(name) > 3 and name not in begun and not (several and _in_one(name, beginnings)):
                break
            if end == len(words) or self.breaks(end):
                break
            name += words[end]
        return found[::-1] if len(found) > 1 else found

    def names(self, at: int, longest: int) -> list[tuple[str, int]]:
        """What may be a name from here, longest first, with its number of words."""
        name = self.words[at]
        found = [(name, 1)]
        for end in range(at + 1, min(at + longest, len(self.words))):
            if self.breaks(end):
                break
            name += self.words[end]
            found.append((name, end - at + 1))
        return found[::-1]


def _only_signs(letters: str) -> bool:
    """Is none of them part of a word?"""
    return "’" not in letters and not any(map(str.isalnum, letters))


def _glued(word: str) -> bool:
    """Is it two words or more, of what stands between signs?"""
    return len(_PLAIN_TOKEN.findall(word)) > 1


_GLUED = Remembered(_glued)
_UNKNOWN: list[int] = []


def _in_one(name: str, tables: Sequence[Container[str]]) -> bool:
    for table in tables:  # noqa: SIM110 - asked for most words of every text: `any` takes twice the time
        if name in table:
            return True
    return False
