"""Categories by word lists: what a classifier knows before anything was learned, and one of its features afterwards."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from normalizer.knowledge.remembered import RememberedWords
from schemas import Category

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
"""Letters, at least, of a beginning that ends in `*`."""
_LENGTH = 2500
"""Characters that are looked at."""


Entries = list[tuple[int, float]]
"""Numbers of topics, and what the word counts for each."""


def words_in(text: str) -> list[str]:
    """What the lists are asked about."""
    return _WORD.findall(text[:_LENGTH].lower())


class Topic(NamedTuple):
    """A category and its place in the tree."""

    id: str
    name: str
    top: str


class TopicScore(NamedTuple):
    """How much of a text speaks for a topic."""

    topic: Topic
    score: float


class WordLists:
    """Word lists by topic."""

    def __init__(self, toml: str) -> None:
        self.topics: list[Topic] = []
        self._words: dict[str, Entries] = {}
        self._pairs: dict[str, Entries] = {}
        self._beginnings: dict[str, Entries] = {}
        for n, row in enumerate(tomllib.loads(toml)["topic"]):
            self.topics.append(Topic(row["id"], row.get("name", row["id"]), row.get("top", row["id"])))
            for entry in row["words"].split():
                self._add(n, *_entry(entry))
        self._seconds: dict[str, dict[str, Entries]] = {}
        for pair, entries in self._pairs.items():
            first, _, second = pair.partition("_")
            self._seconds.setdefault(first, {})[second] = entries
        self._starts = {beginning[:_SHORTEST] for beginning in self._beginnings}
        self._lengths = sorted({len(beginning) for beginning in self._beginnings})
        self._starts_of = lru_cache(20_000)(self._beginnings_of)
        self._begun = RememberedWords(self._starts_of)
        self._listed = frozenset(self._words)

    def _add(self, topic: int, words: str, weight: float) -> None:
        if words.endswith("*"):
            table, words = self._beginnings, words[:-1]
        else:
            table = self._pairs if "_" in words else self._words
        table.setdefault(words, []).append((topic, weight))

    def scores(self, words: Sequence[str]) -> dict[int, float]:
        """Score by number of topic, of `words_in` a text; each word counts once."""
        scores: dict[int, float] = {}
        for found in self._hits(words):
            for topic, weight in found:
                scores[topic] = scores.get(topic, 0.0) + weight
        return scores

    def _hits(self, words: Sequence[str]) -> list[Entries]:
        single, seconds, beginnings = self._words, self._seconds, self._beginnings
        different = set(words)
        found = [single[word] for word in different & self._listed]
        if firsts := different & seconds.keys():
            pairs = {(a, b) for a, b in pairwise(words) if a in firsts and b in seconds[a]}
            found += [seconds[a][b] for a, b in pairs]
        starts = {start for word in self._begun.speaking(different) for start in self._starts_of(word)}
        return found + [beginnings[start] for start in starts]

    def _beginnings_of(self, word: str) -> tuple[str, ...]:
        if word[:_SHORTEST] not in self._starts:
            return ()
        return tuple({word[:length] for length in self._lengths} & self._beginnings.keys())

    def ranked(self, words: Sequence[str]) -> list[TopicScore]:
        """The best topic of each top category, best category first. A category has the score of all its topics."""
        by_top: dict[str, list[tuple[float, int]]] = {}
        for n, score in self.scores(words).items():
            by_top.setdefault(self.topics[n].top, []).append((score, -n))
        ranked = sorted(((sum(s for s, _ in found), max(found)) for found in by_top.values()), reverse=True)
        return [TopicScore(self.topics[-n], score) for score, (_, n) in ranked]


def _entry(entry: str) -> tuple[str, float]:
    words, _, weight = entry.rpartition(":")
    return (words, float(weight)) if words else (weight, 1.0)


@cache
def topics() -> WordLists:
    """The lists that ship with the code."""
    return WordLists(Path(__file__).with_name("data").joinpath("topics.toml").read_text("utf-8"))


def category_of(topic: Topic, p: float | None = None) -> Category:
    """The category as an event carries it."""
    return Category(id=topic.id, name=topic.name, top=topic.top, p=p)
