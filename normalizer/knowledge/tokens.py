"""The words of a text and where they stand."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[^\W_A-Z]+(?:['’][^\W_A-Z]+)*")
"""Words that were glued are two: "KabupatenBandung"."""
_SIGNS = frozenset(",;:()\n/|")
"""What stands between two names, never inside one; a point with a blank behind it does too."""


class Words:
    """The words in small letters, without apostrophes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans = [match.span() for match in _TOKEN.finditer(text)]
        lower = text.lower()
        same = lower if len(lower) == len(text) else text  # a few letters are two in small
        self.words = [same[start:end] for start, end in self.spans]
        if "'" in text or "’" in text:
            self.words = [word.replace("'", "").replace("’", "") for word in self.words]
        self._upper = text.isupper()

    def __len__(self) -> int:
        return len(self.words)

    def capital(self, at: int) -> bool:
        """Does the word begin with a capital? In a text all in capitals none of them tells a name."""
        return not self._upper and self.text[self.spans[at][0]].isupper()

    def breaks(self, at: int) -> bool:
        """Does a sign stand before the word that no name holds?"""
        gap = self.text[self.spans[at - 1][1] if at else 0 : self.spans[at][0]]
        return gap != " " and (not _SIGNS.isdisjoint(gap) or ". " in gap)

    def names(self, at: int, longest: int) -> list[tuple[str, int]]:
        """What may be a name from here, longest first, with its number of words."""
        name = ""
        found: list[tuple[str, int]] = []
        for end in range(at, min(at + longest, len(self.words))):
            if end > at and self.breaks(end):
                break
            name += self.words[end]
            found.append((name, end - at + 1))
        return found[::-1]
