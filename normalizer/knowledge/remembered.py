"""Which words say nothing: asked for all the words of a text at once, in a time in which Python asks for a few."""

from __future__ import annotations

from collections.abc import Callable

_MOST = 60_000
"""Words that are remembered; then they are learned anew."""
_LONGEST = 40
"""Characters of a word that is worth remembering."""


class RememberedWords:
    """Leaves out the words of which a test said no before. Safe to use from several threads."""

    def __init__(self, speaks: Callable[[str], object]) -> None:
        self._speaks = speaks
        self._silent: set[str] = set()

    def speaking(self, words: set[str]) -> list[str]:
        """The words of which the test says yes, in any order."""
        found = []
        for word in words.difference(self._silent):
            if self._speaks(word):
                found.append(word)
            elif len(word) <= _LONGEST:
                self._remember(word)
        return found

    def _remember(self, word: str) -> None:
        if len(self._silent) >= _MOST:
            self._silent = set()
        self._silent.add(word)
