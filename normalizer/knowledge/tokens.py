"""The words of a text and where they stand."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import cached_property
from itertools import accumulate, compress, count

_TOKEN = re.compile(r"([A-Z]+(?![a-z])\d*|[A-Z]?[^\W_A-Z]+(?:['’][^\W_A-Z]+)*)")
"""Words that were glued are two: "KabupatenBandung"."""
_PLAIN_TOKEN = re.compile(r"([a-z0-9]+|[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z0-9]+)")
"""The same of a text in ASCII without apostrophes, in half the time: most words are in small letters."""
_SIGNS = frozenset(",;:()\n/|")
"""What stands between two names, never inside one; a point with a blank behind it does too, but for "Gn. Kidul"."""
_SHORTENED = frozenset(["sei", "tj", "tg", "gn", "kr"])


class Words:
    """The words in small letters, without apostrophes."""

    def __init__(self, text: str) -> None:
        self.text = text
        plain = "'" not in text and text.isascii()
        self._pieces = (_PLAIN_TOKEN if plain else _TOKEN).split(text)
        self._written = self._pieces[1::2]
        self.words = "\n".join(self._written).lower().split("\n") if self._written else []
        if "'" in text or "’" in text:
            self.words = [word.replace("'", "").replace("’", "") for word in self.words]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def rewritten(self) -> bool:
        """Do they differ from the words between blanks and signs: a glued one taken apart, one without apostrophe?"""
        return "" in self._pieces[2:-1:2] or "'" in self.text or "’" in self.text

    @cached_property
    def _upper(self) -> bool:
        return self.text.isupper()

    @cached_property
    def _ends(self) -> list[int]:
        """Where each piece ends: words and what stands between them, by turns."""
        return list(accumulate(map(len, self._pieces)))

    def span(self, at: int, taken: int) -> tuple[int, int]:
        """Where so many words stand in the text."""
        return self._ends[2 * at], self._ends[2 * (at + taken) - 1]

    def places(self, names: Container[str]) -> list[int]:
        """Where one of these words stands."""
        return list(compress(count(), map(names.__contains__, self.words)))

    def capital(self, at: int) -> bool:
        """Does the word begin with a capital? In a text all in capitals none of them tells a name."""
        return not self._upper and self._written[at][0].isupper()

    def breaks(self, at: int) -> bool:
        """Does a sign stand before the word that no name holds?"""
        gap = self._pieces[2 * at]
        if gap == " ":
            return False
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
        words, pieces, name = self.words, self._pieces, self.words[at]
        table, begun, several = tables[0], beginnings[0], len(beginnings) > 1
        for end in range(at + 1, min(at + longest, len(words)) + 1):
            if name in table or (several and _in_one(name, tables)):
                found.append((name, end - at))
            elif len(name) > 3 and name not in begun and not (several and _in_one(name, beginnings)):
                break
            if end == len(words) or (pieces[2 * end] != " " and self.breaks(end)):
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


def _in_one(name: str, tables: Sequence[Container[str]]) -> bool:
    for table in tables:  # noqa: SIM110 - asked for most words of every text: `any` takes twice the time
        if name in table:
            return True
    return False
