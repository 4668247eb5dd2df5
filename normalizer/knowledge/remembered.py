"""What a rule finds in a word, remembered; and which words say nothing to it: these are left out of all the words of a
text at once, in a time in which Python asks for a few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_SILENT, _MOST_FOUND = 60_000, 20_000
"""Words that are remembered; then they are learned anew."""
_LONGEST = 40
"""Characters of a word that is worth remembering."""


class Remembered(Generic[T]):
    """Remembers what a function finds in a word; what is false is nothing. Safe to use from several threads."""

    def __init__(self, find: Callable[[str], T | None]) -> None:
        self._find = find
        self._found: dict[str, T] = {}
        self._silent: set[str] = set()

    def of(self, words: set[str]) -> list[T]:
        """What is found in the words, in any order."""
        known = self._found
        found: list[T] = []
        for word in words.difference(self._silent):
            if one := known.get(word) or self._learned(word):
                found.append(one)
        return found

    def in_none(self, words: Sequence[str]) -> bool:
        """Is nothing found in any of them? In a third of the time of `of`."""
        return self._silent.issuperset(words) or not self.of(set(words))

    def _learned(self, word: str) -> T | None:
        one = self._find(word)
        if len(word) <= _LONGEST:
            if one:
                self._remember(word, one)
            else:
                self._leave_out(word)
        return one

    def _remember(self, word: str, one: T) -> None:
        if len(self._found) >= _MOST_FOUND:
            self._found = {}
        self._found[word] = one

    def _leave_out(self, word: str) -> None:
        if len(self._silent) >= _MOST_SILENT:
            self._silent = set()
        self._silent.add(word)
